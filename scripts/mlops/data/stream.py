"""A stream of records, JSON Lines, each line held to a contract as it comes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from mlops.data.contract import Contract
from mlops.data.raw import LONGEST_LINE
from mlops.data.records import Checker, Verdict
from mlops.errors import Problem

NO_RECORD = 'send one object of JSON a line: {"column": value, ...}'


@dataclass(frozen=True)
class Line:
    """What was found of one line.

    Attributes:
        number: of the line, from 1.
        verdict: on its record; None when it holds none.
        unreadable: why it holds none.
    """

    number: int
    verdict: Verdict | None = None
    unreadable: str = ""

    @property
    def passed(self) -> bool:
        """Whether it holds a record that nothing stops."""
        return self.verdict is not None and self.verdict.passed

    @property
    def warned(self) -> bool:
        """Whether its record breaks rules of severity warning alone."""
        return self.verdict is not None and self.verdict.passed and bool(self.verdict.broken)

    def as_json(self, contract: Contract) -> dict[str, Any]:
        """For machines: `line`, `passed`, and `problems` when there are any."""
        problems = [
            {"path": each.path, "what": each.what, "fix": each.fix, "severity": severity}
            for each, severity in self._problems(contract)
        ]
        found: dict[str, Any] = {"line": self.number, "passed": self.passed}
        return {**found, "problems": problems} if problems else found

    def _problems(self, contract: Contract) -> Iterator[tuple[Problem, str]]:
        subject = f"line {self.number}"
        if self.verdict is None:
            yield Problem(subject, self.unreadable, NO_RECORD), "error"
            return
        for broken in self.verdict.broken:
            yield broken.problem(subject, contract), broken.rule.severity


def judged(checker: Checker, stream: BinaryIO) -> Iterator[Line]:
    """A verdict for each line that is not blank, as soon as the line has come.

    No more than one line of `LONGEST_LINE` bytes is held; of a longer one the rest is passed over.
    """
    for number, line in _lines(stream):
        if line is None:
            yield Line(number, unreadable=f"is longer than {LONGEST_LINE:,} bytes")
        elif line.strip():
            yield _judged(checker, number, line)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None stands for one that is too long."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        too_long = len(line) > LONGEST_LINE
        while too_long and line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)
        yield number, None if too_long else line


def _judged(checker: Checker, number: int, line: bytes) -> Line:
    try:
        record = json.loads(line, object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        return Line(number, unreadable=f"is not UTF-8 text (byte 0x{line[error.start]:02x})")
    except json.JSONDecodeError as error:
        return Line(number, unreadable=f"is not JSON ({error.msg}, character {error.pos + 1})")
    except (ValueError, RecursionError) as error:
        return Line(number, unreadable=f"is not JSON ({error})")
    if not isinstance(record, dict):
        return Line(number, unreadable="is JSON, and no object")
    if b"\\u" in line and _holds_half_a_character(record):
        return Line(number, unreadable="is not JSON of text (it has half of a character, \\ud...)")
    return Line(number, checker.verdict(record))


def _holds_half_a_character(record: dict[str, Any]) -> bool:
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that has each key once: of two values, which is meant cannot be told."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has the key {twice!r} more than once")
    return found


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")
