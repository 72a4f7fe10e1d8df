"""A frame, or a Parquet file, checked against its dataset's contract."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mlops.data import expectations, queries, rules, table
from mlops.data.askable import Reason
from mlops.data.contract import Contract, Table
from mlops.data.expectations import Checker, Outcome
from mlops.data.learned.model import learned_path
from mlops.data.profiles import Profile, profiles
from mlops.data.rule import Rule
from mlops.data.scanning import profile as large
from mlops.data.scanning import scan
from mlops.data.scanning.relation import Relation, file_types, not_in_form, of_file, of_frame
from mlops.data.scanning.scan import compiles
from mlops.data.typed import Read, read
from mlops.errors import BadInput, Problem, bad_input
from mlops.specs.evidence import DataValidation
from mlops.specs.project import Engine


@dataclass(frozen=True)
class Report:
    """The contract's rules, checked.

    Attributes:
        subject: what was checked (a file), for problems.
        rows: how many rows it has.
        outcomes: the rules that were checked.
        unchecked: rules about columns that are not there.
        read: the rows, when a frame was checked; None of a file.
    """

    contract: Contract
    subject: str
    rows: int
    outcomes: tuple[Outcome, ...]
    unchecked: tuple[Rule, ...]
    read: Read | None = None

    @property
    def typed(self) -> pd.DataFrame:
        """The rows with the contract's types; what could not be read is missing."""
        if self.read is None:
            raise ValueError("a file was checked, and its rows were not loaded")
        return self.read.rows

    @property
    def engines(self) -> Mapping[Checker, int]:
        """How many rules each engine checked."""
        return Counter(outcome.engine for outcome in self.outcomes)

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
        return tuple(
            Problem(
                self.subject,
                complaint(each),
                f"correct the data, or {self._way(each)} if the data is right",
            )
            for each in self.failed
        )

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Each broken rule that stops nothing, told as a problem is."""
        fix = "nothing is stopped by it; look at the data, or"
        return tuple(
            Problem(self.subject, f"warning: {complaint(each)}", f"{fix} {self._way(each)}")
            for each in self.warned
        )

    def _way(self, outcome: Outcome) -> str:
        """What to do when the data is right, and the rule is not."""
        rule, dataset = outcome.rule, self.contract.dataset
        if rule.is_learned:
            return f"write `{rule.place}` under `off` in {learned_path(dataset)}"
        return f"change {self.contract.path}"

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
        "learned": outcome.rule.is_learned,
        "engine": outcome.engine,
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


def validate(
    contract: Contract,
    frame: pd.DataFrame,
    *,
    subject: str | None = None,
    engine: Engine = "duckdb",
) -> Report:
    """Check a frame against the contract.

    Schema and missing values are checked on the values as they came (text is read as the
    contract's types), then the rest on typed values, so that a text among numbers is a
    counted violation and the other rules are still checked.

    Args:
        contract: the dataset's contract.
        frame: the table; its index holds the row numbers that examples name.
        subject: what is checked, for messages; default: the contract's path.
        engine: what checks the rules that both can check; the outcomes are the same.

    Raises:
        BadInput: when a rule asks an expectation that Great Expectations does not have, or a
            query that DuckDB cannot run.
    """
    refuse_what_cannot_run(contract)
    found = read(contract, frame)
    with of_frame(contract.table, found) as relation:
        checked = _checked(contract, relation, engine, lambda _: found)
    return replace(checked, subject=subject or contract.path, read=found)


def validate_file(
    contract: Contract,
    path: Path,
    *,
    subject: str | None = None,
    engine: Engine = "duckdb",
) -> Report:
    """Check a Parquet file in the contract's form, of any size: it is scanned, not loaded.

    A rule that SQL cannot say needs the file's columns in memory, and so does a column that has
    to be read as text is; both are done up to `IN_MEMORY` rows.

    Raises:
        BadInput: as `validate` does; when the file is no Parquet file; and when it is too large
            for what would have to be loaded.
    """
    named = subject or contract.path
    refuse_what_cannot_run(contract)
    types = _types(path, named)
    unread = not_in_form(contract.table, types)
    with of_file(contract.table, path, {n: t for n, t in types.items() if n not in unread}) as some:
        rows = some.rows
        if not unread and engine == "duckdb":
            checked = _checked(contract, some, engine, _loader(contract, path, rows, named))
            return replace(checked, subject=named)
    if rows > IN_MEMORY:
        raise BadInput(_too_large(named, rows, _why_loaded(unread, types)))
    return replace(validate(contract, numbered(path), subject=named, engine=engine), read=None)


def profiles_of_file(contract: Contract, path: Path, *, subject: str) -> dict[str, Profile]:
    """The columns' profiles of a file that `validate_file` checks; estimated beyond `IN_MEMORY`."""
    types = _types(path, subject)
    unread = not_in_form(contract.table, types)
    with of_file(contract.table, path, {n: t for n, t in types.items() if n not in unread}) as some:
        if some.rows > IN_MEMORY:
            return large.profiles_of(some)
    return profiles(contract, numbered(path))


IN_MEMORY = 5_000_000
"""Rows that are loaded where a scan does not do."""
Load = Callable[[Sequence[Rule]], Read]


def numbered(path: Path) -> pd.DataFrame:
    """A version's rows, numbered from 1 as a file's are."""
    frame = table.load(path)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _types(path: Path, named: str) -> dict[str, str]:
    import duckdb

    try:
        return file_types(path)
    except duckdb.Error as error:
        what = f"is not a Parquet file ({str(error).strip().splitlines()[0]})"
        raise bad_input(named, what, "write it again") from error


def _loader(contract: Contract, path: Path, rows: int, named: str) -> Load:
    """Loads a file for rules that SQL cannot say."""

    def load(left: Sequence[Rule]) -> Read:
        if rows > IN_MEMORY:
            asked = [f"{contract.table.name}.{rule.place} asks {rule.expectation}" for rule in left]
            raise BadInput(_too_large(named, rows, asked))
        return read(contract, numbered(path))

    return load


def _why_loaded(unread: Sequence[str], types: Mapping[str, str]) -> list[str]:
    if not unread:
        return ["the engine is great-expectations"]
    return [f"column `{name}` is {types[name]}" for name in unread]


def _too_large(named: str, rows: int, reasons: Sequence[str]) -> list[Problem]:
    fix = "write the file in the contract's types, and such rules as `type: sql`"
    return [
        Problem(named, f"cannot be checked at its size of {rows:,} rows: {reason}", fix)
        for reason in reasons
    ]


def _checked(contract: Contract, relation: Relation, engine: Engine, load: Load) -> Report:
    asked = (*rules.schema_rules(contract.table), *rules.value_rules(contract.table))
    there = set(relation.names)
    checkable = sorted((r for r in asked if there.issuperset(r.columns)), key=_order)
    compiled = [rule for rule in checkable if engine == "duckdb" and compiles(rule, relation)]
    queried = [rule for rule in checkable if rule.in_sql]
    left = [rule for rule in checkable if rule not in compiled and rule not in queried]
    found = (
        *scan.run(compiled, relation),
        *(_by_expectations(left, load(left)) if left else ()),
        *queries.run(queried, relation.database, relation.rows),
    )
    by_rule = {id(outcome.rule): outcome for outcome in found}
    return Report(
        contract=contract,
        subject=contract.path,
        rows=relation.rows,
        outcomes=tuple(by_rule[id(rule)] for rule in checkable),
        unchecked=tuple(rule for rule in asked if rule not in checkable),
    )


def _order(rule: Rule) -> int:
    """Schema and missing values come first, queries last."""
    return 0 if rule.on_values else 2 if rule.in_sql else 1


def _by_expectations(left: Sequence[Rule], found: Read) -> tuple[Outcome, ...]:
    first = [rule for rule in left if rule.on_values]
    second = [rule for rule in left if not rule.on_values]
    return (
        *(expectations.run(first, found.values) if first else ()),
        *(expectations.run(second, found.rows) if second else ()),
    )


def refuse_what_cannot_run(contract: Contract) -> None:
    """Refuse a contract with expectations or queries that cannot run on any table of it.

    Raises:
        BadInput: with all of them.
    """
    written = [rule for rule in rules.value_rules(contract.table) if rule.is_written]
    if not written:
        return
    with _of_no_rows(contract) as relation:
        doubtful = [rule for rule in written if rule.in_sql or not compiles(rule, relation)]
    refused = [(rule.place, said) for rule in doubtful if (said := refusal(rule, contract.table))]
    if refused:
        raise BadInput(
            Problem(contract.path, f"`{contract.table.name}.{place}` {why}", fix)
            for place, (why, fix) in refused
        )


def _of_no_rows(contract: Contract) -> AbstractContextManager[Relation]:
    """A table of the contract's columns: what compiles on it is an expectation that there is."""
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in contract.names})
    return of_frame(contract.table, read(contract, empty))


def refusal(rule: Rule, asked: Table) -> Reason | None:
    """Why a rule that was written out cannot run on any table; None when it can."""
    if not rule.is_written:
        return None
    if rule.in_sql:
        why, fix = queries.refusal(rule, asked), "correct the query"
    else:
        why, fix = expectations.refusal(rule), "correct the expectation"
    return Reason(why, fix) if why else None
