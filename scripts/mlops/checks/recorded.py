"""The map of what tests reach, made from what a recorded run left behind."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import DataError

from mlops import digests
from mlops.checks.coverage_map import CoverageMap, Source
from mlops.errors import bad_input

FIXTURE = "fixture|"
SOURCES = ("scripts/", "tests/", "benchmarks/")
LEFT_OUT = (".git/", ".venv/", ".mlops/", ".demo/", ".hypothesis/", ".mypy_cache/", ".ruff_cache/")


def build(root: Path, folder: Path) -> CoverageMap:
    """The map of a recording in `folder`, of the tests of `root`.

    Raises:
        BadInput: when nothing was recorded.
    """
    seconds, unsure, fixtures = _told(folder)
    if not seconds:
        raise bad_input(folder.name, "holds no test", "run scripts/test --record")
    tests = sorted(seconds)
    users = _users(tests, fixtures)
    sets = _Sets(users)
    executed = _executed(root, folder)
    sources = {
        path: Source(
            text=(root / path).read_text(),
            lines={
                line: sets.number(names) for line, names in sorted(executed.get(path, {}).items())
            },
        )
        for path in _sources(root)
    }
    read = {path: sets.number(names) for path, names in sorted(_read(root, folder).items())}
    return CoverageMap(
        tests=tuple(tests),
        seconds=tuple(round(seconds[test], 3) for test in tests),
        unsure=tuple(number for number, test in enumerate(tests) if test in unsure),
        sources=sources,
        read=read,
        sets=tuple(sets.found),
        test_files={
            path: digests.of_file(root / path)
            for path in sorted({test.split("::")[0] for test in tests})
        },
    )


class _Sets:
    """Sets of tests, each kept once: most lines are reached by the tests of their neighbours."""

    def __init__(self, users: Mapping[str, frozenset[int]]) -> None:
        self._users = users
        self._numbers: dict[tuple[int, ...], int] = {}

    @property
    def found(self) -> Iterable[tuple[int, ...]]:
        return self._numbers

    def number(self, names: Iterable[str]) -> int:
        """The number of the set of all tests behind these labels."""
        found: set[int] = set()
        for name in names:
            found |= self._users.get(name, frozenset())
        return self._numbers.setdefault(tuple(sorted(found)), len(self._numbers))


def _told(folder: Path) -> tuple[dict[str, float], set[str], dict[str, list[str]]]:
    """Seconds of each test; those that no run saw pass, so not whole; fixtures of each."""
    seconds: dict[str, float] = {}
    passed: set[str] = set()
    fixtures: dict[str, list[str]] = {}
    for file in folder.glob("tests-*.json"):
        told = json.loads(file.read_text())
        seconds |= told["seconds"]
        passed |= set(told["seconds"]).difference(told["unsure"])
        fixtures |= told["fixtures"]
    return seconds, set(seconds) - passed, fixtures


def _users(tests: list[str], fixtures: Mapping[str, list[str]]) -> dict[str, frozenset[int]]:
    """Label (a test, or a fixture that tests share) to the tests it stands for."""
    users: dict[str, set[int]] = defaultdict(set)
    for number, test in enumerate(tests):
        for label in (test, *fixtures.get(test, ())):
            users[label].add(number)
    return {label: frozenset(numbers) for label, numbers in users.items()}


def _executed(root: Path, folder: Path) -> dict[str, dict[int, set[str]]]:
    """Path of a source, to its lines, to the labels that executed them."""
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, lines in _measured(folder):
        path = _source(root, name)
        for line, labels in lines.items() if path else ():
            found[path][line].update(filter(None, labels))
    return {
        path: {line: names for line, names in lines.items() if names}
        for path, lines in found.items()
    }


def _sources(root: Path) -> list[str]:
    """All of the project's own modules and tests, executed or not."""
    files = (file for top in SOURCES for file in (root / top).rglob("*.py"))
    paths = (file.relative_to(root).as_posix() for file in files)
    return sorted(path for path in paths if "/fixtures/" not in path)


def _source(root: Path, name: str) -> str:
    """The path in the repository of a file that was run; "" for files of others.

    Bentos and clones hold copies of the package: what runs a copy runs the original.
    """
    inside = name.removeprefix(f"{root}/")
    if inside == name:
        inside = "scripts/mlops/" + name.rpartition("/mlops/")[2]
    own = inside.startswith(SOURCES) and "/fixtures/" not in inside
    return inside if own and (root / inside).is_file() else ""


def _measured(folder: Path) -> Iterator[tuple[str, dict[int, list[str]]]]:
    for file in sorted(folder.glob("data.*")):
        data = CoverageData(str(file))
        # A process that was killed while it wrote leaves a broken file: tests kill some.
        with suppress(DataError):
            data.read()
            for name in data.measured_files():
                yield name, data.contexts_by_lineno(name)


def _read(root: Path, folder: Path) -> dict[str, set[str]]:
    """File or folder, to the labels that opened or listed it."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in folder.glob("read-*.json"):
        for label, path in json.loads(file.read_text()):
            if label and not path.startswith(LEFT_OUT) and "__pycache__" not in path:
                found[path].add(label)
    # Names relative to an open folder look as if they lay in the root.
    return {path: names for path, names in found.items() if (root / path).exists()}
