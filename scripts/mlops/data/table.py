"""The table of a dataset: Parquet read and written, rows upserted.

The bytes of a version depend on its rows and the contract's columns only: rows stand in the
order of the primary key, and the writer's options are fixed.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlops.data.contract import Column, Contract, LogicalType
from mlops.data.typed import conformed


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

    schema = pa.schema([pa.field(c.name, arrow_type(c.logical_type)) for c in columns])
    if frame is None:
        return schema.empty_table()
    arrays = [pa.Array.from_pandas(frame[f.name], type=f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def arrow_type(kind: LogicalType) -> Any:
    """The Arrow type that a column of the contract's type has in a version."""
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
