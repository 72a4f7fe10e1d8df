"""Rules run by Great Expectations on a pandas frame: failing rows counted, the worst named."""

import math
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mlops.data.raw import listed
from mlops.data.rule import Rule
from mlops.data.typed import is_missing
from mlops.specs.project import Engine

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 3
ROW = "row number"
Checker = Engine | Literal["server", "ingest"]
"""What checked a rule; `server`: the place in which the table lies, asked without a library;
`ingest`: what puts a delivery into a version."""
Bounds = tuple[float | None, float | None]
"""Least and largest number of a range; None for an end that it does not have."""


@dataclass(frozen=True)
class Example:
    """A failing row: its number (from 1, below the header) and the value, if there is one."""

    row: int
    value: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.value}" if self.value else f"row {self.row}"


@dataclass(frozen=True)
class Outcome:
    """A rule, checked.

    Attributes:
        checked: rows looked at.
        failing: rows that break the rule; a missing or unexpected column counts as 1, and so
            does a rule about a column, or the table, as a whole.
        examples: the worst of them (furthest outside a range; else the first).
        observed: what was found instead, for rules about the whole table.
        engine: what checked it.
    """

    rule: Rule
    passed: bool
    checked: int
    failing: int
    examples: tuple[Example, ...] = ()
    observed: str = ""
    engine: Checker = "great-expectations"


def run(rules: Sequence[Rule], frame: "pd.DataFrame") -> tuple[Outcome, ...]:
    """Check rules on a frame whose index holds the row numbers; outcomes in the rules' order.

    Great Expectations counts; a rule with a threshold is judged by it.
    """
    asset = _context().data_sources.add_pandas("frames").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(
        {"dataframe": frame.rename_axis(ROW)}
    )
    return _validated(rules, batch, len(frame), "COMPLETE")


def run_there(rules: Sequence[Rule], batch: Callable[[Any], Any], rows: int) -> tuple[Outcome, ...]:
    """Check rules where a table lies: Great Expectations asks there, no table is copied.

    Args:
        rules: those of rows and columns; outcomes are in their order.
        batch: the table, given the data sources of Great Expectations' context.
        rows: how many it has.
    """
    # Rows there have no numbers, and all values that fail would be fetched: a few are told.
    return _validated(rules, batch(_context().data_sources), rows, "SUMMARY")


def _context() -> Any:
    context = _library().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


def _validated(rules: Sequence[Rule], batch: Any, rows: int, form: str) -> tuple[Outcome, ...]:
    suite = _library().ExpectationSuite(name="contract")
    for number, rule in enumerate(rules):
        suite.expectations.append(_expectation(rule, number))
    found = batch.validate(suite, result_format={"result_format": form})
    by_number = {result.expectation_config.meta["rule"]: result for result in found.results}
    return tuple(_outcome(rule, by_number[n], rows) for n, rule in enumerate(rules))


def refusal(rule: Rule) -> str | None:
    """Why Great Expectations has no such expectation, said of the rule; None when it has."""
    exceptions = _library().exceptions
    try:
        _expectation(rule, 0)
    except exceptions.ExpectationNotFoundError:
        return f"asks {rule.expectation}, which Great Expectations does not have"
    except (TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        return f"asks {rule.expectation} with other arguments than it takes ({said})"
    return None


def _library() -> Any:
    # Read when the library is imported: nothing is sent from here.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    return great_expectations


def _expectation(rule: Rule, number: int) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    return ExpectationConfiguration(
        type=rule.expectation, kwargs=dict(rule.kwargs), meta={"rule": number}
    ).to_domain_obj()


def _outcome(rule: Rule, result: Any, rows: int) -> Outcome:
    # An expectation that raises itself is told in another form than one of its figures that does.
    info = result.exception_info
    raised = [each for each in (info, *info.values()) if _has_raised(each)]
    if raised:
        observed = str(raised[0].get("exception_message", "could not be checked"))
        return Outcome(rule, passed=False, checked=rows, failing=rows, observed=observed)
    if rule.kind == "schema" and not rule.columns:
        mismatched = result.result.get("details", {}).get("mismatched", {})
        return _columns(rule, rows, mismatched, "great-expectations")
    if rule.kind == "rows" and rule.threshold is not None:
        return _number_of_rows(rule, rows, "great-expectations")
    return _rows_outcome(rule, result, rows)


def _has_raised(info: Any) -> bool:
    return isinstance(info, dict) and info.get("raised_exception") is True


def columns_outcome(
    rule: Rule, names: Iterable[str], rows: int, checker: Checker = "duckdb"
) -> Outcome:
    """The rule about which columns are there, given their names."""
    there, wanted = set(names), set(rule.kwargs["column_set"])
    told = {"missing": sorted(wanted - there), "unexpected": sorted(there - wanted)}
    return _columns(rule, rows, told, checker)


def rows_outcome(rule: Rule, rows: int, checker: Checker = "duckdb") -> Outcome:
    """The rule about how many rows there are."""
    return _number_of_rows(rule, rows, checker)


def _columns(
    rule: Rule, rows: int, mismatched: Mapping[str, Sequence[str]], engine: Checker
) -> Outcome:
    observed = mismatched_columns(mismatched.get("missing", ()), mismatched.get("unexpected", ()))
    count = sum(len(names) for names in mismatched.values())
    passed = not (count if rule.kwargs["exact_match"] else mismatched.get("missing"))
    return Outcome(rule, passed, rows, count, observed=observed, engine=engine)


def _number_of_rows(rule: Rule, rows: int, engine: Checker) -> Outcome:
    met = rule.threshold is not None and rule.threshold.met(rows, rows)
    return Outcome(rule, met, rows, 0 if met else rows, observed=f"{rows} rows", engine=engine)


def mismatched_columns(missing: Sequence[str], unexpected: Sequence[str]) -> str:
    """Columns that are not there, and those that should not be, for a message."""
    told = {"missing": missing, "unexpected": unexpected}
    return "; ".join(f"{what}: {listed(names)}" for what, names in told.items() if names)


def _rows_outcome(rule: Rule, result: Any, rows: int) -> Outcome:
    failing = int(result.result.get("unexpected_count", 0))
    passed = rule.threshold.met(failing, rows) if rule.threshold else bool(result.success)
    if not rule.of_rows:
        failing = int(not passed)
    entries: list[dict[Hashable, Any]] = result.result.get("unexpected_index_list") or []
    observed = result.result.get("observed_value")
    few = result.result.get("partial_unexpected_list") or []
    return Outcome(
        rule,
        passed,
        rows,
        failing,
        _worst(rule, entries),
        such_as(rule, few) if few and not entries else as_observed(observed),
    )


def such_as(rule: Rule, values: Sequence[Any]) -> str:
    """Values that fail a rule, of rows without numbers."""
    told = [values_of(rule, _by_column(rule, value)) for value in values[:EXAMPLES]]
    return f"such as {'; '.join(told)}" if any(told) else ""


def _by_column(rule: Rule, value: Any) -> Mapping[Any, Any]:
    """A row's values in the columns of a rule, in whichever form Great Expectations tells them."""
    if isinstance(value, dict):
        return value
    single = len(rule.columns) == 1
    return dict(zip(rule.columns, (value,) if single else value, strict=True))


def as_observed(figure: Any) -> str:
    """A figure of a whole column, for people; empty for none."""
    if figure is None:
        return ""
    return f"observed {figure:.4g}" if isinstance(figure, float) else f"observed {figure}"


def _worst(rule: Rule, entries: Sequence[Mapping[Hashable, Any]]) -> tuple[Example, ...]:
    ordered = sorted(entries, key=lambda entry: (-_excess(rule, entry), entry[ROW]))
    return tuple(Example(int(entry[ROW]), values_of(rule, entry)) for entry in ordered[:EXAMPLES])


def _excess(rule: Rule, entry: Mapping[Hashable, Any]) -> float:
    """How far a number is outside its range; 0 for all else."""
    bounds = bounds_of(rule)
    if bounds is None:
        return 0.0
    value = entry[rule.columns[0]]
    low, high = (math.nan if end is None else end for end in bounds)
    return max((gap for gap in (low - value, value - high) if gap > 0), default=0.0)


def bounds_of(rule: Rule) -> Bounds | None:
    """The range of numbers that a rule asks; None for any other rule, also one of times."""
    if rule.expectation != "expect_column_values_to_be_between":
        return None
    ends = (rule.kwargs.get("min_value"), rule.kwargs.get("max_value"))
    if ends == (None, None) or not all(e is None or isinstance(e, int | float) for e in ends):
        return None
    low, high = (None if end is None else float(end) for end in ends)
    return low, high


def values_of(rule: Rule, entry: Mapping[Any, Any]) -> str:
    """What a row has in the columns of a rule, for a message; empty for one missing value."""
    values = {name: entry.get(name) for name in rule.columns}
    if len(values) == 1:
        return shown(next(iter(values.values())))
    return ", ".join(f"{name} {shown(value) or 'missing'}" for name, value in values.items())


def shown(value: Any) -> str:
    """A value in a message; empty when it is missing."""
    plain = value.item() if hasattr(value, "item") else value
    if is_missing(plain):
        return ""
    return repr(plain) if isinstance(plain, str) else str(plain)
