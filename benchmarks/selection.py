"""How much the choice of tests saves, and what it lets through: mutants of the project's code.

What was found of each mutant is kept in the stores, so that a run that was stopped goes on.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import mean

from benchmarks.copy import ROOT, Copy, copy_to
from benchmarks.mutants import Mutant, sample
from benchmarks.table import Figure
from mlops.checks.coverage_map import CoverageMap, find
from mlops.checks.reached import Unknown
from mlops.checks.recorded import build
from mlops.checks.selection import Limits, selected
from mlops.checks.tests import FEW
from mlops.errors import bad_input
from mlops.repository import Repository

# The limits and the order of the choice were found with the mutants of the seeds 1 to 3.
SEED = 4
WANTED = 50
SMALL = {
    "scripts/mlops/environments/markdown.py": "tests/environments/test_markdown.py",
    "scripts/mlops/digests.py": "tests/environments/test_parsing.py",
}
ALL = Limits(each=1_000_000, share=1)
# Starting pytest, and a machine that others use.
PATIENCE = 120.0
SLOWER = 10.0


@dataclass(frozen=True)
class Tried:
    """What became of a mutant.

    Attributes:
        outcome: `caught` by the tests chosen; `missed`: by others only; `survived` all;
            `unreached`: no test executes it; `everything`: the choice was all tests.
        share: of the recorded seconds of all tests, what the chosen ones take.
        tests: how many were chosen.
        seconds: that the run of the chosen ones took, to the first failure.
    """

    name: str
    outcome: str
    share: float
    tests: int
    seconds: float


def measure(*, small: bool) -> list[Figure]:
    """Time saved and mutants caught by the tests that are chosen for one-file changes."""
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder:
        copy = copy_to(Path(folder) / "copy")
        if small:
            known = _recorded(copy, Path(folder) / "recording")
            return figures(list(_all(copy, known, islice(sample(ROOT, SEED, tuple(SMALL)), 3))))
        return figures(list(run(copy, _shared(), SEED, WANTED)))


def run(copy: Copy, known: CoverageMap, seed: int, wanted: int) -> Iterator[Tried]:
    """Mutants of a seed, each told as it is tried, until `wanted` are killed."""
    head = Repository.at(copy.root).git.head()
    record = Repository.at(ROOT).stores / "benchmarks" / f"selection-{seed}-{head[:12]}.jsonl"
    record.parent.mkdir(parents=True, exist_ok=True)
    lines = record.read_text().splitlines() if record.exists() else []
    before = {line["name"]: Tried(**line) for line in map(json.loads, lines)}
    killed = 0
    for mutant in sample(copy.root, seed):
        tried = before.get(mutant.name) or attempt(copy, known, mutant)
        if mutant.name not in before:
            with record.open("a") as file:
                file.write(json.dumps(asdict(tried)) + "\n")
        yield tried
        killed += tried.outcome in ("caught", "missed")
        if killed >= wanted:
            return


def _all(copy: Copy, known: CoverageMap, mutants: Iterator[Mutant]) -> Iterator[Tried]:
    for mutant in mutants:
        yield attempt(copy, known, mutant)


def attempt(copy: Copy, known: CoverageMap, mutant: Mutant, limits: Limits | None = None) -> Tried:
    """Choose tests for a mutant and run them; when none fails, run all that reach it.

    Tests that do not reach what changed do what they did, and need not run again.
    """
    repo = Repository.at(copy.root)
    with _in_place(copy.root / mutant.path, mutant.text):
        try:
            before = repo.commit("HEAD")
            chosen, every = (
                _steady(known, selected(known, repo, before, [mutant.path], each).tests)
                for each in (limits, ALL)
            )
        except Unknown:
            return Tried(mutant.name, "everything", 1.0, len(known.tests), 0.0)
        share = _seconds(known, chosen) / known.total
        if not every:
            return Tried(mutant.name, "unreached", 0.0, 0, 0.0)
        start = time.perf_counter()
        failed = _fails(copy, known, chosen)
        seconds = time.perf_counter() - start
        rest = [test for test in every if test not in set(chosen)]
        outcome = "caught" if failed else "missed" if _fails(copy, known, rest) else "survived"
    return Tried(mutant.name, outcome, round(share, 4), len(chosen), round(seconds, 1))


@contextmanager
def _in_place(file: Path, text: str) -> Iterator[None]:
    before = file.read_text()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


def _steady(known: CoverageMap, tests: Sequence[str]) -> list[str]:
    """Without the tests that did not pass when there was no fault, quickest first."""
    seconds = dict(zip(known.tests, known.seconds, strict=True))
    unsure = {known.tests[number] for number in known.unsure}
    steady = [test for test in tests if test in seconds and test not in unsure]
    return sorted(steady, key=lambda test: seconds[test])


def _seconds(known: CoverageMap, tests: Sequence[str]) -> float:
    seconds = dict(zip(known.tests, known.seconds, strict=True))
    return sum(seconds[test] for test in tests)


def _fails(copy: Copy, known: CoverageMap, tests: Sequence[str]) -> bool:
    """Whether one of these tests fails, or they do not come to an end."""
    if not tests:
        return False
    limit = PATIENCE + SLOWER * _seconds(known, tests)
    workers = ("-n", "2", "--dist", "worksteal") if len(tests) > FEW else ()
    return copy.run("-m", "pytest", "-x", "--no-header", *workers, *tests, limit=limit) != 0


def _shared() -> CoverageMap:
    repo = Repository.at(ROOT)
    known = find(repo.git, repo.project.forge.remote)
    if known is None:
        raise bad_input("refs/mlops/tests", "is missing", "run scripts/test --record")
    return known


def _recorded(copy: Copy, folder: Path) -> CoverageMap:
    """The map of a few quick tests."""
    from mlops.checks.recording import record

    record(copy.root, folder, [*SMALL.values()])
    return build(copy.root, folder)


def figures(tried: Sequence[Tried]) -> list[Figure]:
    """Time saved, and caught, over the mutants that the full suite kills."""
    killed = [each for each in tried if each.outcome in ("caught", "missed")]
    caught = [each for each in killed if each.outcome == "caught"]
    return [
        Figure(
            what="test time saved by choosing tests, one-file changes",
            value=100 * (1 - mean(each.share for each in killed)) if killed else 0.0,
            unit="%",
            goal=90,
            detail=f"mean of {len(killed)} mutants; recorded seconds of the tests",
            bound="at least",
        ),
        Figure(
            what="mutants still caught by the tests chosen",
            value=100 * len(caught) / len(killed) if killed else 0.0,
            unit="%",
            goal=100,
            detail=_told(tried),
            bound="at least",
        ),
    ]


def _told(tried: Sequence[Tried]) -> str:
    """The mutants that got through, by name."""
    parts = []
    for outcome in ("missed", "survived", "unreached", "everything"):
        names = [each.name for each in tried if each.outcome == outcome]
        parts.append(f"{outcome}: {len(names)}" + (f" ({'; '.join(names)})" if names else ""))
    return ", ".join(parts)
