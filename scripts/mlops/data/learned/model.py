"""The file of learned rules, `data-contracts/<dataset>/learned.yaml`.

`mlops data learn` writes it; it is reviewed and kept in Git.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from mlops.data.contract import Severity
from mlops.specs.base import Digest, Name, Spec, Version

TO = " to "


@dataclass(frozen=True)
class Between:
    """What a figure may be, ends included; infinite where there is no limit."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        # A sum in another order of rows differs in its last digits.
        slack = 1e-9 * max(1.0, abs(value))
        return self.low - slack <= value <= self.high + slack

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}{TO}{self.high:g}"


def _between(written: Any) -> Any:
    """`0.1 to 0.3`, or one number that is both ends."""
    low, found, high = str(written).partition(TO)
    try:
        ends = float(low), float(high if found else low)
    except ValueError:
        raise ValueError("write it as `0.1 to 0.3`, or as one number") from None
    if not ends[0] <= ends[1]:
        raise ValueError("the first number has to be the smaller one")
    return Between(*ends)


Bounds = Annotated[Any, BeforeValidator(_between), PlainSerializer(str, return_type=str)]
"""A `Between`, written as `0.1 to 0.3`."""


class Fit(Spec):
    """A number that follows from others: about `constant` + the sum of `weights` x `by`."""

    column: str
    by: tuple[str, ...]
    weights: tuple[float, ...]
    constant: float
    ratio_from: float | None = Field(
        default=None,
        description="where the fit is at least this, the ratio to it counts; null: the difference",
    )


class Together(Spec):
    """Columns with one value in all rows that have the same value of another, within a batch."""

    of: str
    columns: tuple[str, ...]


class Known(Spec):
    """Columns that belong to a value of another for good; `learned-<of>.csv` has them all."""

    of: str
    columns: tuple[str, ...]
    levels: tuple[str, ...] = Field(
        default=(),
        description="numbers whose mean for each value, as a share of the batch's, is kept there",
    )
    digest: Digest = Field(description="of the file with the values")


class Bins(Spec):
    """The parts of a distribution, and the reference's share of each."""

    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    shares: tuple[float, ...]


class Learned(Spec):
    """Rules learned from a reference, and what is needed to hold a batch to them."""

    kind: Literal["learned-rules/v1"] = "learned-rules/v1"
    dataset: Name
    version: Digest = Field(description="what was learned from")
    contract: Version
    severity: Severity = Field(
        description="error: a batch that breaks one is refused; warning: it is told"
    )
    moment: str = Field(description="the column that a row's period follows from")
    period: str = Field(description="what a batch holds: a day, a week, a month")
    periods: int = Field(ge=8, description="how many were learned from")
    false_alarms: float = Field(gt=0, lt=1, description="of good batches, that are told")
    fits: tuple[Fit, ...] = ()
    together: tuple[Together, ...] = ()
    known: tuple[Known, ...] = ()
    bins: dict[str, Bins] = Field(default_factory=dict)
    off: tuple[str, ...] = Field(
        default=(), description="rules that are not asked, as `column: figure`, by a person"
    )
    rules: dict[str, dict[str, Bounds]] = Field(description="column, figure, what it may be")


def learned_path(dataset: str) -> str:
    """`data-contracts/<dataset>/learned.yaml`."""
    return f"data-contracts/{dataset}/learned.yaml"


def known_path(dataset: str, of: str) -> str:
    """The file of the values that are known of a column."""
    return f"data-contracts/{dataset}/learned-{of.replace(' ', '-')}.csv"
