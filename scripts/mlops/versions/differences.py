"""What differs between the rows of two versions of a dataset.

DuckDB joins the two Parquet files by primary key and counts in one pass, in bounded memory; what
does not fit goes to disk. Distributions are compared one column at a time, of large tables on the
rows of a share of the keys, the same keys in both.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.data.rules import quoted
from mlops.errors import BadInput, bad_input

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

EXAMPLES = 3
"""Changed values of a column that are told: those that changed most."""
MEMORY = "1GiB"
"""What DuckDB may hold; more goes to disk."""
SAMPLED = 1_000_000
"""Rows that the distributions are of, or more: from twice as many on, a share of the keys."""
NUMBERS = frozenset({"integer", "number"})
MOMENTS = frozenset({"timestamp", "date"})


@dataclass(frozen=True)
class Side:
    """A version: how people call it, and its verified Parquet file."""

    name: str
    path: Path


@dataclass(frozen=True)
class Example:
    """A value that differs, and the primary key of its row; missing values are None."""

    key: tuple[Any, ...]
    before: Any
    after: Any


@dataclass(frozen=True)
class ColumnDifference:
    """How one column differs.

    Attributes:
        before: its type, in a contract's words; None when the version had no such column.
        after: its type now; None when it is gone.
        changed: values that differ in rows that both versions have.
        missing_before: values that are missing in all rows of the older version.
        missing_after: the same of the newer one.
        drift: distance of the distributions of all rows, see `mlops.data.drift`; None for the
            primary key and for a column that is not of one type in both.
        examples: the largest changes.
    """

    name: str
    before: str | None
    after: str | None
    changed: int = 0
    missing_before: int = 0
    missing_after: int = 0
    drift: float | None = None
    examples: tuple[Example, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything but the rows that came and went differs."""
        moved = self.missing_before != self.missing_after or bool(self.drift)
        return self.before != self.after or self.changed > 0 or moved


@dataclass(frozen=True)
class DataDifference:
    """What differs between two versions.

    Attributes:
        key: columns that identify a row.
        added: rows whose key is new.
        removed: rows whose key is gone.
        changed: rows that both have, with another value in a column that both have.
        unchanged: rows that both have with the same values.
        columns: all columns, in the newer version's order, then those that are gone.
        share: the distributions are of one in so many keys.
    """

    key: tuple[str, ...]
    added: int
    removed: int
    changed: int
    unchanged: int
    columns: tuple[ColumnDifference, ...]
    share: int


@dataclass(frozen=True)
class _Columns:
    """The columns of both sides: name to type, in a contract's words."""

    key: tuple[str, ...]
    before: dict[str, str]
    after: dict[str, str]

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """Columns beside the key that both have."""
        both = (name for name in self.after if name in self.before)
        return tuple(name for name in both if name not in self.key)


def differences(before: Side, after: Side, key: Sequence[str], spill: Path) -> DataDifference:
    """Compare two versions by primary key.

    Args:
        before: the older one.
        after: the newer one.
        key: columns that identify a row, in both.
        spill: folder for what does not fit into memory; nothing is left there.

    Raises:
        BadInput: when a file is no Parquet table, when the key is not there or is that of several
            rows, or when memory and disk are not enough.
    """
    columns = _Columns(tuple(key), _types(before), _types(after))
    for side, types in ((before, columns.before), (after, columns.after)):
        if lacking := [name for name in key if name not in types]:
            raise _other_key(side, f"has no column {', '.join(lacking)}")
    with _database(before, after, spill) as database:
        for side in (before, after):
            if twice := _more_than_once(database, side, columns.key):
                raise _other_key(side, f"has {twice} keys ({', '.join(key)}) more than once")
        rows = _counted(database, before, after, columns)
        share = max(1, *(_rows(side) // SAMPLED for side in (before, after)))
        compared = _Distributions(database, before, after, columns, share)
        same_rows = not rows["added"] and not rows["removed"]
        return DataDifference(
            key=columns.key,
            added=rows["added"],
            removed=rows["removed"],
            changed=rows["changed"],
            unchanged=rows["both"] - rows["changed"],
            columns=tuple(
                compared.with_drift(_column(name, columns, rows), same_rows=same_rows)
                for name in dict.fromkeys((*columns.after, *columns.before))
            ),
            share=share,
        )


def _other_key(side: Side, what: str) -> BadInput:
    return bad_input(
        side.name,
        f"{what}, by which the contract tells rows apart today",
        "compare versions with the same primary key",
    )


@contextmanager
def _database(before: Side, after: Side, spill: Path) -> Iterator["DuckDBPyConnection"]:
    """DuckDB without a file of its own, which holds at most `MEMORY` and asks no network."""
    import duckdb

    spill.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=spill, prefix=".diff-") as folder:
        settings = {
            "memory_limit": MEMORY,
            "temp_directory": folder,
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        try:
            with duckdb.connect(config=settings) as database:
                database.execute("SET enable_progress_bar = false")
                yield database
        except duckdb.Error as error:
            what = f"could not be compared ({str(error).splitlines()[0]})"
            fix = "free memory or disk and run this again"
            raise bad_input(f"{before.name} and {after.name}", what, fix) from error


def _rows(side: Side) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(side.path).num_rows)


def _more_than_once(database: "DuckDBPyConnection", side: Side, key: Sequence[str]) -> int:
    """How many keys are those of several rows."""
    names = ", ".join(quoted(name) for name in key)
    several = f"FROM read_parquet(?) GROUP BY {names} HAVING count(*) > 1"
    query = f"SELECT count(*) FROM (SELECT 1 {several})"  # noqa: S608 - names are quoted
    found = database.execute(query, [str(side.path)]).fetchone()
    return int(found[0]) if found else 0


def _types(side: Side) -> dict[str, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(side.path)
    except pa.ArrowInvalid as error:
        what = "is not a Parquet table"
        raise bad_input(
            side.name, what, "compare versions that `mlops data ingest` made"
        ) from error
    return {field.name: _word(str(field.type)) for field in schema}


def _word(arrow: str) -> str:
    """A contract's word for a type, or Arrow's own when a contract has none."""
    kind = arrow.partition("[")[0]
    words = {"int64": "integer", "double": "number", "bool": "boolean", "date32": "date"}
    return words.get(kind, kind)


def _counted(
    database: "DuckDBPyConnection", before: Side, after: Side, columns: _Columns
) -> dict[str, Any]:
    """What the query counts, by name; see `_query`."""
    found = database.execute(_query(columns), [str(before.path), str(after.path)])
    names = [one[0] for one in found.description]
    return dict(zip(names, found.fetchone() or (), strict=True))


def _query(columns: _Columns) -> str:
    """One row of counts. Columns go by number, so that no name is part of an expression."""
    parts = [
        "count(*) FILTER (old.here IS NULL) AS added",
        "count(*) FILTER (new.here IS NULL) AS removed",
        "count(*) FILTER (old.here AND new.here) AS both",
        f"count(*) FILTER (old.here AND new.here AND ({_any_differs(columns)})) AS changed",
        *(part for n in range(len(columns.shared)) for part in _of_column(n, columns)),
        *_missing("old", columns.before),
        *_missing("new", columns.after),
    ]
    on = " AND ".join(f"old.k{n} IS NOT DISTINCT FROM new.k{n}" for n in range(len(columns.key)))
    return (
        f"SELECT {', '.join(parts)} FROM ({_side(columns, columns.before)}) old "  # noqa: S608 - names are quoted
        f"FULL JOIN ({_side(columns, columns.after)}) new ON {on}"
    )


def _side(columns: _Columns, types: dict[str, str]) -> str:
    """A version with its key as k0, k1, ..., the shared columns as c0, ..., all as m0, ..."""
    key = [f"{_cast(name, columns)} AS k{n}" for n, name in enumerate(columns.key)]
    shared = [f"{_cast(name, columns)} AS c{n}" for n, name in enumerate(columns.shared)]
    every = [f"{quoted(name)} IS NULL AS m{n}" for n, name in enumerate(types)]
    return f"SELECT true AS here, {', '.join([*key, *shared, *every])} FROM read_parquet(?)"  # noqa: S608 - names are quoted


def _cast(name: str, columns: _Columns) -> str:
    """A column as a type that both sides can be compared in."""
    kinds = {columns.before[name], columns.after[name]}
    if len(kinds) == 1:
        return quoted(name)
    common = "DOUBLE" if kinds <= NUMBERS else "TIMESTAMP" if kinds <= MOMENTS else "VARCHAR"
    return f"CAST({quoted(name)} AS {common})"


def _differs(number: int) -> str:
    return f"old.c{number} IS DISTINCT FROM new.c{number}"


def _any_differs(columns: _Columns) -> str:
    return " OR ".join(_differs(n) for n in range(len(columns.shared))) or "false"


def _of_column(number: int, columns: _Columns) -> tuple[str, str]:
    """How many values of a shared column differ, and those that differ most."""
    differing = f"FILTER (old.here AND new.here AND {_differs(number)})"
    keys = [f"k{n}: old.k{n}" for n in range(len(columns.key))]
    told = ", ".join([*keys, f"before: old.c{number}", f"after: new.c{number}"])
    # The key decides between changes of one size, so that the same versions give the same answer.
    order = ", ".join([_size(number, columns), *(f"old.k{n}" for n in range(len(columns.key)))])
    return (
        f"count(*) {differing} AS changed{number}",
        f"arg_max({{{told}}}, row({order}), {EXAMPLES}) {differing} AS examples{number}",
    )


def _size(number: int, columns: _Columns) -> str:
    """How large a change is; one without size, as of text or to a missing value, is smallest."""
    name = columns.shared[number]
    kinds = {columns.before[name], columns.after[name]}
    if kinds <= NUMBERS:
        return f"coalesce(abs(CAST(new.c{number} AS DOUBLE) - CAST(old.c{number} AS DOUBLE)), -1)"
    if kinds <= MOMENTS:
        return f"coalesce(abs(epoch(new.c{number}) - epoch(old.c{number})), -1)"
    return "-1"


def _missing(side: str, types: dict[str, str]) -> list[str]:
    return [f"count(*) FILTER ({side}.m{n}) AS missing_{side}{n}" for n in range(len(types))]


def _column(name: str, columns: _Columns, rows: dict[str, Any]) -> ColumnDifference:
    def missing(side: str, types: dict[str, str]) -> int:
        return rows[f"missing_{side}{list(types).index(name)}"] if name in types else 0

    number = columns.shared.index(name) if name in columns.shared else None
    found = rows[f"examples{number}"] if number is not None else None
    return ColumnDifference(
        name=name,
        before=columns.before.get(name),
        after=columns.after.get(name),
        changed=rows[f"changed{number}"] if number is not None else 0,
        missing_before=missing("old", columns.before),
        missing_after=missing("new", columns.after),
        examples=tuple(_example(one, len(columns.key)) for one in found or ()),
    )


def _example(found: dict[str, Any], length: int) -> Example:
    key = tuple(found[f"k{n}"] for n in range(length))
    return Example(key, found["before"], found["after"])


@dataclass(frozen=True)
class _Distributions:
    """Both sides, for the distances of one column after the other."""

    database: "DuckDBPyConnection"
    before: Side
    after: Side
    columns: _Columns
    share: int

    def with_drift(self, one: ColumnDifference, *, same_rows: bool) -> ColumnDifference:
        """The column with its distance, where it has one."""
        if one.before != one.after or one.name in self.columns.key:
            return one
        # The same values in the same rows need not be read to be known as the same.
        same = same_rows and not one.changed
        return replace(one, drift=0.0 if same else self._drift(one.name))

    def _drift(self, name: str) -> float:
        from mlops.data.drift import drift

        (found,) = drift(self._values(self.before, name), self._values(self.after, name), [name])
        return found.statistic

    def _values(self, side: Side, name: str) -> "pd.DataFrame":
        key = ", ".join(_cast(each, self.columns) for each in self.columns.key)
        taken = f" WHERE hash({key}) % {self.share} = 0" if self.share > 1 else ""
        query = f"SELECT {quoted(name)} FROM read_parquet(?){taken}"  # noqa: S608 - names are quoted
        found: pd.DataFrame = self.database.execute(query, [str(side.path)]).df()
        return found
