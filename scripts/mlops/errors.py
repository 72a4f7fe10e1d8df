"""The one error form, `path: what is wrong; how to fix it`, and the exit codes."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every `mlops` command."""

    DONE = 0
    NOT_GOOD = 1
    """The thing checked is not good: a gate failed, a contract broke."""
    BAD_INPUT = 2
    """The call or the files are wrong."""
    UNEXPECTED = 3
    INTERRUPTED = 130


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong: where (a path, a branch, a name), what, and the way out."""

    path: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}; {self.fix}"


class Note(str):
    """What could not be looked at, and why; nothing is lacking for it."""

    __slots__ = ()


class MlopsError(Exception):
    """Problems that end a command; `code` is the exit code."""

    code: Exit = Exit.UNEXPECTED

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class BadInput(MlopsError):
    """The call or the files are wrong (exit code 2)."""

    code = Exit.BAD_INPUT


class NotHere(BadInput):
    """What would have to be looked at is not here, or may not be read: nothing is said of it."""


class NotGood(MlopsError):
    """What was checked is not good (exit code 1)."""

    code = Exit.NOT_GOOD


def bad_input(path: object, what: str, fix: str) -> BadInput:
    """A `BadInput` of one problem, ready to raise."""
    return BadInput(Problem(str(path), what, fix))


def not_good(path: object, what: str, fix: str) -> NotGood:
    """A `NotGood` of one problem, ready to raise."""
    return NotGood(Problem(str(path), what, fix))
