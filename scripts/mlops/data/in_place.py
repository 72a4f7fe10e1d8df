"""A contract's table checked in the database in which it lies: nothing is copied.

Columns, their types, the number of rows and the contract's own queries are asked of the database;
all else Great Expectations asks, by SQLAlchemy. So it runs on whatever has a SQLAlchemy dialect and
is known to Great Expectations: PostgreSQL, Snowflake, BigQuery, Redshift, Databricks (Spark) ...
"""

import os
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mlops.data import expectations, rules
from mlops.data.contract import Contract, LogicalType
from mlops.data.expectations import Outcome, columns_outcome, rows_outcome
from mlops.data.rule import Rule
from mlops.data.rules import TYPES
from mlops.data.validation import Report, refuse_what_cannot_run
from mlops.errors import BadInput, Problem, bad_input
from mlops.specs.project import Server

PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
PYTHON: dict[LogicalType, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (float, int, Decimal),
    "boolean": (bool,),
    "timestamp": (datetime, date),
    "date": (datetime, date),
}
"""The Python types of a database's columns that are the contract's type."""
TYPED = "expect_column_values_to_be_in_type_list"


def validate_in_place(contract: Contract, name: str, server: Server) -> Report:
    """Check the contract's table on a server.

    The table is called by the contract's `physicalName`, or by its `name`.

    Args:
        contract: the dataset's contract.
        name: the server's, for messages.
        server: where the table lies.

    Raises:
        BadInput: when an environment variable is not set, there is no driver, the server does not
            answer, or has no such table.
    """
    import sqlalchemy

    refuse_what_cannot_run(contract)
    url = _filled(server.url, name)
    try:
        with sqlalchemy.create_engine(url).connect() as connection:
            return _There(contract, name, url, server.namespace, connection).checked()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError) as error:
        raise _unreachable(name, _called(contract), url, error) from None


class _There:
    """A contract's table on a server that answers."""

    def __init__(
        self, contract: Contract, name: str, url: str, namespace: str | None, connection: Any
    ) -> None:
        import sqlalchemy

        self.contract = contract
        self.name = name
        self.url = url
        self.namespace = namespace
        self.connection = connection
        self.table = _called(contract)
        columns = sqlalchemy.inspect(connection).get_columns(self.table, namespace)
        self.types = {column["name"]: column["type"] for column in columns}
        counted = sqlalchemy.select(sqlalchemy.func.count()).select_from(
            sqlalchemy.table(self.table, schema=namespace)
        )
        self.rows = int(connection.execute(counted).scalar_one())

    def checked(self) -> Report:
        """All rules whose columns are there."""
        table = self.contract.table
        asked = (*rules.schema_rules(table), *rules.value_rules(table))
        checkable = [rule for rule in asked if set(self.types).issuperset(rule.columns)]
        here = [self._asked(rule) for rule in checkable]
        left = [rule for rule, outcome in zip(checkable, here, strict=True) if outcome is None]
        answers = iter(
            expectations.run_there(left, self.url, self.table, self.namespace, self.rows)
            if left
            else ()
        )
        return Report(
            contract=self.contract,
            subject=f"{self.table} on {self.name}",
            rows=self.rows,
            outcomes=tuple(outcome or next(answers) for outcome in here),
            unchecked=tuple(rule for rule in asked if rule not in checkable),
        )

    def _asked(self, rule: Rule) -> Outcome | None:
        """A rule that needs no library; None for the others."""
        if rule.kind == "schema" and not rule.columns:
            return columns_outcome(rule, self.types, self.rows, "server")
        if rule.kind == "rows":
            return rows_outcome(rule, self.rows, "server")
        if rule.expectation == TYPED:
            return self._of_type(rule)
        return self._query(rule) if rule.in_sql else None

    def _of_type(self, rule: Rule) -> Outcome:
        stored = self.types[rule.columns[0]]
        kinds = [kind for kind, names in TYPES.items() if list(names) == rule.kwargs["type_list"]]
        try:
            right = stored.python_type in {each for kind in kinds for each in PYTHON[kind]}
        except NotImplementedError:  # a type of the database's own, such as a point
            right = False
        observed = "" if right else f"the column is {stored}"
        return self._judged(rule, observed, right, failing=0 if right else self.rows)

    def _query(self, rule: Rule) -> Outcome:
        """A query of the contract, in the database's own words; what it changes is taken back."""
        import sqlalchemy

        # The placeholder has become the contract's name of the table; here it has another.
        there = ".".join(rules.quoted(part) for part in (self.namespace, self.table) if part)
        query = rule.kwargs["query"].replace(rules.quoted(self.contract.table.name), there)
        nested = self.connection.begin_nested()
        try:
            figure = self.connection.exec_driver_sql(query).scalar_one()
        except sqlalchemy.exc.SQLAlchemyError as error:
            said = str(error).splitlines()[0]
            return self._judged(rule, f"it cannot be run ({said})", passed=False)
        finally:
            nested.rollback()
        if figure is None or rule.threshold is None:
            return self._judged(rule, "it gives nothing", passed=False)
        return self._judged(rule, f"it gives {figure}", rule.threshold.holds(float(figure)))

    def _judged(
        self, rule: Rule, observed: str, passed: bool, failing: int | None = None
    ) -> Outcome:
        count = int(not passed) if failing is None else failing
        return Outcome(rule, passed, self.rows, count, observed=observed, engine="server")


def _called(contract: Contract) -> str:
    physical = (contract.table.model_extra or {}).get("physicalName")
    return str(physical) if physical else contract.table.name


def _filled(url: str, name: str) -> str:
    """The address with environment variables put in, quoted as a part of it."""
    from urllib.parse import quote

    absent = sorted(each for each in set(PLACEHOLDER.findall(url)) if each not in os.environ)
    if absent:
        raise BadInput(
            Problem(f"mlops.toml: data.servers.{name}", f"{each} is not set", f"export {each}")
            for each in absent
        )
    return PLACEHOLDER.sub(lambda found: quote(os.environ[found[1]], safe=""), url)


def _unreachable(name: str, table: str, url: str, error: Exception) -> BadInput:
    """What was said, without what is secret in the address."""
    first: str = next(iter(str(error).splitlines()), "") or type(error).__name__
    for word in _secrets(url):
        first = first.replace(word, "***")
    what = f"`{table}` could not be checked there ({first})"
    fix = "correct the address, install the driver, or create the table"
    return bad_input(f"mlops.toml: data.servers.{name}", what, fix)


def _secrets(url: str) -> Sequence[str]:
    from urllib.parse import unquote, urlsplit

    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return (url,)
    return tuple(word for word in (url, password, unquote(password)) if word)
