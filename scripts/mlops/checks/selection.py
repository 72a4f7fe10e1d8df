"""Which tests a change needs, by what the tests were seen to execute and read."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from mlops import digests
from mlops.checks.changed_code import Difference, Piece, difference, pieces
from mlops.checks.coverage_map import CoverageMap, find
from mlops.repository import Layout, Repository

TEST_FOLDERS = ("tests", "models", "apps")
# Whatever depends on these depends on all of them.
DECIDE_ALL = ("pyproject.toml", "requirements/", "scripts/setup", "scripts/test")
CODE = ("scripts/", "tests/", "benchmarks/")
CONTENT = ("models/", "apps/", "data-contracts/")
_WORD = re.compile(r"\w+")


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


@dataclass(frozen=True)
class Reach:
    """A changed piece and the tests, by number in the map, that reach it.

    Attributes:
        what: the file, and what of it.
        tests: any of them may tell.
        direct: those of them that execute the changed lines, or call what mentions the name.
        near: the tests that are written for this module.
        cases: the tests with a parameter that is called as the module or what changed of it.
        all_of_them: whether each of them is wanted, not some.
        few: whether the quickest few are enough.
    """

    what: str
    tests: frozenset[int]
    direct: frozenset[int] = frozenset()
    near: frozenset[int] = frozenset()
    cases: frozenset[int] = frozenset()
    all_of_them: bool = False
    few: bool = False


class Unknown(Exception):
    """Nobody knows which tests depend on this."""


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
    reader = _Reader(known, repo.root, before)
    files = set(_test_files(known, repo.root, changed))
    reaches = [reach for path in changed for reach in reader.reaches(path)]
    numbers = _choose(known, reaches, limits)
    tests = [known.tests[number] for number in numbers]
    left = [test for test in tests if _file(test) not in files and _is_there(repo.root, test)]
    reason = _reason(known, numbers, reaches, files)
    return Selection((*sorted(files), *left), reason)


def _decides(path: str) -> bool:
    """Whether a test may depend on a file: what serves and what is written for people does not."""
    return not path.startswith("environments/") and not path.endswith(".md")


def _file(test: str) -> str:
    return test.split("::", 1)[0]


def _parameters(test: str) -> frozenset[str]:
    """The words of a test's parameters: `[dev-release]` has `dev` and `release`."""
    return frozenset(_WORD.findall(test.partition("[")[2].casefold()))


def _is_there(root: Path, test: str) -> bool:
    return (root / _file(test)).is_file()


def _is_test_file(path: str) -> bool:
    name = PurePosixPath(path).name
    top = path.startswith(tuple(f"{folder}/" for folder in TEST_FOLDERS))
    return top and name.startswith("test_") and name.endswith(".py") and "/fixtures/" not in path


def _test_files(known: CoverageMap, root: Path, changed: Sequence[str]) -> Iterator[str]:
    """Test files that changed, and those that the map saw otherwise or not at all."""
    for path in changed:
        if _is_test_file(path) and (root / path).is_file():
            yield path
    for folder in TEST_FOLDERS:
        for file in sorted((root / folder).rglob("test_*.py")):
            path = file.relative_to(root).as_posix()
            if _is_test_file(path) and known.test_files.get(path) != digests.of_file(file):
                yield path


class _Reader:
    """What changed files reach."""

    def __init__(self, known: CoverageMap, root: Path, before: Layout) -> None:
        self._known = known
        self._root = root
        self._before = before

    def reaches(self, path: str) -> list[Reach]:
        """The pieces of a changed file with the tests that reach them.

        Raises:
            Unknown: when the map cannot tell.
        """
        if path.startswith(DECIDE_ALL):
            raise Unknown(f"{path} decides for all")
        if _is_test_file(path):
            return []
        name = PurePosixPath(path).name
        if name == "conftest.py":
            below = f"{PurePosixPath(path).parent.as_posix()}/"
            return [Reach(path, self._numbers(below), all_of_them=True)]
        if path.startswith(CODE) and "/fixtures/" not in path:
            return list(self._code(path)) if name.endswith(".py") else self._data(path)
        return self._data(path)

    def _numbers(self, below: str) -> frozenset[int]:
        tests = enumerate(self._known.tests)
        return frozenset(number for number, test in tests if test.startswith(below))

    def _data(self, path: str) -> list[Reach]:
        """A file that is read: by itself, else (a new one) by the folder it is found in.

        The content of a fork has tests of its own, those of the tool see an example in it.
        """
        fixture, content = path.startswith("tests/"), path.startswith(CONTENT)
        if path in self._known.read:
            tests = self._known.reading(path)
            return [Reach(path, tests, all_of_them=fixture, few=content)]
        if path.startswith("scripts/"):
            raise Unknown(f"nobody was seen reading {path}")
        folders = (folder.as_posix() for folder in PurePosixPath(path).parents)
        listed = next((folder for folder in folders if folder in self._known.read), "")
        if not listed:
            return []
        return [Reach(path, self._known.reading(listed), all_of_them=fixture, few=content)]

    def _code(self, path: str) -> Iterator[Reach]:
        source = self._known.sources.get(path)
        file = self._root / path
        if source is None:
            if self._before.tree.read(path) is not None:
                raise Unknown(f"no test was seen executing {path}")
            return  # a new file: it is reached by what changed to use it, and by its own tests
        try:
            found = difference(source.text, file.read_text() if file.is_file() else "")
        except (SyntaxError, ValueError) as error:
            raise Unknown(f"{path} is not Python") from error
        yield from self._reached(path, found)

    def _reached(self, path: str, found: Difference) -> Iterator[Reach]:
        helper = path.startswith("tests/")
        near = self._written_for(path)
        for name, lines in found.lines.items():
            tests = self._executing(path, lines) or self._of_function(path, name)
            cases = tests & self._cases_of(path, frozenset({name}))
            yield Reach(f"{path} {name}", tests or near, tests, near, cases, all_of_them=helper)
        for name, names in found.names.items():
            direct = self._mentioning(names)
            tests = direct | self._of_module(path) | self._mentioning(self._made_of(names))
            cases = tests & self._cases_of(path, names)
            yield Reach(f"{path} {name}", tests or near, direct, near, cases, all_of_them=helper)

    def _executing(self, path: str, lines: Iterable[int]) -> frozenset[int]:
        return frozenset().union(*(self._known.executing(path, line) for line in lines))

    def _of_function(self, path: str, name: str) -> frozenset[int]:
        return frozenset().union(
            *(self._called(path, piece) for piece in self._pieces[path] if piece.name == name)
        )

    def _called(self, path: str, piece: Piece) -> frozenset[int]:
        return self._executing(path, range(piece.body, piece.last + 1))

    @cached_property
    def _pieces(self) -> dict[str, list[Piece]]:
        return {path: pieces(source.text) for path, source in self._known.sources.items()}

    def _of_module(self, path: str) -> frozenset[int]:
        """The tests that call any function of a file."""
        return frozenset().union(
            *(self._called(path, piece) for piece in self._pieces[path] if piece.function)
        )

    def _mentioning(self, names: frozenset[str]) -> frozenset[int]:
        """The tests that call functions which mention one of the names."""
        return frozenset().union(
            *(
                self._called(path, piece)
                for path, parts in self._pieces.items()
                for piece in parts
                if piece.function and piece.uses & names
            )
        )

    def _made_of(self, names: frozenset[str]) -> frozenset[str]:
        """The names, and those bound on import by statements that mention them, and so on."""
        on_import = [
            piece for parts in self._pieces.values() for piece in parts if not piece.function
        ]
        while True:
            more = names.union(*(each.binds for each in on_import if each.uses & names))
            if more == names:
                return names
            names = more

    def _written_for(self, path: str) -> frozenset[int]:
        """Tests of the file that mirrors a module, and of those that import it by name."""
        module = path.removeprefix("scripts/").removesuffix(".py").removesuffix("/__init__")
        dotted = module.replace("/", ".")
        place = PurePosixPath(module.removeprefix("mlops/"))
        mirror = f"tests/{place.parent / ('test_' + place.name)}.py".replace("/./", "/")
        files = {
            file
            for file in self._known.test_files
            if file == mirror or self._mentions(file, dotted)
        }
        tests = enumerate(self._known.tests)
        return frozenset(number for number, test in tests if _file(test) in files)

    def _cases_of(self, path: str, names: frozenset[str]) -> frozenset[int]:
        """Tests with a parameter in their id that is the module's name or one of its names."""
        wanted = {PurePosixPath(path).stem.casefold(), *(name.casefold() for name in names)}
        return frozenset(number for number, words in self._parameters if wanted & words)

    @cached_property
    def _parameters(self) -> list[tuple[int, frozenset[str]]]:
        """The words of the parameters of each test that has some."""
        given = ((number, _parameters(test)) for number, test in enumerate(self._known.tests))
        return [(number, words) for number, words in given if words]

    def _mentions(self, file: str, dotted: str) -> bool:
        source = self._known.sources.get(file)
        return source is not None and dotted in source.text


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
        before[_file(known.tests[test])] += 1
        costs[test] = known.seconds[test] * before[_file(known.tests[test])]
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
