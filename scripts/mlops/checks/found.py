"""What a part of the checks found, as the result it hands over."""

from collections.abc import Iterable, Sequence
from typing import Any

from mlops.checks.context import Context
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
        problems=told(problems),
        **parts,
    )


def told(problems: Sequence[Problem]) -> tuple[Told, ...]:
    """Problems as they stand in a result: each once, none too long, not too many."""
    each = list(dict.fromkeys(problems))
    kept = [Told(path=cut(p.path), what=cut(p.what), fix=cut(p.fix)) for p in each[:MOST]]
    if len(each) > MOST:
        more = f"{len(each) - MOST} more problems are not listed"
        kept.append(Told(path="...", what=more, fix="correct these first, then check again"))
    return tuple(kept)


def cut(text: str) -> str:
    """A text that fits into a result."""
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
