"""Which of the tests that a change reaches are run for it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from mlops import digests
from mlops.checks.coverage_map import CoverageMap, find
from mlops.checks.reached import (
    CONTENT,
    TEST_FOLDERS,
    Reach,
    Reader,
    Unknown,
    file_of,
    is_test_file,
)
from mlops.repository import Layout, Repository


@dataclass(frozen=True)
class Limits:
    """How sparing the choice among the tests of changed code is.

    Attributes:
        each: at least so many of the quickest tests for each changed piece.
        share: more of them, nearest and quickest first, up to this share of the seconds of all.
    """

    each: int = 3
    share: float = 0.09


@dataclass(frozen=True)
class Selection:
    """Tests as pytest takes them (node ids, files, folders); `reason` says why these."""

    tests: tuple[str, ...]
    reason: str
    everything: bool = False


def select(repo: Repository, base: str, changed: Sequence[str]) -> Selection:
    """The tests to run for a change of `changed` since the commit `base`.

    Slow tests that reach everything are left out where quicker ones reach the change, too;
    the nightly run of all tests is what they are for. Without a map, and where the map does
    not know, it is all tests; those of the tool not for a change of models, services and data
    alone, which have tests of their own.
    """
    folders = tuple(folder for folder in TEST_FOLDERS if (repo.root / folder).is_dir())
    code = sorted(path for path in set(changed) if _decides(path))
    if not folders or not code:
        return Selection((), "nothing that tests execute or read has changed")
    known = find(repo.git, repo.project.forge.remote)
    if known is None:
        reason = "it is not recorded which tests a change reaches"
        if all(path.startswith(CONTENT) for path in code):
            return Selection((), f"{reason}: those of the affected models and services")
        return Selection(folders, reason, everything=True)
    try:
        return selected(known, repo, repo.commit(base), code)
    except Unknown as unknown:
        return Selection(folders, f"{unknown}: all tests", everything=True)


def selected(
    known: CoverageMap,
    repo: Repository,
    before: Layout,
    changed: Sequence[str],
    limits: Limits | None = None,
) -> Selection:
    """The tests that a map gives for a change of these files.

    Raises:
        Unknown: when the map cannot tell.
    """
    limits = limits or Limits()
    reader = Reader(known, repo.root, before)
    files = set(_test_files(known, repo.root, changed))
    reaches = [reach for path in changed for reach in reader.reaches(path)]
    numbers = _choose(known, reaches, limits)
    tests = [known.tests[number] for number in numbers]
    left = [test for test in tests if file_of(test) not in files and _is_there(repo.root, test)]
    reason = _reason(known, numbers, reaches, files)
    return Selection((*sorted(files), *left), reason)


def _decides(path: str) -> bool:
    """Whether a test may depend on a file: what serves and what is written for people does not."""
    return not path.startswith("environments/") and not path.endswith(".md")


def _is_there(root: Path, test: str) -> bool:
    return (root / file_of(test)).is_file()


def _test_files(known: CoverageMap, root: Path, changed: Sequence[str]) -> Iterator[str]:
    """Test files that changed, and those that the map saw otherwise or not at all."""
    for path in changed:
        if is_test_file(path) and (root / path).is_file():
            yield path
    for folder in TEST_FOLDERS:
        for file in sorted((root / folder).rglob("test_*.py")):
            path = file.relative_to(root).as_posix()
            if is_test_file(path) and known.test_files.get(path) != digests.of_file(file):
                yield path


def _choose(known: CoverageMap, reaches: Sequence[Reach], limits: Limits) -> list[int]:
    """Numbers of the tests to run, in the map's order."""
    chosen: set[int] = set()
    for reach in reaches:
        quickest = sorted(reach.direct or reach.tests, key=lambda test: known.seconds[test])
        chosen |= reach.tests if reach.all_of_them else set(quickest[: limits.each])
    left = limits.share * known.total - sum(known.seconds[test] for test in chosen)
    open_ended = [reach for reach in reaches if not (reach.all_of_them or reach.few)]
    queues = [_ordered(known, reach) for reach in open_ended]
    for test in _in_turn(queues):
        if test not in chosen and known.seconds[test] <= left:
            left -= known.seconds[test]
            chosen.add(test)
    # What the map saw only in part runs in any case, and takes no other test's place.
    return sorted(chosen.union(known.unsure) if reaches else chosen)


def _ordered(known: CoverageMap, reach: Reach) -> list[int]:
    """The tests of a piece: the nearest first, then the quickest, not all of one file."""
    quickest = sorted(reach.tests, key=lambda test: known.seconds[test])
    before: Counter[str] = Counter()
    costs = {}
    for test in quickest:
        before[file_of(known.tests[test])] += 1
        costs[test] = known.seconds[test] * before[file_of(known.tests[test])]
    return sorted(
        quickest,
        key=lambda test: (
            test not in reach.cases,
            test not in reach.direct,
            test not in reach.near,
            costs[test],
        ),
    )


def _in_turn(queues: Sequence[list[int]]) -> Iterator[int]:
    """One of each queue, and again."""
    for tests in zip_longest(*queues):
        yield from (test for test in tests if test is not None)


def _reason(
    known: CoverageMap, numbers: Sequence[int], reaches: Sequence[Reach], files: set[str]
) -> str:
    seconds = sum(known.seconds[number] for number in numbers)
    unreached = [reach.what for reach in reaches if not reach.tests]
    text = (
        f"{len(numbers)} of {len(known.tests)} tests reach what changed "
        f"({seconds:.0f} of {known.total:.0f} s when recorded)"
    )
    if files:
        text += f", with {len(files)} changed or new test files"
    return f"{text}; no test reaches {', '.join(unreached)}" if unreached else text
