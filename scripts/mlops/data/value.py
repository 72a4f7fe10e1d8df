"""One value held to what a column asks, without a table around it."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mlops.data.bounds import Limits, limits
from mlops.data.contract import Column, LogicalType, TypeOptions

TIMES = ("timestamp", "date")
CALLED: Mapping[LogicalType, str] = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "timestamp": "a timestamp",
    "date": "a date",
}
BOOLEANS = ("true", "false", "1", "0")


def range_of(column: Column) -> Limits:
    """The range of a column's values."""
    options = column.logical_type_options
    return limits(
        options.minimum,
        options.maximum,
        options.exclusive_minimum,
        options.exclusive_maximum,
        time=column.logical_type in TIMES,
    )


def moment(written: Any) -> datetime | None:
    """A moment, written as ISO 8601; None when it is none."""
    try:
        return datetime.fromisoformat(str(written))
    except ValueError:
        return None


def of_text(column: Column, value: Any) -> Any:
    """A value as ingest would read it from a file, where all is text; itself when it cannot."""
    if column.logical_type == "string":
        return value if isinstance(value, str) else str(value)
    reads: Mapping[str, Callable[[str], Any]] = {"integer": int, "number": float}
    try:
        return reads[column.logical_type](value) if isinstance(value, str) else value
    except (KeyError, ValueError):
        boolean = column.logical_type == "boolean" and str(value).lower() in BOOLEANS
        return str(value).lower() in ("true", "1") if boolean else value


def objection(column: Column, value: Any) -> str | None:
    """What a column's type, range, length and pattern have against a typed value; None: nothing."""
    if not _is_of(column.logical_type, value):
        return f"is not {CALLED[column.logical_type]}"
    if column.logical_type == "string":
        return _text(column.logical_type_options, value)
    allowed = range_of(column)
    ranged = column.logical_type != "boolean"
    return f"is not {allowed}" if ranged and not allowed.allows(value) else None


def _is_of(kind: LogicalType, value: Any) -> bool:
    if kind in TIMES:
        return isinstance(value, str) and moment(value) is not None
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, str if kind == "string" else int | float)


def _text(options: TypeOptions, value: str) -> str | None:
    length = limits(options.min_length, options.max_length)
    if not length.allows(len(value)):
        return f"has {len(value)} characters, not {length}"
    if options.pattern is not None and not re.match(options.pattern, value):
        return f"does not match {options.pattern}"
    return None
