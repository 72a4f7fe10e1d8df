"""Answers as columns of Parquet: one row for each row that was scored."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_json

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTION = "prediction"
"""Column of predictions, in all files that hold some."""


class Answer(NamedTuple):
    """An answer that is to be logged.

    Attributes:
        at: nanoseconds since 1970, UTC.
        rows: the records as they were scored.
        predictions: one for each of them.
        seconds: from the request's head to its predictions.
        size: bytes of the request.
    """

    identity: str
    at: int
    rows: Sequence[Any]
    predictions: Sequence[float]
    seconds: float
    size: int


class Rows:
    """What of a record is logged.

    Args:
        record: pydantic model of a row.
        without: fields of it that are to be left out.
        withheld: names that contracts keep out, of fields or of anything else.
    """

    def __init__(
        self, record: type[BaseModel], without: Collection[str], withheld: Collection[str] = ()
    ) -> None:
        names = {name: {name, field.alias} for name, field in record.model_fields.items()}
        left_out = {*without, *withheld}
        self.fields = {
            name: record.model_fields[name].annotation
            for name, called in names.items()
            if called.isdisjoint(left_out)
        }
        self.unknown = sorted(set(without).difference(*names.values()))
        """What was to be left out and is no field: a name that was mistyped leaves nothing out."""


class Columns:
    """The columns of one service's log.

    Args:
        rows: what of its records there is.
        same: columns that have one value in all rows: text, or a whole number.
    """

    def __init__(self, rows: Rows, same: dict[str, str | int]) -> None:
        import pyarrow as pa

        self._types = {name: _type(annotation) for name, annotation in rows.fields.items()}
        self._same = {
            name: pa.scalar(value, pa.int64() if isinstance(value, int) else pa.string())
            for name, value in same.items()
        }

    def batch(self, answers: Sequence[Answer]) -> "pa.RecordBatch":
        """The rows of some answers, in their order."""
        import pyarrow as pa

        each = [(one, len(one.rows)) for one in answers]
        rows = [row for one in answers for row in one.rows]
        found: dict[str, Any] = {
            "id": pa.array([one.identity for one, count in each for _ in range(count)]),
            "row": pa.array([row for _, count in each for row in range(count)], pa.int32()),
            "time": pa.array(
                [one.at // 1000 for one, count in each for _ in range(count)],
                pa.timestamp("us", "UTC"),
            ),
            **{name: pa.repeat(value, len(rows)) for name, value in self._same.items()},
        }
        if self._types:
            fields = [
                _array([getattr(row, name) for row in rows], kind)
                for name, kind in self._types.items()
            ]
            found["record"] = pa.StructArray.from_arrays(fields, list(self._types))
        found[PREDICTION] = pa.array(
            [value for one in answers for value in one.predictions], pa.float64()
        )
        found["seconds"] = pa.array([one.seconds for one, count in each for _ in range(count)])
        return pa.RecordBatch.from_pydict(found)


def _type(annotation: Any) -> "pa.DataType | None":
    """The type that a field's values have in Parquet; None: they are written as JSON."""
    import pyarrow as pa

    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        others = [part for part in parts if part is not NoneType]
        return _type(others[0]) if len(others) == 1 else None
    if origin is Literal:
        kinds = {type(part) for part in parts}
        return _type(kinds.pop()) if len(kinds) == 1 else None
    known: dict[Any, pa.DataType] = {
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        str: pa.string(),
        datetime: pa.timestamp("us", "UTC"),
        date: pa.date32(),
    }
    return known.get(annotation)


def _array(values: list[Any], kind: "pa.DataType | None") -> "pa.Array[Any]":
    """A column; what its type cannot hold (a number of more than 64 bits) is null."""
    import pyarrow as pa

    if kind is None:
        return pa.array([_json(value) for value in values], pa.string())
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return pa.array([_held(value, kind) for value in values], kind)


def _held(value: Any, kind: "pa.DataType") -> Any:
    import pyarrow as pa

    try:
        return pa.scalar(value, kind).as_py()
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return None


def _json(value: Any) -> str | None:
    return None if value is None else to_json(value, fallback=str).decode()
