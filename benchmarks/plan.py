"""What a plan and its checks cost in a repository of thousands of models, for a change of one."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.generated import TEMPLATE, dataset_of, make, name_of
from benchmarks.table import Figure

MANY, FEW = 5_000, 50
GOAL = 1.0
RATIO = 1.2


def measure(*, small: bool) -> list[Figure]:
    """Wall seconds for a change of one model, side by side with a repository of one model."""
    count, clones, runs, changes = (FEW, 1, 2, 1) if small else (MANY, 5, 11, 3)
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        folder = Path(name)
        for tool in ("fresh", "warm"):
            _git(folder, "clone", "--quiet", str(TEMPLATE), tool)
        make(folder / "many.git", count)
        make(folder / "one.git", 1)
        fresh = [_plan(_clone(folder, "many")) for _ in range(clones)]
        many, one = _clone(folder, "many"), _clone(folder, "one")
        people = [(_plan(many, warm=True), _plan(one, warm=True)) for _ in range(runs)]
        jobs = [(_plan(many, "--github"), _plan(one, "--github")) for _ in range(runs)]
        _pin(many)
        _pin(one)
        checks = [(_check(many, run), _check(one, run)) for run in range(changes)]
    size = f"{count} models, one changed"
    alone = f"; of one model {statistics.median(one for _, one in people):.2f}"
    return [
        _figure(f"mlops plan, fresh checkout without caches, {size}", fresh),
        _figure(f"mlops plan, warm, {size}", [many for many, _ in people], alone),
        _figure(f"mlops plan in a job (--github), {size}", [many for many, _ in jobs]),
        _ratio(f"mlops plan in a job (--github), {size}, against one model", jobs),
        _ratio(f"mlops check, {size}, against one model", checks),
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
    """A fresh checkout with stores of its own beside it; the one before it is removed."""
    target = folder / which / "team"
    shutil.rmtree(target.parent, ignore_errors=True)
    _git(folder, "clone", "--quiet", f"{which}.git", str(target))
    return target


def _pin(clone: Path) -> None:
    """Ingest the data of the first model, and commit the pin."""
    dataset = dataset_of(0)
    raw = sorted(str(file) for file in (clone / f"data-contracts/{dataset}/raw").iterdir())
    _mlops(clone, "data", "ingest", dataset, *raw, warm=True)
    _commit(clone, "Pin")


def _check(clone: Path, run: int) -> float:
    """Seconds of the whole verdict on a change of the model that was not trained before."""
    spec = clone / "models" / name_of(0) / "model.yaml"
    spec.write_text(re.sub(r"rounds: \d+", f"rounds: {60 + run}", spec.read_text()))
    _commit(clone, "Change")
    return _mlops(clone, "check", "--base", "HEAD~1", warm=True)


def _commit(clone: Path, message: str) -> None:
    _git(clone, "add", "--all")
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.com")
    _git(clone, *who, "commit", "--quiet", "--message", message)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


def _plan(clone: Path, *more: str, warm: bool = False) -> float:
    return _mlops(clone, "plan", "--base", "HEAD~1", *more, warm=warm)


def _mlops(clone: Path, *words: str, warm: bool) -> float:
    """Seconds of one run of the tool's code; without its bytecode unless warm."""
    folder = clone.parent.parent
    kept = {} if warm else {"PYTHONDONTWRITEBYTECODE": "1"}
    before = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "mlops", *words],
        cwd=clone,
        check=True,
        stdout=subprocess.DEVNULL,
        env={
            **os.environ,
            "PYTHONPATH": str(folder / ("warm" if warm else "fresh") / "scripts"),
            "GITHUB_OUTPUT": str(folder / "output"),
            **kept,
        },
    )
    return time.perf_counter() - before
