"""Lineage: what a question costs among many runs, and what recording costs a step."""

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from benchmarks.table import Figure
from mlops import digests
from mlops.lineage import told
from mlops.lineage.kept import Kept
from mlops.lineage.step import recording
from mlops.lineage.told import Thing
from mlops.repository import Repository

RUNS, SMALL = 20_000, 200
"""Runs in the stores: a month of a large platform, see docs/figures.md."""
FILES = 200
"""Files of the work tree that a recorded step reads, far more than any here."""
WITHIN, ADDED = 5.0, 100.0


def measure(*, small: bool) -> list[Figure]:
    """Seconds of `mlops data lineage` as a process; milliseconds that recording adds."""
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder:
        repo = _clone(Path(folder))
        added = _added(repo, 3 if small else 21)
        runs = SMALL if small else RUNS
        last = _runs(repo, runs)
        size = sum(file.stat().st_size for file in Kept(repo.stores).files())
        seconds = [_asked(repo, last) for _ in range(1 if small else 5)]
    return [
        Figure(
            what=f"lineage of a model among {runs:,} runs",
            value=max(seconds),
            unit="s",
            goal=WITHIN,
            detail=f"slowest of {len(seconds)}, a process each; {size / 1e6:.0f} MB of events",
        ),
        Figure(
            what=f"what recording adds to a step that reads {FILES} files",
            value=added,
            unit="ms",
            goal=ADDED,
            detail="median with less median without; both events written and synced",
        ),
    ]


def _clone(folder: Path) -> Repository:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)

    (folder / "mlops.toml").write_text(
        '[project]\nname = "many"\n[environments]\norder = ["dev"]\n', encoding="utf-8"
    )
    (folder / ".gitignore").write_text(".mlops/\n", encoding="utf-8")
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"{number}\n" * 500, encoding="utf-8")
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.com")
    git(*who, "commit", "--quiet", "--message", "Start")
    return Repository.at(folder)


def _added(repo: Repository, times: int) -> float:
    """Milliseconds, the two kinds in turn."""
    with_, without = [], []
    for _ in range(times):
        without.append(_work(repo, recorded=False))
        with_.append(_work(repo, recorded=True))
    return 1e3 * (statistics.median(with_) - statistics.median(without))


def _work(repo: Repository, *, recorded: bool) -> float:
    started = time.perf_counter()
    with recording(repo, "work", "x") if recorded else nullcontext():
        for number in range(FILES):
            repo.tree.read(f"{number}.txt")
    return time.perf_counter() - started


def _runs(repo: Repository, count: int) -> str:
    """Runs of many models, each trained on the next version of its rows; the last one's digest."""
    models = max(1, count // 40)
    made = ""
    for number in range(count // 2):
        name = f"m{number % models}"
        rows, older = (digests.of_json([name, number - back]) for back in (0, models))
        made = digests.of_json(["model", number])
        with recording(repo, "data.ingest", name):
            told.read("older", older, Thing("dataset", name))
            told.wrote("rows", rows, Thing("dataset", name))
        with recording(repo, "train", name):
            told.read("rows", rows, Thing("dataset", name))
            told.wrote("model", made, Thing("model", name, label=str(number + 1)))
    return made


def _asked(repo: Repository, thing: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "mlops", "data", "lineage", thing, "--json"]
    done = subprocess.run(command, cwd=repo.root, check=True, capture_output=True)
    seconds = time.perf_counter() - started
    if b'"train.' not in done.stdout:
        raise RuntimeError(done.stdout.decode())
    return seconds
