"""A contract's table checked where it lies: nothing is copied.

Columns, their types, the number of rows and the contract's own queries are asked of the place;
all else Great Expectations asks there.
"""

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from mlops.data import expectations, rules
from mlops.data.contract import Contract, LogicalType
from mlops.data.expectations import EXAMPLES, Outcome, columns_outcome, rows_outcome
from mlops.data.in_place import database, spark
from mlops.data.in_place.place import Place, Unanswered
from mlops.data.rule import Rule
from mlops.data.validation import Report, refuse_what_cannot_run
from mlops.errors import BadInput, Problem, bad_input
from mlops.specs.project import Server

PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
NUMBERS = (float, int, Decimal)
PYTHON: dict[LogicalType, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": NUMBERS,
    "boolean": (bool,),
    "timestamp": (datetime, date),
    "date": (datetime, date),
}
"""The Python types of stored columns that are the contract's type."""
TYPED = "expect_column_values_to_be_in_type_list"


def validate_in_place(
    contract: Contract, name: str, server: Server, *, said_in: str | None = None
) -> Report:
    """Check the contract's table on a server.

    The table is called by the contract's `physicalName`, or by its `name`.

    Args:
        contract: the dataset's contract.
        name: the server's, for messages.
        server: where the table lies.
        said_in: where that is written, for messages; default: in mlops.toml.

    Raises:
        BadInput: when an environment variable is not set, there is no driver, the server does not
            answer, or has no such table.
    """
    refuse_what_cannot_run(contract)
    said_in = said_in or f"mlops.toml: data.servers.{name}"
    url, table = _filled(server.url, said_in), _called(contract)
    try:
        with _opened(server, url, table, contract.table.name) as place:
            return _checked(contract, place, f"{table} on {name}")
    except Unanswered as unanswered:
        raise _unreachable(said_in, table, url, unanswered) from None


def _opened(server: Server, url: str, table: str, known_as: str) -> AbstractContextManager[Place]:
    if not server.is_spark:
        return database.opened(url, server.namespace, table, known_as)
    parquet = server.parquet and server.parquet.replace("{table}", table)
    return spark.opened(url, server.namespace, parquet, table, known_as)


def _checked(contract: Contract, place: Place, subject: str) -> Report:
    """All rules whose columns are there."""
    asked = (*rules.schema_rules(contract.table), *rules.value_rules(contract.table))
    checkable = [rule for rule in asked if set(place.types).issuperset(rule.columns)]
    here = [_asked(contract, place, rule) for rule in checkable]
    left = [rule for rule, outcome in zip(checkable, here, strict=True) if outcome is None]
    found = expectations.run_there(left, place.batch, place.rows) if left else ()
    answers = iter(found)
    return Report(
        contract=contract,
        subject=subject,
        rows=place.rows,
        outcomes=tuple(outcome or _with_worst(next(answers), place) for outcome in here),
        unchecked=tuple(rule for rule in asked if rule not in checkable),
    )


def _asked(contract: Contract, place: Place, rule: Rule) -> Outcome | None:
    """A rule that needs no library; None for the others."""
    if rule.kind == "schema" and not rule.columns:
        return columns_outcome(rule, place.types, place.rows, "server")
    if rule.kind == "rows":
        return rows_outcome(rule, place.rows, "server")
    if rule.expectation == TYPED and rule.kind == "schema":
        return _of_type(contract, place, rule)
    return _query(place, rule) if rule.in_sql else None


def _of_type(contract: Contract, place: Place, rule: Rule) -> Outcome:
    stored = place.types[rule.columns[0]]
    column = next(c for c in contract.columns if c.name == rule.columns[0])
    right = stored.python in PYTHON[column.logical_type]
    observed = "" if right else f"the column is {stored.called}"
    return _judged(place, rule, observed, right, failing=0 if right else place.rows)


def _query(place: Place, rule: Rule) -> Outcome:
    """A query of the contract, in the place's own words."""
    try:
        figure = place.figure(rule.kwargs["query"])
    except Unanswered as unanswered:
        return _judged(place, rule, f"it cannot be run ({_first_line(unanswered)})", passed=False)
    if figure is None or rule.threshold is None:
        return _judged(place, rule, "it gives nothing", passed=False)
    return _judged(place, rule, f"it gives {figure}", rule.threshold.holds(float(figure)))


def _judged(
    place: Place, rule: Rule, observed: str, passed: bool, failing: int | None = None
) -> Outcome:
    count = int(not passed) if failing is None else failing
    return Outcome(rule, passed, place.rows, count, observed=observed, engine="server")


def _with_worst(outcome: Outcome, place: Place) -> Outcome:
    """Numbers outside of a range with the worst of them, not the first."""
    bounds = expectations.bounds_of(outcome.rule)
    few = min(outcome.failing, EXAMPLES)
    if not few or bounds is None or place.types[outcome.rule.columns[0]].python not in NUMBERS:
        return outcome
    worst = place.worst(outcome.rule.columns[0], bounds, few)
    return replace(outcome, observed=expectations.such_as(outcome.rule, worst))


def _called(contract: Contract) -> str:
    physical = (contract.table.model_extra or {}).get("physicalName")
    return str(physical) if physical else contract.table.name


def _filled(url: str, said_in: str) -> str:
    """The address with environment variables put in, quoted as a part of it."""
    from urllib.parse import quote

    absent = sorted(each for each in set(PLACEHOLDER.findall(url)) if each not in os.environ)
    if absent:
        raise BadInput(Problem(said_in, f"{each} is not set", f"export {each}") for each in absent)
    return PLACEHOLDER.sub(lambda found: quote(os.environ[found[1]], safe=""), url)


def _first_line(unanswered: Unanswered) -> str:
    return next(iter(str(unanswered).splitlines()), "")


def _unreachable(said_in: str, table: str, url: str, unanswered: Unanswered) -> BadInput:
    """What was said, without what is secret in the address."""
    first = _first_line(unanswered)
    for word in _secrets(url):
        first = first.replace(word, "***")
    what = f"`{table}` could not be checked there ({first})"
    return bad_input(said_in, what, unanswered.fix)


def _secrets(url: str) -> Sequence[str]:
    from urllib.parse import unquote, urlsplit

    tokens = re.findall(r";token=([^;]+)", url)
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        password = ""
    hidden = (password, *tokens)
    return tuple(word for word in (url, *hidden, *map(unquote, hidden)) if word)
