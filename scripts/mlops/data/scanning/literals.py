"""Values as SQL has them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mlops.data.contract import LogicalType


def text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def literal(value: Any, kind: LogicalType) -> str | None:
    """A value to compare a column of this type with; None when it is of another type."""
    if kind in ("integer", "number") and not isinstance(value, bool):
        return _number(value)
    if kind == "string" and isinstance(value, str) and "\0" not in value:
        return text(value)
    if kind == "boolean" and isinstance(value, bool):
        return str(value).lower()
    if kind in ("timestamp", "date") and isinstance(value, datetime) and value.tzinfo is None:
        return f"TIMESTAMP {text(value.isoformat(sep=' '))}"
    return None


def _number(value: Any) -> str | None:
    if isinstance(value, int):
        return f"({value})" if -(2**63) <= value < 2**63 else None
    return f"{text(repr(value))}::DOUBLE" if isinstance(value, float) else None


def literals(values: Sequence[Any], kind: LogicalType) -> tuple[str, ...] | None:
    """All of them; None when one is of another type, or there is none."""
    found = [literal(value, kind) for value in values]
    known = tuple(each for each in found if each is not None)
    return known if known and len(known) == len(found) else None
