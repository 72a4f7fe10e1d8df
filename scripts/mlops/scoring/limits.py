"""What a model's features may be: its contract's limits, held to whole matrices at once.

They travel in the artifact's card, so that a service knows them without the contract's file.
"""

import math
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

WORST = 3
"""Examples that are named."""


class Limit(BaseModel):
    """What one feature may be: a finite number from `low` to `high`.

    Attributes:
        whole: whether it has no fraction.
        missing: whether it may be missing (not a number).
        listed: the only values there are; None: all that are in the range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str
    low: float = -sys.float_info.max
    high: float = sys.float_info.max
    whole: bool = False
    missing: bool = False
    listed: tuple[float, ...] | None = None

    def __str__(self) -> str:
        words = ["a whole number" if self.whole else "a number"]
        words += [f"at least {self.low:g}"] if self.low > -sys.float_info.max else []
        words += [f"at most {self.high:g}"] if self.high < sys.float_info.max else []
        listed = ", ".join(f"{value:g}" for value in self.listed or ())
        words += [f"one of {listed}"] if listed else []
        return f"{', '.join(words)}{' or missing' if self.missing else ''}"

    def distance(self, value: float) -> float:
        """How far a value is outside the range; 0 inside, infinite when it is missing."""
        return math.inf if math.isnan(value) else max(self.low - value, value - self.high, 0.0)


class Limits:
    """The limits of all features, in the order of a matrix's columns."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.each = tuple(limits)
        self._low = np.array([each.low for each in limits])
        self._high = np.array([each.high for each in limits])
        self._broken = np.array([not each.whole for each in limits], dtype=bool)
        self._missing = np.array([each.missing for each in limits], dtype=bool)
        self._some_missing = bool(self._missing.any())
        self._listed = [
            (number, np.array(each.listed))
            for number, each in enumerate(limits)
            if each.listed is not None
        ]

    def inside(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values are as they may be; some microseconds, for it is asked of each request.

        Args:
            x: feature values, shape (rows, columns); not a number: missing.

        Returns:
            False for each value that is not, shape (rows, columns).
        """
        ranged = (x >= self._low) & (x <= self._high)
        found: NDArray[np.bool_] = ranged & ((np.floor(x) == x) | self._broken)
        for number, listed in self._listed:
            found[:, number] &= np.isin(x[:, number], listed)
        return found | (np.isnan(x) & self._missing) if self._some_missing else found


def told(limits: Limits, x: NDArray[np.float64]) -> list[str]:
    """What is outside, a line for each feature: how many values of how many, and the worst.

    Rows are numbered from 1.
    """
    outside = ~limits.inside(x)
    lines = []
    for number, limit in enumerate(limits.each):
        rows = np.flatnonzero(outside[:, number])
        if len(rows):
            worst = sorted(rows, key=lambda row: -limit.distance(x[row, number]))[:WORST]
            named = "; ".join(f"row {row + 1}: {_shown(x[row, number])}" for row in worst)
            counted = f"{len(rows)} of {len(x)} values are not {limit}"
            lines.append(f"feature `{limit.feature}`: {counted} ({named})")
    return lines


def _shown(value: float) -> str:
    return "missing" if math.isnan(value) else f"{value:g}"
