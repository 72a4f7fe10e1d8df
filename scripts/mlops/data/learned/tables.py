"""A batch, or a period of a reference, as a table in DuckDB in which figures are asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops.data.contract import Contract
from mlops.data.learned.columns import Looked, fit_columns, moment_columns, own_columns
from mlops.data.learned.model import Fit
from mlops.data.rules import quoted

MEMORY = "2GB"


@contextmanager
def database() -> Iterator[Any]:
    """An empty database in memory; it spills beside when it has to."""
    import duckdb

    with duckdb.connect(":memory:", config={"memory_limit": MEMORY}) as opened:
        opened.execute("SET preserve_insertion_order = false")
        yield opened


def source(opened: Any, rows: "Path | Any") -> str:
    """SQL that names a Parquet file, or an Arrow table, which is registered."""
    if isinstance(rows, Path):
        written = str(rows).replace("'", "''")
        return f"read_parquet('{written}')"
    opened.register("given", rows)
    return "given"


def names(opened: Any, given: str) -> tuple[str, ...]:
    """The columns that a source has."""
    query = f"DESCRIBE SELECT * FROM {given}"
    return tuple(row[0] for row in opened.execute(query).fetchall())


def laid_out(
    opened: Any,
    given: str,
    contract: Contract,
    moment: str,
    fits: Sequence[Fit] = (),
    *,
    where: str = "true",
) -> tuple[Looked, ...]:
    """Make the table `batch` of a source's rows: own and derived columns; gives these.

    Args:
        where: which rows, by a condition on the own columns.
    """
    own = own_columns(contract.table, names(opened, given))
    derived = (*moment_columns(own, moment), *fit_columns(fits))
    typed = ", ".join(f"{each.sql} AS {quoted(each.name)}" for each in own)
    more = ", ".join(f"{each.sql} AS {quoted(each.name)}" for each in derived)
    opened.execute(
        f"CREATE OR REPLACE TEMP TABLE batch AS SELECT *, {more} "
        f"FROM (SELECT {typed} FROM {given}) WHERE {where}"
    )
    return (*own, *derived)
