"""Figures of a batch: what is measured of each column and of the table, in few scans."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.data.learned.columns import Looked
from mlops.data.learned.model import Bins, Known, Together
from mlops.data.rules import quoted

TABLE = "the table"
Key = tuple[str, str]
"""A column (or TABLE, or a relation of columns) and the figure's name."""
SHIFT, DIFFERING = "shift", "with different "
LEAST_SHARE = 1e-4
"""A part of a distribution that is empty counts as this share in the index of its shift."""


@dataclass(frozen=True)
class Asked:
    """What figures are asked of a batch: its columns, and what was found of the reference."""

    columns: tuple[Looked, ...]
    moment: str
    period: str
    bins: Mapping[str, Bins]
    together: Sequence[Together]
    known: Sequence[Known]


def figures(opened: Any, asked: Asked) -> dict[Key, float]:
    """All figures of the table `batch`; those of a column without values are left out."""
    found = _of_columns(opened, asked)
    for each in asked.together:
        found |= _together(opened, each)
    for known in asked.known:
        found |= _known(opened, known)
    return found


def _of_columns(opened: Any, asked: Asked) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for expressions in (
        dict(_of_table(asked)),
        *(dict(_of_column(c, asked)) for c in asked.columns),
    ):
        # The shift of all columns in one query takes ten times as long.
        shifts = {key: sql for key, sql in expressions.items() if key[1] == SHIFT}
        others = {key: sql for key, sql in expressions.items() if key not in shifts}
        for some in filter(None, (shifts, others)):
            found |= _measured(opened, some)
    return found


def _measured(opened: Any, expressions: Mapping[Key, str]) -> dict[Key, float]:
    query = f"SELECT {', '.join(expressions.values())} FROM batch"
    (row,) = opened.execute(query).fetchall()
    pairs = zip(expressions, row, strict=True)
    return {key: float(value) for key, value in pairs if value is not None}


def _of_table(asked: Asked) -> Iterator[tuple[Key, str]]:
    yield (TABLE, "rows"), "count(*)"
    at = quoted(asked.moment)
    yield (TABLE, f"{asked.period}s"), f"count(DISTINCT date_trunc('{asked.period}', {at}))"
    if content := [quoted(each.name) for each in asked.columns if _is_content(each, asked)]:
        some = _with_counts(asked)
        distinct = f"count(DISTINCT hash({', '.join(content)})) FILTER ({some})"
        again = f"1 - {distinct} / nullif(count(*) FILTER ({some}), 0)"
        yield (TABLE, "rows that come again"), again


def _with_counts(asked: Asked) -> str:
    """Rows in which anything was counted: those of nothing are alike when nothing is wrong."""
    counted = sorted({name for known in asked.known for name in known.levels})
    return " OR ".join(f"{quoted(name)} > 0" for name in counted) or "true"


def _is_content(column: Looked, asked: Asked) -> bool:
    """Whether a column tells rows of other moments apart: not the moments, not a calendar.

    A calendar is what belongs to the hour of the week, and what hangs on that, as a working day
    does on the weekday.
    """
    calendar = {name for each in asked.known if asked.moment in each.of for name in each.columns}
    calendar |= {name for each in asked.together if each.of in calendar for name in each.columns}
    return column.own and column.sort != "moment" and column.name not in calendar


def _of_column(column: Looked, asked: Asked) -> Iterator[tuple[Key, str]]:
    for name, sql in _by_name(column, asked.bins.get(column.name)):
        yield (column.name, name), sql


def _by_name(column: Looked, bins: Bins | None) -> Iterator[tuple[str, str]]:
    x = quoted(column.name)
    if column.own:
        yield "missing", f"avg(CAST({x} IS NULL AS INT))"
    if column.sort == "number":
        yield "mean", f"avg({x})"
        yield "spread", f"stddev_pop({x})"
        yield "least", f"min({x})"
        yield "most", f"max({x})"
    if column.sort == "number" and column.own:
        yield "zeros", f"avg(CAST({x} = 0 AS INT))"
        yield "whole", f"avg(CAST({x} = round({x}) AS INT))"
        yield "different values", f"approx_count_distinct({x})"
    if column.sort == "moment":
        yield "different values", f"approx_count_distinct({x})"
        yield "hours", f"(epoch(max({x})) - epoch(min({x}))) / 3600"
    if column.sort == "text":
        yield "different values", f"count(DISTINCT {x})"
        yield "shortest", f"min(length({x}))"
        yield "longest", f"max(length({x}))"
        yield "length", f"avg(length({x}))"
    if bins:
        yield SHIFT, _shift(x, bins)
        if bins.values and not column.listed:
            yield "unknown values", f"avg(CAST({x} NOT IN ({_texts(bins.values)}) AS INT))"


def _shift(x: str, bins: Bins) -> str:
    """The population stability index against the reference: sum of (p - q) ln(p / q)."""
    n = f"greatest(count({x}), 1)"
    if bins.values:
        counts = [f"count(*) FILTER ({x} = {_text(value)})" for value in bins.values]
    else:
        below = [f"count(*) FILTER ({x} <= {edge!r})" for edge in bins.edges]
        ends = zip(["0", *below], [*below, f"count({x})"], strict=True)
        counts = [f"({high} - {low})" for low, high in ends]
    terms = []
    for count, share in zip(counts, bins.shares, strict=True):
        q = max(share, LEAST_SHARE)
        p = f"greatest({count} / {n}, {LEAST_SHARE})"
        terms.append(f"({p} - {q!r}) * ln({p} / {q!r})")
    return " + ".join(terms)


def _texts(values: Sequence[str]) -> str:
    return ", ".join(_text(value) for value in values)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _together(opened: Any, each: Together) -> dict[Key, float]:
    """How many values of a column have rows that differ in another."""
    found = different(opened, each.of, each.columns)
    return {
        (each.of, differing(name)): float(count)
        for name, count in zip(each.columns, found, strict=True)
    }


def differing(name: str) -> str:
    """The figure that counts values of a column whose rows differ in another."""
    return DIFFERING + name


def different(opened: Any, of: str, columns: Sequence[str]) -> tuple[int, ...]:
    """For each column, how many groups of rows with the same `of` have different values of it."""
    inner = ", ".join(
        f"(min({x}) IS DISTINCT FROM max({x}) OR count({x}) NOT IN (0, count(*))) AS c{n}"
        for n, x in enumerate(map(quoted, columns))
    )
    outer = ", ".join(f"count(*) FILTER (c{n})" for n in range(len(columns)))
    query = f"SELECT {outer} FROM (SELECT {inner} FROM batch GROUP BY {quoted(of)})"
    (row,) = opened.execute(query).fetchall()
    return tuple(row)


def table_of(known: Known) -> str:
    """The name of the table, in the database, that holds the known values."""
    return quoted(f"known {known.of}")


def _known(opened: Any, known: Known) -> dict[Key, float]:
    """Rows whose values are not as they are known, and how far levels are from the known ones."""
    of = quoted(known.of)
    found: dict[Key, float] = {}
    pairs = [f"count(*) FILTER (k.{of} IS NOT NULL AND b.{x} IS DISTINCT FROM k.{x})"
             for x in map(quoted, known.columns)]  # fmt: skip
    counts = ", ".join([f"count(*) FILTER (k.{of} IS NULL)", *pairs])
    query = f"SELECT {counts} FROM batch b LEFT JOIN {table_of(known)} k ON b.{of} = k.{of}"
    ((unknown, *others),) = opened.execute(query).fetchall()
    found[known.of, "rows with unknown values"] = float(unknown)
    for name, count in zip(known.columns, others, strict=True):
        found[known.of, f"rows with another {name}"] = float(count)
    there = f"SELECT count(DISTINCT {of}) FROM batch SEMI JOIN {table_of(known)} USING ({of})"
    ((count,),) = opened.execute(there).fetchall()
    found[known.of, "known values that are there"] = float(count)
    return found | _levels(opened, known)


def _levels(opened: Any, known: Known) -> dict[Key, float]:
    """How far, in standard errors of a count, a value's rows are from their usual share."""
    if not known.levels:
        return {}
    of = quoted(known.of)
    means = ", ".join(f"avg({quoted(n)}) AS m{i}" for i, n in enumerate(known.levels))
    whole = ", ".join(f"avg({quoted(n)}) AS w{i}" for i, n in enumerate(known.levels))
    usual = [f"w{i} * k.{quoted(level(n))}" for i, n in enumerate(known.levels)]
    distances = ", ".join(
        f"(m{i} - {each}) / sqrt(nullif({each}, 0)) AS z{i}" for i, each in enumerate(usual)
    )
    outer = ", ".join(f"min(z{i}), max(z{i}), stddev_pop(z{i})" for i in range(len(known.levels)))
    (row,) = opened.execute(
        f"SELECT {outer} FROM (SELECT {distances} FROM "
        f"(SELECT {of}, {means} FROM batch GROUP BY {of}) JOIN {table_of(known)} k USING ({of}), "
        f"(SELECT {whole} FROM batch))"
    ).fetchall()
    called = ("least", "most", "spread")
    keys = [(known.of, f"{what} of {n} against its level") for n in known.levels for what in called]
    return {key: float(v) for key, v in zip(keys, row, strict=True) if v is not None}


def level(name: str) -> str:
    """The column of known values that holds a level."""
    return f"level of {name}"
