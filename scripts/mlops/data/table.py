"""The table of a dataset: text parsed to the contract's types, rows upserted, Parquet written.

The bytes of a version depend on its rows and the contract's columns only: rows stand in the
order of the primary key, and the writer's options are fixed.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlops.data.contract import Column, Contract, LogicalType

BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
INT64 = range(-(2**63), 2**63)


def load(path: Path) -> pd.DataFrame:
    """A version's rows, in the order of the primary key.

    Integers are int64 (float64 when some are missing), numbers float64, timestamps
    datetime64 without zone (UTC), text str.
    """
    import pyarrow.parquet as pq

    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    return frame


def encode(contract: Contract, frame: pd.DataFrame) -> bytes:
    """Typed rows as Parquet bytes: the same rows give the same bytes."""
    import pyarrow.parquet as pq

    ordered = frame.sort_values(list(contract.primary_key), kind="stable")
    sink = io.BytesIO()
    pq.write_table(
        arrow(contract.columns, ordered),
        sink,
        version="2.6",
        compression="zstd",
        compression_level=3,
        use_dictionary=True,
        write_statistics=True,
        store_schema=False,
        row_group_size=1 << 20,
    )
    return sink.getvalue()


def arrow(columns: Sequence[Column], frame: pd.DataFrame | None = None) -> Any:
    """Typed rows as an Arrow table of the contract's types; without a frame one of no rows."""
    import pyarrow as pa

    schema = pa.schema([pa.field(c.name, _arrow(c.logical_type)) for c in columns])
    if frame is None:
        return schema.empty_table()
    arrays = [pa.Array.from_pandas(frame[f.name], type=f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _arrow(kind: LogicalType) -> Any:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us"),
        "date": pa.date32(),
    }
    return types[kind]


def parsed(contract: Contract, frame: pd.DataFrame) -> pd.DataFrame:
    """Values as Python objects of the contract's types; what cannot be read stays as it came.

    Missing values are None. Columns the contract does not have stay untouched.
    """
    kinds = {column.name: column.logical_type for column in contract.columns}
    columns = {
        name: _parsed(frame[name], kinds[name]) if name in kinds else frame[name]
        for name in frame.columns
    }
    return pd.DataFrame(columns, index=frame.index)


def _parsed(values: pd.Series, kind: LogicalType) -> pd.Series:
    read = READERS[kind]
    return pd.Series([None if is_missing(v) else read(v) for v in values], values.index, object)


def is_missing(value: Any) -> bool:
    """Whether a value is none at all, in any of pandas' ways to say it."""
    return value is None or value is pd.NA or value is pd.NaT or value != value  # noqa: PLR0124 - NaN alone differs from itself


def _integer(value: Any) -> Any:
    try:
        read = int(value) if isinstance(value, str) and "_" not in value else _plain(value)
    except ValueError:
        return value
    if isinstance(read, float) and read.is_integer():
        read = int(read)
    # One that does not fit is kept as text, so that it is told and never cut off.
    return str(value) if isinstance(read, int) and read not in INT64 else read


def _plain(value: Any) -> Any:
    """A value without NumPy around it; booleans as text, which Python takes for numbers."""
    plain = value.item() if hasattr(value, "item") else value
    return str(plain) if isinstance(plain, bool) else plain


def _number(value: Any) -> Any:
    value = _plain(value)
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
PYTHON: dict[LogicalType, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (float, int),
    "boolean": (bool,),
    "timestamp": (pd.Timestamp,),
    "date": (pd.Timestamp,),
}
DTYPES: dict[LogicalType, str] = {
    "string": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
    "timestamp": "datetime64[us]",
    "date": "datetime64[us]",
}


def typed(contract: Contract, values: pd.DataFrame) -> pd.DataFrame:
    """The contract's columns that are there, each of its type; other values become missing.

    Args:
        contract: names the columns and types.
        values: what `parsed` gave.
    """
    columns = {
        c.name: _typed(values[c.name], c.logical_type)
        for c in contract.columns
        if c.name in values.columns
    }
    return pd.DataFrame(columns, index=values.index)


def _typed(values: pd.Series, kind: LogicalType) -> pd.Series:
    right = [value if type(value) in PYTHON[kind] else None for value in values]
    dtype = DTYPES[kind]
    if kind == "integer" and None not in right:
        dtype = "int64"
    if kind == "boolean" and None not in right:
        dtype = "bool"
    return pd.Series(right, values.index, dtype=dtype)


def conformed(contract: Contract, frame: pd.DataFrame) -> pd.DataFrame:
    """A version's rows as the contract has them now: its columns, in its types.

    Columns that are new in the contract are missing in all rows.
    """
    return typed(contract, parsed(contract, frame.reindex(columns=list(contract.names))))


@dataclass(frozen=True)
class Merged:
    """A version with a batch upserted.

    Attributes:
        rows: all rows, in the order of the primary key.
        fresh: the rows of the batch that are new or were there with other values.
        added: rows whose key is new.
        replaced: rows whose key was there with other values.
        unchanged: rows of the batch that were there already.
    """

    rows: pd.DataFrame
    fresh: pd.DataFrame
    added: int
    replaced: int
    unchanged: int


def upsert(contract: Contract, current: pd.DataFrame | None, batch: pd.DataFrame) -> Merged:
    """Put typed rows into a version (both `conformed`); of rows with one key the batch's wins."""
    key = list(contract.primary_key)
    if current is None:
        return Merged(_ordered(batch, key), batch, len(batch), 0, 0)
    joined = pd.concat([current, batch], ignore_index=True)
    known = joined.duplicated(key, keep="first").sum()
    again = joined.duplicated(keep="first")
    same = again.sum()
    kept = joined.drop_duplicates(key, keep="last")
    return Merged(
        rows=_ordered(conformed(contract, kept), key),
        fresh=joined[~again].iloc[len(current) :],
        added=int(len(batch) - known),
        replaced=int(known - same),
        unchanged=int(same),
    )


def _ordered(frame: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    return frame.sort_values(list(key), kind="stable").reset_index(drop=True)


def same_rows(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two typed frames hold the same rows in the same order, whatever the index."""
    return one.reset_index(drop=True).equals(other.reset_index(drop=True))
