"""What a rule is: one expectation with words for people, and how much may fail it."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mlops.data.contract import Quality, Severity

Kind = Literal[
    "schema", "missing", "outliers", "duplicates", "relation", "distribution", "rows", "lateness",
]  # fmt: skip
SQL = "sql"
"""Stands as the expectation of a rule that is a query, with `query` among its arguments."""
LEARNED = "learned"
"""Stands as the expectation of a rule that was learned from a reference, not declared."""
DELIVERED = "delivered"
"""Stands as the expectation of a rule about a delivery's rows beside those of the version."""
ROW_BY_ROW = (
    "expect_column_value",
    "expect_column_pair_values",
    "expect_multicolumn",
    "expect_compound_columns",
    "expect_select_column",
)
"""How expectations begin that judge each row; the others judge a column, or the table, whole."""
# Checked before values are typed: typing makes what cannot be read a missing value.
AS_THEY_CAME = frozenset(
    {
        "expect_table_columns_to_match_set",
        "expect_column_values_to_be_in_type_list",
        "expect_column_values_to_not_be_null",
    }
)
OPERATORS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "must_be": ("", operator.eq),
    "must_not_be": ("not ", operator.ne),
    "must_be_greater_than": ("more than ", operator.gt),
    "must_be_greater_or_equal_to": ("at least ", operator.ge),
    "must_be_less_than": ("less than ", operator.lt),
    "must_be_less_or_equal_to": ("at most ", operator.le),
    "must_be_between": ("between ", lambda value, ends: ends[0] <= value <= ends[1]),
    "must_not_be_between": ("not between ", lambda value, ends: not ends[0] <= value <= ends[1]),
}


@dataclass(frozen=True)
class Threshold:
    """What a counted figure (failing rows, their percentage, all rows) has to be."""

    operator: str = "must_be"
    value: Any = 0
    unit: Literal["rows", "percent"] = "rows"

    @classmethod
    def of(cls, quality: Quality) -> "Threshold":
        """The threshold a library rule states."""
        ((name, value),) = quality.operators.items()
        return cls(name, value, quality.unit)

    def met(self, count: int, of: int) -> bool:
        """Whether `count` rows of `of` are what is asked."""
        figure = count if self.unit == "rows" else (100 * count / of if of else 0.0)
        return self.holds(figure)

    def holds(self, figure: float) -> bool:
        """Whether a figure, in the unit, is what is asked."""
        return OPERATORS[self.operator][1](figure, self.value)

    def __str__(self) -> str:
        value = " and ".join(map(str, self.value)) if isinstance(self.value, tuple) else self.value
        return f"{OPERATORS[self.operator][0]}{value}{' %' if self.unit == 'percent' else ''}"

    @property
    def is_none(self) -> bool:
        """Whether no row at all may fail."""
        return self.operator in ("must_be", "must_be_less_or_equal_to") and self.value == 0


@dataclass(frozen=True)
class Rule:
    """One thing the contract asks.

    Attributes:
        text: what it asks, for people.
        complaint: how failing rows are told: `<n> of <m> <complaint>`.
        columns: which columns take part.
        expectation: Great Expectations' name of it, with `kwargs`; or `SQL`.
        threshold: how many rows may fail, or what a query has to give; None leaves the verdict
            to Great Expectations.
        place: what of the table asks it: `x`, `x.quality.0`, `quality.0`; empty: the table.
        severity: whether data that breaks it is refused, or it is told only.
    """

    text: str
    complaint: str
    kind: Kind
    columns: tuple[str, ...]
    expectation: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    threshold: Threshold | None = Threshold()
    place: str = ""
    severity: Severity = "error"

    @property
    def stops(self) -> bool:
        """Whether data that breaks it is refused."""
        return self.severity == "error"

    @property
    def in_sql(self) -> bool:
        """Whether it is a query."""
        return self.expectation == SQL

    @property
    def is_learned(self) -> bool:
        """Whether it was learned from a reference; else the contract declares it."""
        return self.expectation == LEARNED

    @property
    def of_rows(self) -> bool:
        """Whether rows are judged one by one, so that those that fail can be counted."""
        return self.expectation.startswith(ROW_BY_ROW) or self.expectation == DELIVERED

    @property
    def is_written(self) -> bool:
        """Whether the contract's author wrote it out, so that it may be one that cannot run."""
        return self.kind in ("relation", "distribution")

    @property
    def on_values(self) -> bool:
        """Whether it is checked on the values as they came, before they are typed."""
        return self.expectation in AS_THEY_CAME
