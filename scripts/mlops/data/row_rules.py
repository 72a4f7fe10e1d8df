"""Rules that one row alone can break, each as a function of the row; the others, and why not."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.data.rule import Rule

Row = Mapping[str, Any]
"""Values by column: those that are there as read (rules `on_values`), or typed (the others); None
is a missing one."""
Holds = Callable[[Row], bool]
COMPARE_ROWS = frozenset(
    {
        "expect_column_values_to_be_unique",
        "expect_compound_columns_to_be_unique",
        "expect_column_values_to_be_increasing",
        "expect_column_values_to_be_decreasing",
        "expect_column_value_z_scores_to_be_less_than",
        "expect_column_values_to_not_be_outliers",
    }
)
"""Expectations that count failing rows, and look at other rows to tell."""


def needs_table(rule: Rule) -> str | None:
    """Why a rule that is no query cannot be judged on one row, said of it; None when it can."""
    return _looks_further(rule) or _lets_rows_break(rule) or _is_not_compiled(rule)


def _looks_further(rule: Rule) -> str | None:
    if rule.kind == "rows":
        return "counts rows"
    if rule.expectation in COMPARE_ROWS:
        return "compares rows with each other"
    whole = rule.columns and not rule.of_rows
    return "is about a column as a whole" if whole else None


def _lets_rows_break(rule: Rule) -> str | None:
    if rule.threshold is not None and not rule.threshold.is_none:
        return f"lets rows break it: {rule.threshold}"
    mostly = rule.kwargs.get("mostly", 1)
    return f"lets rows break it: mostly {mostly}" if mostly != 1 else None


def _is_not_compiled(rule: Rule) -> str | None:
    known = COMPILED.get(rule.expectation)
    if known is None:
        return "is judged by Great Expectations, which takes tables"
    more = [key for key in rule.kwargs if key not in known.arguments and key != "mostly"]
    return f"has the argument {more[0]}, which takes a table" if more else None


def compiled(rule: Rule) -> Holds:
    """Whether a rule holds, as a function of a row that has its columns.

    Args:
        rule: one that needs no table.
    """
    holds = COMPILED[rule.expectation].build(rule)

    def judged(row: Row) -> bool:
        try:
            return holds(row)
        except (TypeError, ValueError):  # what cannot be compared does not hold, as in a table
            return False

    return judged


@dataclass(frozen=True)
class _Known:
    """An expectation that is compiled, with the arguments that are understood."""

    build: Callable[[Rule], Holds]
    arguments: tuple[str, ...]


def _of_value(test: Callable[[Any], bool]) -> Callable[[Rule], Holds]:
    """A rule about one column, which says nothing of a missing value."""

    def build(rule: Rule) -> Holds:
        (name,) = rule.columns
        return lambda row: row[name] is None or test(row[name])

    return build


def _columns(rule: Rule) -> Holds:
    names, exact = frozenset(rule.kwargs["column_set"]), rule.kwargs.get("exact_match", True)
    return lambda row: names == row.keys() if exact else names <= row.keys()


def _type(rule: Rule) -> Holds:
    import pandas as pd

    known = {"str": str, "int": int, "float": float, "bool": bool, "Timestamp": pd.Timestamp}
    types = tuple(known[name] for name in rule.kwargs["type_list"])
    return _of_value(lambda value: isinstance(value, types))(rule)


def _not_null(rule: Rule) -> Holds:
    (name,) = rule.columns
    return lambda row: row[name] is not None


def _null(rule: Rule) -> Holds:
    (name,) = rule.columns
    return lambda row: row[name] is None


def _between(rule: Rule) -> Holds:
    return _of_value(_in_range(rule.kwargs))(rule)


def _lengths(rule: Rule) -> Holds:
    inside = _in_range(rule.kwargs)
    return _of_value(lambda value: inside(len(str(value))))(rule)


def _in_range(kwargs: Mapping[str, Any]) -> Callable[[Any], bool]:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    over = kwargs.get("strict_min", False)
    under = kwargs.get("strict_max", False)

    def inside(value: Any) -> bool:
        above = low is None or (value > low if over else value >= low)
        return bool(above and (high is None or (value < high if under else value <= high)))

    return inside


def _in_set(rule: Rule) -> Holds:
    listed = rule.kwargs["value_set"]
    return _of_value(lambda value: value in listed)(rule)


def _not_in_set(rule: Rule) -> Holds:
    listed = rule.kwargs["value_set"]
    return _of_value(lambda value: value not in listed)(rule)


def _regex(rule: Rule) -> Holds:
    pattern = re.compile(rule.kwargs["regex"])
    return _of_value(lambda value: pattern.search(str(value)) is not None)(rule)


def _not_regex(rule: Rule) -> Holds:
    pattern = re.compile(rule.kwargs["regex"])
    return _of_value(lambda value: pattern.search(str(value)) is None)(rule)


def _of_pair(test: Callable[[Rule, Any, Any], bool]) -> Callable[[Rule], Holds]:
    """A rule about two columns, which says nothing of a row that lacks both values."""

    def build(rule: Rule) -> Holds:
        first, second = rule.kwargs["column_A"], rule.kwargs["column_B"]

        def holds(row: Row) -> bool:
            one, other = row[first], row[second]
            return (one is None and other is None) or test(rule, one, other)

        return holds

    return build


def _pair_in_set(rule: Rule, one: Any, other: Any) -> bool:
    pairs: Sequence[Any] = rule.kwargs["value_pairs_set"]
    return any((one, other) == tuple(pair) for pair in pairs)


def _pair_equal(_: Rule, one: Any, other: Any) -> bool:
    return one is not None and other is not None and bool(one == other)


def _pair_greater(rule: Rule, one: Any, other: Any) -> bool:
    if one is None or other is None:
        return False
    return bool(one >= other if rule.kwargs.get("or_equal") else one > other)


COLUMN = ("column",)
RANGE = (*COLUMN, "min_value", "max_value", "strict_min", "strict_max")
SET = (*COLUMN, "value_set")
REGEX = (*COLUMN, "regex")
PAIR = ("column_A", "column_B")
COMPILED: Mapping[str, _Known] = {
    "expect_table_columns_to_match_set": _Known(_columns, ("column_set", "exact_match")),
    "expect_column_values_to_be_in_type_list": _Known(_type, (*COLUMN, "type_list")),
    "expect_column_values_to_not_be_null": _Known(_not_null, COLUMN),
    "expect_column_values_to_be_null": _Known(_null, COLUMN),
    "expect_column_values_to_be_between": _Known(_between, RANGE),
    "expect_column_value_lengths_to_be_between": _Known(_lengths, RANGE),
    "expect_column_values_to_be_in_set": _Known(_in_set, SET),
    "expect_column_values_to_not_be_in_set": _Known(_not_in_set, SET),
    "expect_column_values_to_match_regex": _Known(_regex, REGEX),
    "expect_column_values_to_not_match_regex": _Known(_not_regex, REGEX),
    "expect_column_pair_values_to_be_in_set": _Known(
        _of_pair(_pair_in_set), (*PAIR, "value_pairs_set")
    ),
    "expect_column_pair_values_to_be_equal": _Known(_of_pair(_pair_equal), PAIR),
    "expect_column_pair_values_a_to_be_greater_than_b": _Known(
        _of_pair(_pair_greater), (*PAIR, "or_equal")
    ),
}
