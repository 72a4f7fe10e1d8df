"""What a table is asked where it lies; a database and Spark each answer in their own way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mlops.data.expectations import Bounds


class Unanswered(Exception):
    """There is no answer: no driver, no server, no table, or words it does not know; says why.

    Attributes:
        fix: what to do.
    """

    def __init__(
        self, why: str, fix: str = "correct the address, install the driver, or create the table"
    ) -> None:
        super().__init__(why)
        self.fix = fix


@dataclass(frozen=True)
class Stored:
    """The type of a column.

    Attributes:
        called: its name there.
        python: the type of its values in Python; None for one of the place's own, as a point is.
    """

    called: str
    python: type | None


class Place(Protocol):
    """A table where it lies: nothing is copied from there but figures and a few values."""

    @property
    def rows(self) -> int:
        """How many it has."""
        ...

    @property
    def types(self) -> Mapping[str, Stored]:
        """Its columns."""
        ...

    def figure(self, query: str) -> Any:
        """What a query gives in its first row; None for no row.

        Args:
            query: in the place's words; the table has the contract's name.

        Raises:
            Unanswered: when it cannot be run.
        """
        ...

    def worst(self, column: str, bounds: Bounds, count: int) -> Sequence[Any]:
        """The values of a column of numbers that are furthest outside of bounds, the worst first.

        Args:
            column: its name.
            bounds: the range; one of its ends at least.
            count: how many; so many are outside at least.
        """
        ...

    def batch(self, sources: Any) -> Any:
        """The table as Great Expectations has it.

        Args:
            sources: those of its context.
        """
        ...


def excess(value: Any, bounds: Bounds, magnitude: Any) -> Any:
    """What grows with the distance of a value from bounds, for those outside of them.

    Args:
        value: a column, with operators of its library's.
        bounds: the range; one of its ends at least.
        magnitude: the library's function for it.
    """
    low, high = bounds
    if low is None:
        return value - high
    if high is None:
        return low - value
    return magnitude(value - (low + high) / 2)
