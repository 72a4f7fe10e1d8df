"""What a part of the checks found, as the result it hands over."""

from collections.abc import Iterable, Sequence
from typing import Any

from mlops.checks.context import Context
from mlops.environments.parsing import FILES_ARE_TEXT, FILES_CAN_BE_READ
from mlops.errors import Problem
from mlops.specs.evidence import GateResult
from mlops.specs.result import Outcome, Result, Told

MOST = 500
"""Problems told of one share; the rest is counted."""
LONGEST = 2_000
"""Characters of one text."""


def result(
    context: Context,
    summary: str,
    problems: Sequence[Problem] = (),
    *,
    outcome: Outcome | None = None,
    checks: Iterable[GateResult] = (),
    **parts: Any,
) -> Result:
    """The result of a share; without `outcome` it is good when there is no problem.

    Args:
        context: the change and the share.
        summary: one line.
        problems: all that is wrong; beyond `MOST` they are counted.
        outcome: the verdict, when problems alone do not say it.
        checks: what was looked at, one by one.
        parts: other fields of `Result`.
    """
    each = list(dict.fromkeys(problems))
    return Result(
        part=context.share.part,
        shard=context.share.shard,
        of=context.share.of,
        base=context.base,
        head=context.head,
        outcome=outcome or ("not good" if problems else "good"),
        summary=cut(summary),
        seconds=0.0,
        checks=tuple(checks),
        problems=told(each[:MOST]),
        more=max(0, len(each) - MOST),
        **parts,
    )


def told(problems: Sequence[Problem]) -> tuple[Told, ...]:
    """Problems as they stand in a result, none too long."""
    return tuple(Told(path=cut(p.path), what=cut(p.what), fix=cut(p.fix)) for p in problems)


def unreadable(results: Iterable[Result]) -> bool:
    """Whether a file is not what has to be there: then the input is bad, not only its content."""
    gates = (FILES_CAN_BE_READ, FILES_ARE_TEXT)
    return any(one.gate in gates and not one.passed for each in results for one in each.checks)


def cut(text: str) -> str:
    """A text that fits into a result."""
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
