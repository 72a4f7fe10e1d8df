"""Rules about a column as a whole, from figures that one pass over the rows gives."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.data.rule import Rule
from mlops.data.scanning.literals import literals
from mlops.data.scanning.relation import Cell, Relation

BOUNDED: Mapping[str, str] = {
    "expect_column_mean_to_be_between": "avg({})",
    "expect_column_sum_to_be_between": "coalesce(sum({}), 0)",
    "expect_column_min_to_be_between": "min({})",
    "expect_column_max_to_be_between": "max({})",
    "expect_column_stdev_to_be_between": "stddev_samp({})",
}
SHARES = "expect_column_kl_divergence_to_be_less_than"
RANGE = frozenset({"column", "min_value", "max_value", "strict_min", "strict_max"})


@dataclass(frozen=True)
class Judged:
    """Whether a rule holds, and the figure that says so; None when there is none."""

    passed: bool
    observed: float | None


@dataclass(frozen=True)
class Figures:
    """What a rule needs to know of a column, in SQL: an aggregate, or how often conditions hold."""

    rule: Rule
    aggregate: str = ""
    conditions: tuple[str, ...] = ()

    def judged(self, found: Sequence[Any]) -> Judged:
        """The rule, given what the aggregate came to, or the counts."""
        if self.aggregate:
            return _bounded(self.rule.kwargs, found[0])
        return _diverging(self.rule.kwargs, found)


def figures(rule: Rule, relation: Relation) -> Figures | None:
    """What a rule about a whole column needs; None when it is not compiled."""
    if len(rule.columns) != 1:
        return None
    cell = relation.cells[rule.columns[0]]
    if rule.expectation == SHARES:
        counted = _counts(rule.kwargs, cell)
        return Figures(rule, conditions=counted) if counted else None
    if rule.expectation in BOUNDED and set(rule.kwargs) <= RANGE and _ends_are_numbers(rule, cell):
        return Figures(rule, BOUNDED[rule.expectation].format(cell.value))
    return None


def _ends_are_numbers(rule: Rule, cell: Cell) -> bool:
    ends = [rule.kwargs.get("min_value"), rule.kwargs.get("max_value")]
    given = literals([end for end in ends if end is not None], cell.kind)
    return cell.kind in ("integer", "number") and given is not None


def _bounded(asked: Mapping[str, Any], figure: Any) -> Judged:
    if figure is None:
        return Judged(passed=False, observed=None)
    low, high, value = asked.get("min_value"), asked.get("max_value"), float(figure)
    above = low is None or (value > low if asked.get("strict_min") else value >= low)
    below = high is None or (value < high if asked.get("strict_max") else value <= high)
    return Judged(above and below, figure if isinstance(figure, int) else value)


def _counts(asked: Mapping[str, Any], cell: Cell) -> tuple[str, ...] | None:
    """How many values are there, and how many are each of the expected ones."""
    partition, threshold = asked.get("partition_object"), asked.get("threshold")
    if set(asked) != {"column", "partition_object", "threshold"} or threshold is None:
        return None
    if not isinstance(partition, dict) or set(partition) != {"values", "weights"}:
        return None
    values, weights = partition["values"], partition["weights"]
    wanted = literals(values, cell.kind)
    if wanted is None or len(set(wanted)) != len(weights) or not math.isclose(sum(weights), 1):
        return None
    return (
        f"({cell.value}) IS NOT NULL",
        *(f"({cell.value}) = {value}" for value in wanted),
    )


def _diverging(asked: Mapping[str, Any], found: Sequence[Any]) -> Judged:
    """Kullback and Leibler's divergence of the shares from those expected (1951), in nats.

    It is infinite when a value comes that was not expected.
    """
    rows, *counts = found
    weights = asked["partition_object"]["weights"]
    if not rows or sum(counts) != rows:
        return Judged(passed=False, observed=None)
    shares = [(count / rows, weight) for count, weight in zip(counts, weights, strict=True)]
    if any(share and not weight for share, weight in shares):
        return Judged(passed=False, observed=None)
    total = sum(weights)
    divergence = sum(s * math.log(s / (weight / total)) for s, weight in shares if s)
    return Judged(divergence <= asked["threshold"], divergence)
