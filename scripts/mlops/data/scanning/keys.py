"""Rows that share values that no two may share.

A version is written in the order of its key, so neighbours tell; any other order is grouped, on
disk when it does not fit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops.data.scanning.relation import CAME, Cell, Relation, columns_of

ROWS = 1 << 20
"""Looked at together."""


def rise(relation: Relation, names: Sequence[str]) -> bool:
    """Whether neighbours show that no two rows share the values of these columns."""
    plain = all(cell.value == cell.came for cell in columns_of(relation, names))
    return relation.file is not None and plain and increasing(relation.file, names)


def shared(relation: Relation, names: Sequence[str]) -> int:
    """How many rows share the values of these columns with another row.

    Rows in which all of them are missing are left out; missing values are equal.
    """
    cells = columns_of(relation, names)
    groups = f"(SELECT count(*) AS n {_groups(relation, cells)})"
    ((found,),) = relation.database.execute(f"SELECT coalesce(sum(n), 0) FROM {groups}").fetchall()
    return int(found)


def first_shared(
    relation: Relation, names: Sequence[str], most: int
) -> list[tuple[int, tuple[Any, ...]]]:
    """The first rows that share their values with another: their numbers and the values."""
    cells = columns_of(relation, names)
    values = ", ".join(f"{cell.value} AS v{number}" for number, cell in enumerate(cells))
    keys = [f"v{number}" for number in range(len(cells))]
    # The first rows that are in any group are among those of the groups that begin first.
    groups = f"SELECT {values}, min(row) AS first {_groups(relation, cells)}"
    same = " AND ".join(f"came.{key} IS NOT DISTINCT FROM found.{key}" for key in keys)
    found = relation.database.execute(
        f"WITH found AS ({groups} ORDER BY first LIMIT {most}), "
        f"came AS (SELECT row, {values} FROM {CAME}) "
        f"SELECT came.row, {', '.join(f'came.{key}' for key in keys)} "
        f"FROM came JOIN found ON {same} ORDER BY came.row LIMIT {most}"
    ).fetchall()
    return [(row, tuple(rest)) for row, *rest in found]


def _groups(relation: Relation, cells: Sequence[Cell]) -> str:
    there = " OR ".join(f"({cell.value}) IS NOT NULL" for cell in cells)
    grouped = ", ".join(f"({cell.value})" for cell in cells)
    return f"FROM {CAME} WHERE {there} GROUP BY {grouped} HAVING count(*) > 1"


def increasing(path: Path, names: Sequence[str]) -> bool:
    """Whether each row's values are there and above those of the row before: then none is shared.

    A million rows of these columns are held in memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    before: list[Any] = []
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS, columns=list(names)):
            columns = [batch.column(name) for name in names]
            if any(column.null_count or pa.types.is_dictionary(column.type) for column in columns):
                return False
            joined = [pa.concat_arrays(pair) for pair in zip(before, columns, strict=False)]
            if not _rising(joined or columns):
                return False
            before = [column.slice(len(column) - 1) for column in columns]
    return True


def _rising(columns: Sequence[Any]) -> bool:
    """Whether the rows of these columns rise, by the first column, then the second ..."""
    import pyarrow.compute as pc

    rising: Any = None
    for column in reversed(columns):
        one, next_one = column.slice(0, len(column) - 1), column.slice(1)
        above = pc.greater(next_one, one)
        rising = (
            above if rising is None else pc.or_(above, pc.and_(pc.equal(next_one, one), rising))
        )
    return pc.all(rising, min_count=0).as_py() is True
