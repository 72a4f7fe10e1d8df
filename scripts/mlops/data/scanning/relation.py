"""The rows of a table as DuckDB is asked about them: a Parquet file, or a frame that was read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mlops.data import table
from mlops.data.contract import LogicalType, Table
from mlops.data.rules import quoted
from mlops.data.scanning.closed import database
from mlops.data.scanning.literals import text
from mlops.data.typed import Read

CAME = "mlops.came"
"""The rows as they came: `row`, their number from 1, and the columns by number: c0, c1 ..."""
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
REAL = ("FLOAT", "DOUBLE")
MOMENTS = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")
FORMS: Mapping[LogicalType, tuple[str, ...]] = {
    "integer": (*WHOLE, *REAL),
    "number": (*WHOLE, *REAL),
    "boolean": ("BOOLEAN",),
    "string": ("VARCHAR",),
    "timestamp": MOMENTS,
    "date": MOMENTS,
}
"""Types of a file's columns that need no reading of text to become the contract's type."""
LARGEST = "9223372036854775808::DOUBLE"


@dataclass(frozen=True)
class Cell:
    """A column's value in a row, in SQL.

    Attributes:
        kind: the contract's type.
        came: as it came.
        value: of the type, null when it is missing or not readable.
        missing: whether it is not there.
        unreadable: whether it is there and not of the type; None when none can be.
        real: whether it is a floating-point number of a file, and so may be none (NaN).
    """

    kind: LogicalType
    came: str
    value: str
    missing: str
    unreadable: str | None = None
    real: bool = False


@dataclass(frozen=True)
class Relation:
    """A table that can be asked.

    Attributes:
        asked: the contract's table.
        database: holds `CAME`, and the typed rows by the contract's name of the table when all
            columns are there.
        rows: how many there are.
        names: all columns, in their order.
        cells: the contract's columns that are there, by name.
        file: the Parquet file they lie in; None for a frame.
        read: the frame they are; None for a file.
    """

    asked: Table
    database: Any
    rows: int
    names: tuple[str, ...]
    cells: Mapping[str, Cell]
    file: Path | None = None
    read: Read | None = None

    def select(self, expressions: str, rest: str = "") -> list[tuple[Any, ...]]:
        """What a query of `CAME` gives."""
        found: list[tuple[Any, ...]] = self.database.execute(
            f"SELECT {expressions} FROM {CAME} {rest}"
        ).fetchall()
        return found


def file_types(path: Path) -> dict[str, str]:
    """The columns of a Parquet file and their types, in DuckDB's words."""
    with database(path) as opened:
        described = opened.execute(
            f"DESCRIBE SELECT * FROM read_parquet({text(str(path))})"
        ).fetchall()
    return {name: kind for name, kind, *_ in described}


def not_in_form(asked: Table, types: Mapping[str, str]) -> tuple[str, ...]:
    """Columns of a file that would have to be read as text is, to be of the contract's type."""
    return tuple(
        column.name
        for column in asked.properties
        if column.name in types and types[column.name] not in FORMS[column.logical_type]
    )


@contextmanager
def of_file(asked: Table, path: Path, types: Mapping[str, str]) -> Iterator[Relation]:
    """A Parquet file whose columns are in form; it is read when asked, and never whole."""
    import pyarrow.parquet as pq

    there = [column for column in asked.properties if column.name in types]
    cells = {
        column.name: _file_cell(f"c{number}", types[column.name], column.logical_type)
        for number, column in enumerate(there)
    }
    columns = "".join(f", {quoted(name)} AS {cell.came}" for name, cell in cells.items())
    source = f"read_parquet({text(str(path))}, file_row_number = true)"
    rows = int(pq.read_metadata(path).num_rows)
    with database(path) as opened:
        opened.execute("CREATE SCHEMA mlops")
        opened.execute(
            f"CREATE VIEW {CAME} AS SELECT file_row_number + 1 AS row{columns} FROM {source}"
        )
        if len(there) == len(asked.properties):
            values = ", ".join(f"{_typed(cell)} AS {quoted(name)}" for name, cell in cells.items())
            opened.execute(f"CREATE VIEW {quoted(asked.name)} AS SELECT {values} FROM {CAME}")
        yield Relation(asked, opened, rows, tuple(types), cells, file=path)


@contextmanager
def of_frame(asked: Table, read: Read) -> Iterator[Relation]:
    """A frame that was read; its index holds the rows' numbers."""
    import pyarrow as pa

    there = [column for column in asked.properties if column.name in read.rows.columns]
    columns: dict[str, Any] = {"row": pa.array(read.rows.index, pa.int64())}
    cells = {}
    for number, column in enumerate(there):
        came, wrong = f"c{number}", read.unreadable[column.name]
        cells[column.name] = _frame_cell(number, column.logical_type, any_wrong=bool(wrong.any()))
        columns[came] = _array(read.rows[column.name], column.logical_type)
        if wrong.any():
            columns[f"u{number}"] = pa.array(wrong.to_numpy())
    with database() as opened:
        opened.execute("CREATE SCHEMA mlops")
        opened.register("rows of the frame", pa.table(columns))
        opened.execute(f'CREATE VIEW {CAME} AS SELECT * FROM "rows of the frame"')
        if len(there) == len(asked.properties):
            opened.register(asked.name, table.arrow(asked.properties, read.rows))
        names = tuple(map(str, read.came.columns))
        yield Relation(asked, opened, len(read.rows), names, cells, read=read)


def _array(values: pd.Series, kind: LogicalType) -> Any:
    import pyarrow as pa

    # A date keeps a time of the day here: it is compared as it stands.
    known = pa.timestamp("us") if kind == "date" else table.arrow_type(kind)
    return pa.Array.from_pandas(values, type=known)


def _frame_cell(number: int, kind: LogicalType, *, any_wrong: bool) -> Cell:
    came, wrong = f"c{number}", f"u{number}"
    if not any_wrong:
        return Cell(kind, came, came, f"{came} IS NULL")
    return Cell(kind, came, came, f"{came} IS NULL AND NOT {wrong}", wrong)


def _file_cell(came: str, stored: str, kind: LogicalType) -> Cell:
    absent = f"{came} IS NULL"
    if kind in ("boolean", "string"):
        return Cell(kind, came, came, absent)
    if kind in ("timestamp", "date"):
        return Cell(kind, came, _cast(came, stored, "TIMESTAMP"), absent)
    if stored in WHOLE:
        asked = "BIGINT" if kind == "integer" else "DOUBLE"
        return Cell(kind, came, _cast(came, stored, asked), absent)
    absent = f"({absent} OR isnan({came}))"
    if kind == "number":
        value = f"CASE WHEN NOT isnan({came}) THEN {_cast(came, stored, 'DOUBLE')} END"
        return Cell(kind, came, value, absent, real=True)
    whole = f"{came} = floor({came}) AND abs({came}) < {LARGEST}"
    value = f"CASE WHEN {whole} THEN {came}::BIGINT END"
    return Cell(kind, came, value, absent, f"NOT {absent} AND NOT ({whole})", real=True)


def _cast(came: str, stored: str, asked: str) -> str:
    return came if stored == asked else f"{came}::{asked}"


def _typed(cell: Cell) -> str:
    """The value as a query of the contract's author has it."""
    return f"({cell.value})::DATE" if cell.kind == "date" else cell.value


def columns_of(relation: Relation, names: Sequence[str]) -> list[Cell]:
    """The cells of some columns."""
    return [relation.cells[name] for name in names]
