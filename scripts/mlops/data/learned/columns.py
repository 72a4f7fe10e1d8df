"""The columns that are looked at: a table's own, and those that follow from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from mlops.data.contract import Column, Table
from mlops.data.learned.model import Fit
from mlops.data.rules import quoted

Sort = Literal["number", "moment", "text"]
SORTS: dict[str, Sort] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "number",
    "timestamp": "moment",
    "date": "moment",
}
SQL_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "TIMESTAMP",
}
WEEK_HOUR, HOUR_SECOND = "hour of the week of", "second of the hour of"


@dataclass(frozen=True)
class Looked:
    """A column that is looked at.

    Attributes:
        sql: how it follows from the table's own columns.
        own: whether the table has it.
        listed: whether the contract lists its values: what comes is its matter.
    """

    name: str
    sort: Sort
    sql: str
    own: bool = True
    listed: bool = False


def own_columns(table: Table, there: Sequence[str]) -> tuple[Looked, ...]:
    """The table's columns in the contract's types; null: not there, or not readable."""
    return tuple(_own(column, column.name in there) for column in table.properties)


def _own(column: Column, there: bool) -> Looked:
    kind = SQL_TYPES[column.logical_type]
    sql = f"try_cast({quoted(column.name)} AS {kind})" if there else f"CAST(NULL AS {kind})"
    if kind == "BOOLEAN":
        sql = f"CAST({sql} AS BIGINT)"
    if kind == "DOUBLE":
        sql = f"CASE WHEN isfinite({sql}) THEN {sql} END"
    listed = any("validValues" in each.arguments for each in column.quality)
    return Looked(column.name, SORTS[column.logical_type], sql, listed=listed)


def moment_columns(own: Sequence[Looked], moment: str) -> Iterator[Looked]:
    """Parts of the moment, and the hours from one moment to another."""
    at = quoted(moment)
    week_hour = f"CAST(dayofweek({at}) * 24 + hour({at}) AS BIGINT)"
    yield Looked(f"{WEEK_HOUR} {moment}", "number", week_hour, own=False)
    seconds = f"CAST(minute({at}) * 60 + second({at}) AS BIGINT)"
    yield Looked(f"{HOUR_SECOND} {moment}", "number", seconds, own=False)
    moments = [each.name for each in own if each.sort == "moment"]
    for one, other in combinations(moments, 2):
        span = f"(epoch({quoted(other)}) - epoch({quoted(one)})) / 3600"
        yield Looked(f"hours from {one} to {other}", "number", span, own=False)


def fit_columns(fits: Sequence[Fit]) -> Iterator[Looked]:
    """How far numbers are from what follows from others."""
    for fit in fits:
        parts = (f"{w!r} * {quoted(name)}" for w, name in zip(fit.weights, fit.by, strict=True))
        expected = f"({fit.constant!r} + {' + '.join(parts)})"
        given = quoted(fit.column)
        if fit.ratio_from is None:
            sql, called = f"round({given} - {expected}, 6)", "less what follows from"
        else:
            sql = f"CASE WHEN {expected} >= {fit.ratio_from!r} THEN {given} / {expected} END"
            called = "over what follows from"
        yield Looked(f"{fit.column} {called} {', '.join(fit.by)}", "number", sql, own=False)
