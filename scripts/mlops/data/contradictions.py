"""Where a contract contradicts itself: no data could ever hold to it, or it says two things."""

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlops.data.bounds import limits
from mlops.data.contract import Column, Quality, Table
from mlops.data.document import Place
from mlops.data.rule import Threshold
from mlops.data.rules import columns_of
from mlops.data.value import moment, objection, of_text, range_of

Told = tuple[Place, str, str]
"""Where, what is wrong, how to fix it."""
MANY = 1000
"""Rows on which a threshold is tried."""


def contradictions(
    place: Place, table: Table, columns: Sequence[Place], names: Sequence[str]
) -> Iterator[Told]:
    """What in a table contradicts itself.

    Args:
        place: where the table stands.
        table: what of it is checked.
        columns: where the columns of `table` stand, in their order.
        names: of all columns, in the order of the file.
    """
    yield from same_names((*place, "properties"), names)
    for at, column in zip(columns, table.properties, strict=True):
        yield from _column(at, column)
        yield from _qualities((*at, "quality"), column.quality, names)
    yield from _qualities((*place, "quality"), table.quality, names)
    yield from _row_counts(place, table)


def same_names(place: Place, names: Sequence[str]) -> Iterator[Told]:
    """Entries of a list that have the name of an earlier one."""
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (*place, number), "stands twice, under one name", "rename or remove one"


def _column(place: Place, column: Column) -> Iterator[Told]:
    own = list(_options((*place, "logicalTypeOptions"), column))
    yield from own
    for number, quality in enumerate(column.quality):
        at = (*place, "quality", number)
        yield from _nulls(at, column, quality)
        if not own:  # else each value would be told again
            yield from _listed(at, column, quality)
    if not own:
        yield from _examples((*place, "examples"), column)


def _options(place: Place, column: Column) -> Iterator[Told]:
    options, allowed = column.logical_type_options, range_of(column)
    unread = [end for end in (allowed.low, allowed.high) if allowed.time and _no_moment(end)]
    for end in unread:
        fix = "write it as 2024-01-31 or 2024-01-31T12:00:00"
        yield place, f"has the limit {end!r}, which is no moment", fix
    if not unread and allowed.empty:
        yield place, f"allows no value: {allowed}", "correct one of the two"
    length = limits(options.min_length, options.max_length)
    if length.empty:
        what = f"allows no text: minLength {options.min_length} is above maxLength"
        yield place, f"{what} {options.max_length}", "correct one of the two"
    yield from _pattern((*place, "pattern"), options.pattern)


def _no_moment(end: Any) -> bool:
    return end is not None and moment(end) is None


def _pattern(place: Place, pattern: str | None) -> Iterator[Told]:
    try:
        re.compile(pattern or "")
    except re.error as error:
        yield place, f"is {pattern!r}, no regular expression ({error})", "correct it"


def _nulls(place: Place, column: Column, quality: Quality) -> Iterator[Told]:
    if quality.metric != "nullValues" or not (column.required or column.primary_key):
        return
    asked = Threshold.of(quality)
    if not asked.met(0, MANY) or any(asked.met(count, MANY) for count in range(1, MANY + 1)):
        what = f"allows missing values ({asked}), and the column is required"
        yield place, what, "write `mustBe: 0`, or `required: false`"


def _listed(place: Place, column: Column, quality: Quality) -> Iterator[Told]:
    values = quality.arguments.get("validValues") if quality.type == "library" else None
    if values == []:
        yield place, "lists no value as valid", "list those that are, or remove the rule"
    for value in values or ():
        against = None if value is None else objection(column, value)
        if against:
            what = f"lists {value!r} as valid, which {against}"
            yield place, what, "correct the list, or what the column asks"


def _examples(place: Place, column: Column) -> Iterator[Told]:
    for number, written in enumerate((column.model_extra or {}).get("examples") or ()):
        against = _against_example(column, written)
        if against:
            what = f"gives {written!r}, which {against}"
            yield (*place, number), what, "correct the example, or what the column asks"


def _against_example(column: Column, written: Any) -> str | None:
    if written is None:
        return "is missing" if column.required or column.primary_key else None
    value = of_text(column, written)
    against = objection(column, value)
    strict = [each for each in column.quality if each.metric == "invalidValues" and _no_row(each)]
    lists = [each.arguments["validValues"] for each in strict if "validValues" in each.arguments]
    patterns = [each.arguments["pattern"] for each in strict if "pattern" in each.arguments]
    if against is None and any(value not in valid for valid in lists):
        return "is not among the valid values"
    if against is None and not all(re.match(pattern, str(value)) for pattern in patterns):
        return f"does not match {' and '.join(patterns)}"
    return against


def _no_row(quality: Quality) -> bool:
    return quality.stops and Threshold.of(quality).is_none


def _qualities(place: Place, asked: Sequence[Quality], names: Sequence[str]) -> Iterator[Told]:
    for number, quality in enumerate(asked):
        at = (*place, number)
        if quality.type == "library":
            yield from _threshold(at, Threshold.of(quality))
            yield from _pattern((*at, "arguments", "pattern"), quality.arguments.get("pattern"))
        for name in _columns_of(quality):
            if name not in names:
                what = f"is about the column {name!r}, which the table does not have"
                yield at, what, "correct the name, or add the column"


def _columns_of(quality: Quality) -> Sequence[str]:
    if quality.type == "custom":
        return columns_of(quality.expectation["kwargs"])
    return list(quality.arguments.get("properties", ()))


def _threshold(place: Place, asked: Threshold) -> Iterator[Told]:
    if isinstance(asked.value, tuple) and asked.value[0] > asked.value[1]:
        yield place, f"has its ends reversed: {asked}", "write the smaller first"
    elif not _can_be_met([asked]):
        yield place, f"can be met by no table: {asked}", "correct the number"


def _row_counts(place: Place, table: Table) -> Iterator[Told]:
    """Counts of rows that exclude each other, though each alone can be met."""
    columns = [quality for column in table.properties for quality in column.quality]
    counts = [
        Threshold.of(quality)
        for quality in (*table.quality, *columns)
        if quality.metric == "rowCount" and quality.stops
    ]
    possible = [each for each in counts if _can_be_met([each])]
    if not _can_be_met(possible):
        what = f"asks numbers of rows that exclude each other: {'; '.join(map(str, possible))}"
        yield place, what, "correct one of these rules"


def _can_be_met(asked: Sequence[Threshold]) -> bool:
    """Whether some figure meets all: if any does, one that is next to an end does."""
    ends = [end for each in asked for end in _ends(each)]
    if asked and asked[0].unit == "percent":
        step = 1e-6
        near = [end + way * step for end in ends for way in (-1, 0, 1)]
        figures = [figure for figure in (0, 100, *near) if 0 <= figure <= 100]
    else:
        near = [math.floor(end) + way for end in ends for way in (-1, 0, 1)]
        figures = [figure for figure in (0, *near) if figure >= 0]
    return any(all(each.holds(figure) for each in asked) for figure in figures)


def _ends(asked: Threshold) -> Sequence[float]:
    return asked.value if isinstance(asked.value, tuple) else (asked.value,)
