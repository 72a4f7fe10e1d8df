"""What `mlops plan` costs in a repository of thousands of models, for a change of one."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.generated import TEMPLATE, make
from benchmarks.table import Figure

MANY, FEW = 5_000, 50
GOAL = 1.0
RATIO = 1.2


def measure(*, small: bool) -> list[Figure]:
    """Wall seconds of `mlops plan --base HEAD~1`, side by side with a repository of one model."""
    count, clones, runs = (FEW, 1, 2) if small else (MANY, 5, 11)
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        folder = Path(name)
        for tool in ("fresh", "warm"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(TEMPLATE / "scripts/mlops", folder / tool / "mlops", ignore=ignored)
        make(folder / "many.git", count)
        make(folder / "one.git", 1)
        fresh = [_seconds(_clone(folder, "many")) for _ in range(clones)]
        many, one = _clone(folder, "many"), _clone(folder, "one")
        people = [(_seconds(many, warm=True), _seconds(one, warm=True)) for _ in range(runs)]
        jobs = [(_seconds(many, "--github"), _seconds(one, "--github")) for _ in range(runs)]
        size = f"{count} models, one changed"
        alone = f"; of one model {statistics.median(one for _, one in people):.2f}"
        return [
            _figure(f"mlops plan, fresh checkout without caches, {size}", fresh),
            _figure(f"mlops plan, warm, {size}", [many for many, _ in people], alone),
            _figure(f"mlops plan in a job (--github), {size}", [many for many, _ in jobs]),
            _ratio(f"mlops plan in a job (--github), {size}, against one model", jobs),
        ]


def _figure(what: str, seconds: Sequence[float], more: str = "") -> Figure:
    detail = f"median of {len(seconds)}; {min(seconds):.2f} to {max(seconds):.2f}{more}"
    return Figure(what, statistics.median(seconds), "s", GOAL, detail)


def _ratio(what: str, pairs: Sequence[tuple[float, float]]) -> Figure:
    """The medians of runs that took turns, one against the other."""
    many, one = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    detail = f"medians of {len(pairs)}, in turn: {many:.2f} and {one:.2f} s"
    return Figure(what, many / one, "times", RATIO, detail)


def _clone(folder: Path, which: str) -> Path:
    """A fresh checkout; the one before it is removed."""
    target = folder / which
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", f"{target}.git", str(target)], check=True)
    return target


def _seconds(clone: Path, *more: str, warm: bool = False) -> float:
    """One run of the tool's code; without its bytecode unless warm."""
    kept = {} if warm else {"PYTHONDONTWRITEBYTECODE": "1"}
    before = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "mlops", "plan", "--base", "HEAD~1", *more],
        cwd=clone,
        check=True,
        stdout=subprocess.DEVNULL,
        env={
            **os.environ,
            "PYTHONPATH": str(clone.parent / ("warm" if warm else "fresh")),
            **kept,
            "GITHUB_OUTPUT": str(clone.parent / "output"),
        },
    )
    return time.perf_counter() - before
