"""A batch held to the rules that were learned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.data.contract import Contract
from mlops.data.expectations import Outcome
from mlops.data.learned import known
from mlops.data.learned.figures import TABLE, Asked, Key, figures
from mlops.data.learned.model import Between, Learned
from mlops.data.learned.tables import database, laid_out, source
from mlops.data.rule import LEARNED, Kind, Rule

KINDS: Mapping[str, Kind] = {
    "missing": "missing",
    "rows": "rows",
    "hours": "rows",
    "known values that are there": "rows",
    "rows that come again": "duplicates",
    "least": "outliers",
    "most": "outliers",
    "shortest": "outliers",
    "longest": "outliers",
    "unknown values": "outliers",
    "rows with unknown values": "relation",
}
RELATION = ("with different ", "rows with another ", "least of ", "most of ", "spread of ")


def check(
    contract: Contract, learned: Learned, values: Mapping[str, bytes], rows: "Path | Any"
) -> tuple[Outcome, ...]:
    """Hold a batch to learned rules.

    Args:
        contract: the columns and their types.
        values: the files of known values, by column.
        rows: a Parquet file, or an Arrow table.
    """
    with database() as opened:
        columns = laid_out(opened, source(opened, rows), contract, learned.moment, learned.fits)
        for each in learned.known:
            known.load(opened, columns, each, values[each.of])
        asked = Asked(
            columns, learned.moment, learned.period, learned.bins, learned.together, learned.known
        )
        found = figures(opened, asked)
        count = int(found[TABLE, "rows"])
    return tuple(
        _outcome(learned, (column, name), bounds, found.get((column, name)), count)
        for column, named in learned.rules.items()
        for name, bounds in named.items()
        if f"{column}: {name}" not in learned.off
    )


def _outcome(
    learned: Learned, key: Key, bounds: Between, value: float | None, rows: int
) -> Outcome:
    # Without values there is no figure; that they are missing is a figure of its own.
    passed = value is not None and value in bounds
    observed = "no values" if value is None else f"{value:.6g}"
    rule, failing = _rule(learned, key, bounds), int(not passed)
    return Outcome(rule, passed, rows, failing, observed=observed, engine="duckdb")


def _rule(learned: Learned, key: Key, bounds: Between) -> Rule:
    column, name = key
    called = name if column == TABLE else f"`{column}` {name}"
    return Rule(
        text=f"{called}: {bounds}, as in {learned.periods} {learned.period}s",
        complaint=f"{called} has to be {bounds}, as in {learned.periods} {learned.period}s",
        kind=_kind(name),
        columns=() if column == TABLE else (column,),
        expectation=LEARNED,
        threshold=None,
        place=f"{column}: {name}",
        severity=learned.severity,
    )


def _kind(name: str) -> Kind:
    if name.startswith(RELATION):
        return "relation"
    return KINDS.get(name, "distribution")
