"""How long a person waits for the commands that answer at once."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Figure

TEMPLATE = Path(__file__).parent.parent
GOALS = {"--help": 0.3, "plan": 0.5}


def measure(*, small: bool) -> list[Figure]:
    """`mlops --help` and `mlops plan` in a fresh checkout without caches, wall seconds."""
    runs = 3 if small else 21
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(TEMPLATE), str(clone)], check=True)
        return [_figure(clone, verb, goal, runs) for verb, goal in GOALS.items()]


def _figure(clone: Path, verb: str, goal: float, runs: int) -> Figure:
    seconds = [_seconds(clone, verb) for _ in range(runs)]
    return Figure(
        what=f"mlops {verb}, fresh checkout without caches",
        value=statistics.median(seconds),
        unit="s",
        goal=goal,
        detail=f"median of {runs}; {min(seconds):.2f} to {max(seconds):.2f}",
    )


def _seconds(clone: Path, verb: str) -> float:
    """One run with the clone's own code and none of its bytecode."""
    for cache in clone.rglob("__pycache__"):
        shutil.rmtree(cache)
    before = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "mlops", verb],
        cwd=clone,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(clone / "scripts"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return time.perf_counter() - before
