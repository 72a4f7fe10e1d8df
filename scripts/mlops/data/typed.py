"""Values read as the contract's types: text parsed, what cannot be read kept apart.

What a single value is read as is said once, for one value (`READERS`). Where a library reads the
same, it reads whole columns: text in its plain form (`PLAIN`), and columns that have a type.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlops.data.contract import Contract, LogicalType

BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
LARGEST = 2**63
_MOMENT = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
PLAIN: dict[LogicalType, str] = {
    "integer": r"^-?[0-9]{1,18}$",
    "number": r"^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?$",
    "timestamp": _MOMENT,
    "date": _MOMENT,
}
"""Text that every reader reads alike."""


@dataclass(frozen=True)
class Read:
    """A frame, read.

    Attributes:
        came: the frame as it came.
        rows: the contract's columns that are there, each of its type; what could not be read is
            missing in them.
        unreadable: of the same columns, which values are there and are not of the type.
    """

    came: pd.DataFrame
    rows: pd.DataFrame
    unreadable: pd.DataFrame

    @property
    def values(self) -> pd.DataFrame:
        """All columns; the contract's hold Python objects, as they came where not readable."""
        columns = {
            name: self._objects(name) if name in self.rows.columns else self.came[name]
            for name in self.came.columns
        }
        return pd.DataFrame(columns, index=self.came.index)

    def missing(self, name: str) -> pd.Series:
        """Which values of a column are not there."""
        return self.rows[name].isna() & ~self.unreadable[name]

    def _objects(self, name: str) -> pd.Series:
        typed, wrong = self.rows[name], self.unreadable[name].to_numpy()
        objects = typed.astype(object).to_numpy(copy=True)
        objects[typed.isna().to_numpy()] = None
        objects[wrong] = self.came[name].astype(object).to_numpy()[wrong]
        return pd.Series(objects, typed.index, object)


def read(contract: Contract, frame: pd.DataFrame) -> Read:
    """Read a frame as the contract's types.

    Integers become int64 (Int64 when some are missing), numbers float64, moments and dates
    datetime64 without zone (UTC), booleans bool (boolean when some are missing), text str.
    """
    there = [column for column in contract.columns if column.name in frame.columns]
    read_columns = {c.name: _column(frame[c.name], c.logical_type) for c in there}
    rows = {name: typed for name, (typed, _) in read_columns.items()}
    unreadable = {name: wrong for name, (_, wrong) in read_columns.items()}
    return Read(
        came=frame,
        rows=pd.DataFrame(rows, index=frame.index),
        unreadable=pd.DataFrame(unreadable, index=frame.index),
    )


def conformed(contract: Contract, frame: pd.DataFrame) -> pd.DataFrame:
    """A version's rows as the contract has them now: its columns, in its types.

    Columns that are new in the contract are missing in all rows.
    """
    return read(contract, frame.reindex(columns=list(contract.names))).rows


Typed = tuple[pd.Series, pd.Series]
"""Values of the contract's type, and which were there and are not of it."""


def _column(values: pd.Series, kind: LogicalType) -> Typed:
    taken = _as_it_is(values, kind)
    if taken is not None:
        return taken
    if isinstance(values.dtype, pd.StringDtype):
        if kind == "string":
            return values.astype("str"), pd.Series(data=False, index=values.index)
        codes, different = pd.factorize(values, use_na_sentinel=True)
        # The last place stands for what is missing: it has the code -1.
        typed, wrong = _text(pd.Series([*different, None], dtype="str"), kind)
        right = typed.take(codes).set_axis(values.index)
        return _settled(right, kind), pd.Series(wrong[codes], values.index)
    typed, wrong = _one_by_one(values, kind)
    return _settled(typed.set_axis(values.index), kind), pd.Series(wrong, values.index)


def _as_it_is(values: pd.Series, kind: LogicalType) -> Typed | None:
    """A column that has a type from which nothing has to be parsed; None for any other."""
    dtype = values.dtype
    no = pd.Series(data=False, index=values.index)
    if kind == "number" and dtype in (np.float64, np.int64):
        numbers: pd.Series = values.astype("float64") + 0.0
        return numbers, no
    if kind == "integer" and dtype == np.int64:
        return values, no
    if kind == "integer" and dtype == np.float64:
        return _whole(values)
    if kind == "boolean" and dtype == np.bool_:
        return values, no
    if kind in ("timestamp", "date") and isinstance(dtype, np.dtype) and dtype.kind == "M":
        return values.astype(DTYPES[kind]), no
    return None


def _whole(values: pd.Series) -> Typed:
    whole = (values == np.floor(values)) & (values.abs() < LARGEST)
    wrong = values.notna() & ~whole
    return _settled(values.where(whole).astype("Int64"), "integer"), wrong


def _text(texts: pd.Series, kind: LogicalType) -> tuple[pd.Series, np.ndarray]:
    """Different texts, read: the plain ones at once, the others one by one."""
    typed, wrong = _plain(texts, kind), np.zeros(len(texts), dtype=bool)
    left = typed.isna().to_numpy()
    singly, wrong[left] = _one_by_one(texts[left], kind)
    typed[left] = singly.array
    return typed, wrong


def _plain(texts: pd.Series, kind: LogicalType) -> pd.Series:
    """What can be read at once, of the contract's type; the others are missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind not in PLAIN:
        nothing: pd.Series = pd.Series(pd.NA, index=texts.index, dtype=DTYPES[kind])
        return nothing
    array = pa.array(texts, pa.string(), from_pandas=True)
    plain = pc.if_else(pc.match_substring_regex(array, PLAIN[kind]), array, None)
    if kind == "integer":
        return pd.Series(plain.cast(pa.int64()).to_pandas(integer_object_nulls=True), dtype="Int64")
    if kind == "number":
        numbers: pd.Series = plain.cast(pa.float64()).to_pandas() + 0.0
        finite: pd.Series = numbers.where(np.isfinite(numbers))
        return finite
    moments: pd.Series = pd.to_datetime(plain.to_pandas(), format="ISO8601", errors="coerce")
    return moments.astype(DTYPES[kind])


def _one_by_one(values: Iterable[Any], kind: LogicalType) -> tuple[pd.Series, np.ndarray]:
    """The same of single values; the type is one that has missing values."""
    typed: list[Any] = []
    wrong: list[bool] = []
    for value in values:
        parsed = None if is_missing(value) else READERS[kind](value)
        right = type(parsed) in PYTHON[kind]
        typed.append(parsed if right else None)
        wrong.append(not right and not is_missing(parsed))
    return pd.Series(typed, dtype=DTYPES[kind]), np.array(wrong, dtype=bool)


def _settled(values: pd.Series, kind: LogicalType) -> pd.Series:
    """Integers and booleans of which none is missing have the plain type."""
    plain: Any = {"integer": "int64", "boolean": "bool"}.get(kind)
    return values if plain is None or values.isna().any() else values.astype(plain)


def is_missing(value: Any) -> bool:
    """Whether a value stands for none."""
    return value is None or value is pd.NA or value is pd.NaT or value != value  # noqa: PLR0124 - NaN alone differs from itself


def _integer(value: Any) -> Any:
    try:
        read = int(value) if isinstance(value, str) and "_" not in value else _scalar(value)
    except ValueError:
        return value
    if isinstance(read, float) and read.is_integer():
        read = int(read)
    # One that 64 bits do not hold is kept as text, so that it is told and never cut off.
    return str(value) if isinstance(read, int) and not -LARGEST <= read < LARGEST else read


def _scalar(value: Any) -> Any:
    """A value without NumPy around it; booleans as text, which Python takes for numbers."""
    plain = value.item() if hasattr(value, "item") else value
    return str(plain) if isinstance(plain, bool) else plain


def _number(value: Any) -> Any:
    value = _scalar(value)
    try:
        number = float(value) if not isinstance(value, str) or "_" not in value else math.nan
    except (TypeError, ValueError):
        return value
    except OverflowError:
        return str(value)
    # Adding 0.0 turns -0.0, which equals 0.0 and has other bytes, into 0.0.
    return number + 0.0 if math.isfinite(number) else value


def _boolean(value: Any) -> Any:
    if isinstance(value, str):
        return BOOLEANS.get(value.strip().lower(), value)
    plain = value.item() if hasattr(value, "item") else value
    return bool(plain) if plain in (0, 1) else plain


def _timestamp(value: Any) -> Any:
    if isinstance(value, int | float):
        return value
    # Without a digit it is no moment: "now" would be another one each time it is read.
    if isinstance(value, str) and not any(map(str.isdigit, value)):
        return value
    try:
        moment = pd.Timestamp(value)
        utc = moment if moment.tzinfo is None else moment.tz_convert("UTC").tz_localize(None)
        return utc if 1 <= utc.year <= 9999 else value
    except (TypeError, ValueError, OverflowError):
        return value


def _string(value: Any) -> Any:
    return value


READERS = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _timestamp,
}
PYTHON: dict[LogicalType, Sequence[type]] = {
    "string": (str,),
    "integer": (int,),
    "number": (float, int),
    "boolean": (bool,),
    "timestamp": (pd.Timestamp,),
    "date": (pd.Timestamp,),
}
DTYPES: dict[LogicalType, Any] = {
    "string": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "timestamp": "datetime64[us]",
    "date": "datetime64[us]",
}
