"""What belongs to each value of a column for good, such as a station's district: gathered, kept."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops import digests
from mlops.data.contract import Table
from mlops.data.learned.columns import Looked
from mlops.data.learned.discovery import MOST_GROUPS
from mlops.data.learned.figures import level, table_of
from mlops.data.learned.model import Known, Together
from mlops.data.rules import quoted

STORED = {"number": "DOUBLE", "moment": "TIMESTAMP", "text": "VARCHAR"}


@dataclass(frozen=True)
class Candidate:
    """Columns that go together in one period, and numbers whose level each value may have."""

    together: Together
    levels: tuple[str, ...]

    @property
    def of(self) -> str:
        """The column that the others hang on."""
        return self.together.of

    @property
    def seen(self) -> str:
        """The table of what was seen in each period."""
        return quoted(f"seen {self.of}")


def candidates(
    opened: Any, columns: Sequence[Looked], found: Sequence[Together], moment: str
) -> tuple[Candidate, ...]:
    """Of what goes together in the table `batch`, with the numbers that are worth a level.

    These are numbers from 0 on that vary more than they are high (counts and sums), and are not
    those of the moment alone, as the weather is.
    """
    by_moment = {name for each in found if moment in each.of for name in each.columns}
    numbers = [c.name for c in columns if c.own and c.sort == "number" and c.name not in by_moment]
    counted = [name for name in numbers if _is_counted(opened, quoted(name))]
    return tuple(Candidate(each, _levels(each, counted, moment)) for each in found)


def measured(opened: Any, table: Table) -> list[str]:
    """Columns that are measured or counted: not codes, as of a weekday or a season."""
    whole = [c.name for c in table.properties if c.logical_type == "integer"]
    counted = {name for name in whole if _is_counted(opened, quoted(name), "sample")}
    numbers = [c.name for c in table.properties if c.logical_type in ("integer", "number")]
    return [name for name in numbers if name not in whole or name in counted]


def _is_counted(opened: Any, x: str, rows: str = "batch") -> bool:
    query = f"SELECT min({x}) >= 0 AND stddev_pop({x}) > avg({x}) FROM {rows}"
    return bool(opened.execute(query).fetchall()[0][0])


def _levels(each: Together, counted: Sequence[str], moment: str) -> tuple[str, ...]:
    of_moment = moment in each.of
    return () if of_moment else tuple(name for name in counted if name not in each.columns)


def gather(opened: Any, each: Candidate, *, first: bool) -> None:
    """Add what goes together in the table `batch`, and its levels, to what was seen before."""
    names = [quoted(each.of), *map(quoted, each.together.columns)]
    share = "avg({0}) / nullif((SELECT avg({0}) FROM batch), 0) AS {1}"
    means = [share.format(quoted(name), quoted(level(name))) for name in each.levels]
    rest = [f"any_value({name}) AS {name}" for name in names[1:]]
    select = f"SELECT {', '.join([names[0], *rest, *means])} FROM batch GROUP BY {names[0]}"
    opened.execute(f"{'CREATE TEMP TABLE' if first else 'INSERT INTO'} {each.seen} "
                   f"{'AS ' if first else ''}{select}")  # fmt: skip


def settled(opened: Any, each: Candidate, periods: int) -> tuple[Known, bytes] | None:
    """What belongs together for good: the same values come in each period, with the same others."""
    of = quoted(each.of)
    query = f"SELECT count({of}), count(DISTINCT {of}) FROM {each.seen}"
    ((came, values),) = opened.execute(query).fetchall()
    if values > MOST_GROUPS or came <= values * periods / 2:
        return None
    lasting = tuple(name for name in each.together.columns if _lasts(opened, each, name))
    if not lasting:
        return None
    content = _written(opened, each, lasting)
    return Known(
        of=each.of, columns=lasting, levels=each.levels, digest=digests.of_bytes(content)
    ), content


def _lasts(opened: Any, each: Candidate, name: str) -> bool:
    x = quoted(name)
    query = (
        f"SELECT count(*) = 0 FROM (SELECT 1 FROM {each.seen} GROUP BY {quoted(each.of)} "
        f"HAVING min({x}) IS DISTINCT FROM max({x}))"
    )
    return bool(opened.execute(query).fetchall()[0][0])


def _written(opened: Any, each: Candidate, lasting: Sequence[str]) -> bytes:
    of = quoted(each.of)
    columns = [f"any_value({quoted(name)})" for name in lasting]
    levels = [f"round(avg({quoted(level(name))}), 3)" for name in each.levels]
    query = (
        f"SELECT {', '.join([of, *columns, *levels])} FROM {each.seen} "
        f"WHERE {of} IS NOT NULL GROUP BY {of} ORDER BY {of}"
    )
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([each.of, *lasting, *map(level, each.levels)])
    writer.writerows(opened.execute(query).fetchall())
    return sink.getvalue().encode()


def load(opened: Any, columns: Sequence[Looked], known: Known, content: bytes) -> None:
    """Make the table that figures join: known values in the types of the columns looked at."""
    import pyarrow as pa

    header, *rows = csv.reader(io.StringIO(content.decode()))
    given = pa.table({n: [row[i] for row in rows] for i, n in enumerate(header)})
    sorts: Mapping[str, str] = {each.name: STORED[each.sort] for each in columns}
    typed = ", ".join(
        f"CAST(nullif({quoted(name)}, '') AS {sorts.get(name, 'DOUBLE')}) AS {quoted(name)}"
        for name in header
    )
    opened.register("known values", given)
    opened.execute(
        f'CREATE OR REPLACE TEMP TABLE {table_of(known)} AS SELECT {typed} FROM "known values"'
    )
    opened.unregister("known values")
