"""Two ends of what is allowed, and whether one pair allows all that another does."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Key = tuple[float, int]


@dataclass(frozen=True)
class Limits:
    """What is allowed: from `low` to `high`; None: no limit on that side.

    Attributes:
        strict_low: whether `low` itself is not allowed.
        strict_high: whether `high` itself is not allowed.
        time: whether the ends are moments, written as ISO 8601.
    """

    low: Any = None
    high: Any = None
    strict_low: bool = False
    strict_high: bool = False
    time: bool = False

    def holds(self, other: "Limits") -> bool:
        """Whether everything `other` allows is allowed here too.

        Raises nothing: ends that cannot be compared are taken as not held.
        """
        try:
            return self._low() <= other._low() and self._high() >= other._high()
        except (TypeError, ValueError):
            return False

    def allows(self, value: float) -> bool:
        """Whether a value is between the ends."""
        return self.holds(Limits(value, value, time=self.time))

    @property
    def empty(self) -> bool:
        """Whether no value is between the ends."""
        low, high = self._low(), self._high()
        return low[0] > high[0] or (low[0] == high[0] and bool(low[1] or high[1]))

    def _low(self) -> Key:
        return (-math.inf, 0) if self.low is None else (self._number(self.low), self.strict_low)

    def _high(self) -> Key:
        return (math.inf, 0) if self.high is None else (self._number(self.high), -self.strict_high)

    def _number(self, end: Any) -> float:
        if not self.time:
            return float(end)
        moment = datetime.fromisoformat(str(end))
        # Both ends are of one column: without a zone they are all local or all UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def __str__(self) -> str:
        words = []
        if self.low is not None:
            words.append(f"{'above' if self.strict_low else 'at least'} {self.low}")
        if self.high is not None:
            words.append(f"{'below' if self.strict_high else 'at most'} {self.high}")
        return " and ".join(words) or "without limits"


def limits(
    minimum: Any,
    maximum: Any,
    exclusive_minimum: Any = None,
    exclusive_maximum: Any = None,
    *,
    time: bool = False,
) -> Limits:
    """The limits that a contract's options state, as `rules` checks them."""
    return Limits(
        low=exclusive_minimum if minimum is None else minimum,
        high=exclusive_maximum if maximum is None else maximum,
        strict_low=minimum is None and exclusive_minimum is not None,
        strict_high=maximum is None and exclusive_maximum is not None,
        time=time,
    )
