"""Rules checked by DuckDB: all rows counted, examples looked for only of what is broken."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mlops.data.expectations import (
    EXAMPLES,
    Example,
    Outcome,
    as_observed,
    columns_outcome,
    rows_outcome,
    shown,
)
from mlops.data.rule import Rule
from mlops.data.scanning import keys
from mlops.data.scanning.conditions import broken, excess
from mlops.data.scanning.counts import Found, counted
from mlops.data.scanning.figures import Judged, figures
from mlops.data.scanning.relation import Relation, columns_of

UNIQUE = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")


def compiles(rule: Rule, relation: Relation) -> bool:
    """Whether DuckDB checks a rule, whose columns are there, as Great Expectations would."""
    return _is_plain(rule) or bool(broken(rule, relation)) or figures(rule, relation) is not None


def _is_plain(rule: Rule) -> bool:
    if rule.expectation in UNIQUE:
        return set(rule.kwargs) <= {"column", "column_list"}
    return rule.kind == "rows" or _of_columns(rule)


def _of_columns(rule: Rule) -> bool:
    return rule.kind == "schema" and not rule.columns


def run(rules: Sequence[Rule], relation: Relation) -> tuple[Outcome, ...]:
    """Check rules that compile; outcomes in their order."""
    # Neighbours are compared by one thread; DuckDB counts beside it.
    with ThreadPoolExecutor(max_workers=1) as beside:
        rising = {
            rule.columns: beside.submit(keys.rise, relation, rule.columns)
            for rule in rules
            if rule.expectation in UNIQUE
        }
        counts: dict[int, Found] = counted(rules, relation)
        risen = {columns: future.result() for columns, future in rising.items()}
    for number, rule in enumerate(rules):
        if rule.columns in risen and rule.expectation in UNIQUE:
            counts[number] = 0 if risen[rule.columns] else keys.shared(relation, rule.columns)
    return tuple(_outcome(rule, counts.get(number), relation) for number, rule in enumerate(rules))


def _outcome(rule: Rule, found: Found | None, relation: Relation) -> Outcome:
    if isinstance(found, Judged):
        return _of_column(rule, found, relation.rows)
    if found is None:
        return _plain(rule, relation)
    return _judged(rule, found, relation.rows, _worst(rule, relation) if found else ())


def _judged(rule: Rule, failing: int, rows: int, examples: tuple[Example, ...]) -> Outcome:
    passed = rule.threshold.met(failing, rows) if rule.threshold else not failing
    return Outcome(rule, passed, rows, failing, examples, engine="duckdb")


def _worst(rule: Rule, relation: Relation) -> tuple[Example, ...]:
    if rule.expectation in UNIQUE:
        first = keys.first_shared(relation, rule.columns, EXAMPLES)
        return tuple(Example(row, _named(rule, values)) for row, values in first)
    if rule.on_values and relation.read is not None:
        return _as_they_came(rule, relation)
    cells = columns_of(relation, rule.columns)
    values = [cell.came if rule.on_values else cell.value for cell in cells]
    far = excess(rule, relation)
    order = f"{far} DESC, row" if far else "row"
    # Not `WHERE isnan(c)` alone: DuckDB leaves row groups out by their least and largest value,
    # and Parquet leaves not-a-number out of these.
    rest = f"WHERE ({broken(rule, relation)}) IS TRUE ORDER BY {order} LIMIT {EXAMPLES}"
    found = relation.select(", ".join(["row", *values]), rest)
    return tuple(Example(row, _named(rule, rest)) for row, *rest in found)


def _as_they_came(rule: Rule, relation: Relation) -> tuple[Example, ...]:
    """The first values of a frame that are missing, or of another type."""
    (name,), read = rule.columns, relation.read
    assert read is not None  # noqa: S101 - for types
    missing = rule.kind == "missing"
    wrong = read.missing(name) if missing else read.unreadable[name]
    places = wrong.to_numpy().nonzero()[0][:EXAMPLES]
    came = read.came[name]
    return tuple(
        Example(int(came.index[at]), "" if missing else shown(came.iloc[at])) for at in places
    )


def _named(rule: Rule, values: Sequence[Any]) -> str:
    if len(values) == 1:
        return shown(values[0])
    pairs = zip(rule.columns, values, strict=True)
    return ", ".join(f"{name} {shown(value) or 'missing'}" for name, value in pairs)


def _of_column(rule: Rule, judged: Judged, rows: int) -> Outcome:
    observed = as_observed(judged.observed)
    failing = int(not judged.passed)
    return Outcome(rule, judged.passed, rows, failing, observed=observed, engine="duckdb")


def _plain(rule: Rule, relation: Relation) -> Outcome:
    if _of_columns(rule):
        return columns_outcome(rule, relation.names, relation.rows)
    return rows_outcome(rule, relation.rows)
