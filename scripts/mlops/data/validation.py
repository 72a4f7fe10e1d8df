"""A frame checked against its dataset's contract."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlops.data import expectations, queries, rules, table
from mlops.data.askable import Reason
from mlops.data.contract import Contract, Table
from mlops.data.expectations import Outcome
from mlops.data.rule import Rule
from mlops.errors import BadInput, Problem
from mlops.specs.evidence import DataValidation


@dataclass(frozen=True)
class Report:
    """The contract's rules, checked.

    Attributes:
        subject: what was checked (a file), for problems.
        rows: how many rows it has.
        outcomes: the rules that were checked.
        unchecked: rules about columns that are not there.
        typed: the rows with the contract's types; what could not be read is missing.
    """

    contract: Contract
    subject: str
    rows: int
    outcomes: tuple[Outcome, ...]
    unchecked: tuple[Rule, ...]
    typed: pd.DataFrame

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Rules that are broken and stop the data."""
        return tuple(each for each in self.outcomes if not each.passed and each.rule.stops)

    @property
    def warned(self) -> tuple[Outcome, ...]:
        """Rules that are broken and only told of: those of severity warning."""
        return tuple(each for each in self.outcomes if not each.passed and not each.rule.stops)

    @property
    def passed(self) -> bool:
        """Whether every rule was checked, and those that stop the data hold."""
        return not self.failed and not self.unchecked

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Each broken rule that stops: how many rows of how many, and the worst of them."""
        fix = f"correct the data, or change {self.contract.path} if the data is right"
        return tuple(Problem(self.subject, complaint(outcome), fix) for outcome in self.failed)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Each broken rule that stops nothing, told as a problem is."""
        fix = f"nothing is stopped by it; look at the data, or change {self.contract.path}"
        return tuple(
            Problem(self.subject, f"warning: {complaint(outcome)}", fix) for outcome in self.warned
        )

    def summary(self, digest: str) -> DataValidation:
        """The result as evidence.

        Args:
            digest: the version's content digest.
        """
        return DataValidation(
            dataset=self.contract.dataset,
            digest=digest,
            contract=self.contract.version,
            rows=self.rows,
            rules=len(self.outcomes) + len(self.unchecked),
            failed=len(self.failed),
            warned=len(self.warned),
        )

    def as_json(self) -> dict[str, Any]:
        """The whole report, for machines."""
        return {
            "dataset": self.contract.dataset,
            "subject": self.subject,
            "contract": self.contract.version,
            "rows": self.rows,
            "passed": self.passed,
            "rules": [_rule_json(outcome) for outcome in self.outcomes],
            "unchecked": [rule.text for rule in self.unchecked],
        }


def _rule_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule.text,
        "kind": outcome.rule.kind,
        "columns": list(outcome.rule.columns),
        "severity": outcome.rule.severity,
        "passed": outcome.passed,
        "checked": outcome.checked,
        "failing": outcome.failing,
        "examples": [{"row": e.row, "value": e.value} for e in outcome.examples],
        "observed": outcome.observed,
    }


def complaint(outcome: Outcome) -> str:
    """What is wrong, in one line: kind, counts, examples."""
    rule = outcome.rule
    if not rule.columns and rule.kind == "schema":
        return f"schema: columns {outcome.observed}"
    if rule.kind == "rows":
        return f"rows: it has {outcome.observed}, {rule.text}"
    found = "; ".join(map(str, outcome.examples)) or outcome.observed
    if not rule.of_rows:
        return f"{rule.kind}: {rule.complaint} ({found})"
    allowed = "" if rule.threshold is None or rule.threshold.is_none else f", {rule.threshold} may"
    counted = f"{outcome.failing} of {outcome.checked} {rule.complaint}{allowed}"
    return f"{rule.kind}: {counted} ({found})" if found else f"{rule.kind}: {counted}"


def validate(contract: Contract, frame: pd.DataFrame, *, subject: str | None = None) -> Report:
    """Check a frame against the contract with Great Expectations.

    Schema and missing values are checked on the values as they came (text is read as the
    contract's types), then the rest on typed values, so that a text among numbers is a
    counted violation and the other rules are still checked.

    Args:
        contract: the dataset's contract.
        frame: the table; its index holds the row numbers that examples name.
        subject: what is checked, for messages; default: the contract's path.

    Raises:
        BadInput: when a rule asks an expectation that Great Expectations does not have, or a
            query that DuckDB cannot run.
    """
    asked = (*rules.schema_rules(contract.table), *rules.value_rules(contract.table))
    refuse_what_cannot_run(contract)
    values = table.parsed(contract, frame)
    typed = table.typed(contract, values)
    there = set(values.columns)
    checkable = [rule for rule in asked if there.issuperset(rule.columns)]
    first = [rule for rule in checkable if rule.on_values]
    second = [rule for rule in checkable if not rule.on_values and not rule.in_sql]
    outcomes = (
        *expectations.run(first, values),
        *expectations.run(second, typed),
        *queries.run([rule for rule in checkable if rule.in_sql], contract.table, typed),
    )
    return Report(
        contract=contract,
        subject=subject or contract.path,
        rows=len(frame),
        outcomes=outcomes,
        unchecked=tuple(rule for rule in asked if rule not in checkable),
        typed=typed,
    )


def refuse_what_cannot_run(contract: Contract) -> None:
    """Refuse a contract with expectations or queries that cannot run on any table of it.

    Raises:
        BadInput: with all of them.
    """
    refused = [(rule.place, said) for rule in rules.value_rules(contract.table)
               if (said := refusal(rule, contract.table))]  # fmt: skip
    if refused:
        raise BadInput(
            Problem(contract.path, f"`{contract.table.name}.{place}` {why}", fix)
            for place, (why, fix) in refused
        )


def refusal(rule: Rule, asked: Table) -> Reason | None:
    """Why a rule that was written out cannot run on any table; None when it can."""
    if not rule.is_written:
        return None
    if rule.in_sql:
        why, fix = queries.refusal(rule, asked), "correct the query"
    else:
        why, fix = expectations.refusal(rule), "correct the expectation"
    return Reason(why, fix) if why else None
