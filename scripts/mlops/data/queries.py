"""Rules in SQL, run by DuckDB: on the contract's table alone, with no way to files or network."""

from collections.abc import Sequence
from decimal import Decimal
from threading import Timer
from typing import Any

from mlops.data.contract import Table
from mlops.data.expectations import Outcome
from mlops.data.rule import Rule
from mlops.data.scanning.closed import database
from mlops.data.table import arrow

SECONDS = 60
"""After which a query is given up."""


class _Refused(Exception):
    """A query cannot be run, or gives no one figure; says why, of the query."""


def run(rules: Sequence[Rule], opened: Any, rows: int) -> tuple[Outcome, ...]:
    """Run queries; the one figure that each gives is held to its threshold.

    Args:
        rules: the queries.
        opened: the database that holds the contract's table.
        rows: how many rows that has.
    """
    return tuple(_outcome(rule, opened, rows) for rule in rules)


def refusal(rule: Rule, asked: Table) -> str | None:
    """Why a query can run on no table of a contract, said of the rule; None when it can."""
    try:
        with database() as opened:
            opened.register(asked.name, arrow(asked.properties))
            _figure(opened, rule.kwargs["query"])
    except _Refused as refused:
        return f"is a query that {refused}"
    return None


def _outcome(rule: Rule, opened: Any, rows: int) -> Outcome:
    try:
        figure = _figure(opened, rule.kwargs["query"])
    except _Refused as refused:
        return Outcome(
            rule, passed=False, checked=rows, failing=1, observed=f"it {refused}", engine="duckdb"
        )
    met = figure is not None and rule.threshold is not None and rule.threshold.holds(figure)
    observed = "it gives nothing" if figure is None else f"it gives {figure}"
    return Outcome(rule, met, rows, int(not met), observed=observed, engine="duckdb")


def _figure(opened: Any, query: str) -> float | None:
    """The figure that a query gives; None for none, as a sum of no rows does."""
    import duckdb

    stop = Timer(SECONDS, opened.interrupt)
    stop.start()
    try:
        statements = opened.extract_statements(query)
        if [each.type for each in statements] != [duckdb.StatementType.SELECT]:
            raise _Refused("is not one SELECT")
        rows = opened.execute(statements[0]).fetchmany(2)
    except duckdb.InterruptException as error:
        raise _Refused(f"takes longer than {SECONDS} seconds") from error
    except duckdb.Error as error:
        first_line = str(error).strip().splitlines()[0]
        raise _Refused(f"cannot be run by DuckDB ({first_line})") from error
    finally:
        stop.cancel()
    return _one(rows)


def _one(rows: Sequence[Sequence[Any]]) -> float | None:
    if len(rows) != 1 or len(rows[0]) != 1:
        raise _Refused("does not give one figure")
    value = rows[0][0]
    if value is not None and not isinstance(value, int | float | Decimal):
        raise _Refused(f"gives {value!r}, which is no number")
    return float(value) if isinstance(value, Decimal) else value
