"""One record held to a contract, without a table around it: compiled once, judged in microseconds.

A record is a row as it arrives: an object of JSON, a key for each column of the contract, null
where a value is missing. Each rule that one row can break is judged as `validation.validate` does
on a table of this row; the others are named with the reason.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlops.data.contract import Column, Contract
from mlops.data.expectations import mismatched_columns, values_of
from mlops.data.queries import refusal
from mlops.data.row_queries import RowQueries, condition_of
from mlops.data.row_rules import Holds, Row, compiled, needs_table
from mlops.data.rule import Rule
from mlops.data.rules import schema_rules, value_rules
from mlops.data.typed import PYTHON, READERS, is_missing
from mlops.errors import BadInput, Problem

Record = Mapping[str, Any]
QUERY = "is a query about more than one row"


@dataclass(frozen=True)
class Broken:
    """A rule that a record breaks, and what the record has instead."""

    rule: Rule
    observed: str

    def problem(self, subject: str, contract: Contract) -> Problem:
        """The broken rule of a record that is called `subject`."""
        if not self.rule.columns:
            what = f"{self.rule.kind}: columns {self.observed}"
        else:
            found = f" ({self.observed})" if self.observed else ""
            what = f"{self.rule.kind}: it does not hold that {self.rule.text}{found}"
        return Problem(
            subject, what, f"correct the record, or change {contract.path} if it is right"
        )


@dataclass(frozen=True)
class Verdict:
    """What a record breaks.

    Attributes:
        broken: rules that it breaks, those of severity warning among them.
        unchecked: rules about columns that it does not have.
    """

    broken: tuple[Broken, ...] = ()
    unchecked: tuple[Rule, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all could be judged, and nothing that stops is broken."""
        return not self.unchecked and not any(each.rule.stops for each in self.broken)


class Checker:
    """A contract's rules for single records.

    Attributes:
        contract: whose rules they are.
        judged: the rules that are judged.
        not_judged: the rules that need the table, each with the reason, said of it.
    """

    def __init__(self, contract: Contract) -> None:
        """Compile.

        Raises:
            BadInput: when a query cannot be run on any table of the contract.
        """
        asked = (*schema_rules(contract.table), *value_rules(contract.table))
        queries = [rule for rule in asked if rule.in_sql]
        _refuse_what_cannot_run(contract, queries)
        conditions = [(rule, condition_of(rule)) for rule in queries]
        reasons = [
            *((rule, needs_table(rule)) for rule in asked if not rule.in_sql),
            *((rule, None if condition else QUERY) for rule, condition in conditions),
        ]
        self.contract = contract
        self.judged = tuple(rule for rule, why in reasons if why is None)
        self.not_judged = tuple((rule, why) for rule, why in reasons if why is not None)
        self._columns = {each.name: _reader(each) for each in contract.columns}
        self._checks = [
            _Check(rule, compiled(rule), rule.on_values) for rule in self.judged if not rule.in_sql
        ]
        self._queried = [rule for rule in self.judged if rule.in_sql]
        found = [condition for _, condition in conditions if condition]
        self._queries = RowQueries(contract.table, found) if found else None

    def verdict(self, record: Record) -> Verdict:
        """Judge a record."""
        values, typed = dict(record), {}
        for name, read in self._columns.items():
            if name in values:
                values[name], typed[name] = read(values[name])
        lacking = self._columns.keys() - typed.keys()
        broken, unchecked = [], []
        for check in self._checks:
            if lacking and not lacking.isdisjoint(check.rule.columns):
                unchecked.append(check.rule)
            elif not check.holds(values if check.on_values else typed):
                broken.append(self._broken(check.rule, values))
        if self._queries and lacking:
            unchecked += self._queried
        elif self._queries:
            broken += self._of_queries(self._queries, typed)
        return Verdict(tuple(broken), tuple(unchecked))

    def _broken(self, rule: Rule, values: Row) -> Broken:
        if rule.columns:
            return Broken(rule, values_of(rule, values))
        missing = [name for name in self._columns if name not in values]
        return Broken(
            rule,
            mismatched_columns(missing, [name for name in values if name not in self._columns]),
        )

    def _of_queries(self, queries: RowQueries, typed: Row) -> Iterator[Broken]:
        for rule, met in zip(self._queried, queries.met(typed), strict=True):
            if met:
                yield Broken(rule, f"the query {met}" if isinstance(met, str) else "")


@dataclass(frozen=True)
class _Check:
    """A rule as a function, of the values as they are read or typed."""

    rule: Rule
    holds: Holds
    on_values: bool


def _refuse_what_cannot_run(contract: Contract, queries: Sequence[Rule]) -> None:
    refused = [(rule, refusal(rule, contract.table)) for rule in queries]
    problems = [
        Problem(contract.path, f"`{contract.table.name}.{rule.place}` {why}", "correct the query")
        for rule, why in refused
        if why
    ]
    if problems:
        raise BadInput(problems)


def _reader(column: Column) -> Callable[[Any], tuple[Any, Any]]:
    """How a value is read: as it is judged by type, and typed (None: missing, or of another)."""
    read, types = READERS[column.logical_type], PYTHON[column.logical_type]

    def both(value: Any) -> tuple[Any, Any]:
        found = None if is_missing(value) else read(value)
        if type(found) not in types:
            return found, None
        # A table keeps moments to the microsecond.
        return found, found.as_unit("us") if isinstance(found, pd.Timestamp) else found

    return both
