"""Which tests a changed file reaches, by what the tests were seen to execute and read."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from mlops.checks.changed_code import Difference, Piece, difference, pieces
from mlops.checks.coverage_map import CoverageMap
from mlops.repository import Layout

TEST_FOLDERS = ("tests", "models", "apps")
# Whatever depends on these depends on all of them.
DECIDE_ALL = ("pyproject.toml", "requirements/", "scripts/setup", "scripts/test")
CODE = ("scripts/", "tests/", "benchmarks/")
CONTENT = ("models/", "apps/", "data-contracts/")
_WORD = re.compile(r"\w+")


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


def file_of(test: str) -> str:
    """The file of a test: what its node id begins with."""
    return test.split("::", 1)[0]


def is_test_file(path: str) -> bool:
    """Whether pytest collects a file, by its place and name."""
    name = PurePosixPath(path).name
    top = path.startswith(tuple(f"{folder}/" for folder in TEST_FOLDERS))
    return top and name.startswith("test_") and name.endswith(".py") and "/fixtures/" not in path


class Reader:
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
        if is_test_file(path):
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
        return frozenset(number for number, test in tests if file_of(test) in files)

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


def _parameters(test: str) -> frozenset[str]:
    """The words of a test's parameters: `[dev-release]` has `dev` and `release`."""
    return frozenset(_WORD.findall(test.partition("[")[2].casefold()))
