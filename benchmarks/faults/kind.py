"""What a kind of fault is: the class it stands for, how strong it comes, how it is planted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Group = Literal["schema", "missing", "outliers", "duplicates", "relation", "distribution", "rows"]
"""As the product groups rules."""
Planting = Callable[[pd.DataFrame, float, np.random.Generator], pd.DataFrame]

# How strong, by the harm: from what somebody has to correct to what nobody could use.
SHARES = (0.01, 0.05, 0.25)
"""Of the rows, or of the stations: from 1 % on a week has to be corrected and sent again."""
STRICT = (0.0001, 0.001, 0.01)
"""Of the rows, where each value has one right form: the first that has not stops who loads it."""


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        of: the class of a taxonomy, and whose.
        group: what it breaks, in the product's words.
        strengths: weakest first; what they count is the kind's.
        plant: gives the batch with the fault; the batch given stays as it is.
    """

    name: str
    of: str
    group: Group
    strengths: tuple[float, ...]
    plant: Planting


KINDS: dict[str, Kind] = {}
"""All kinds; modules of this package add theirs when they are imported."""


def kind(
    name: str, *, of: str, group: Group, strengths: tuple[float, ...]
) -> Callable[[Planting], Planting]:
    """Make a kind of a function that changes a copy of the batch in place, or gives another."""

    def add(plant: Planting) -> Planting:
        if name in KINDS:
            raise ValueError(f"there are two kinds {name}")
        KINDS[name] = Kind(
            name, of, group, strengths, lambda f, s, chance: plant(f.copy(), s, chance)
        )
        return plant

    return add


def some_rows(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> np.ndarray:
    """A mask with this share of the rows, at least one."""
    count = max(1, round(share * len(frame)))
    mask = np.zeros(len(frame), bool)
    mask[chance.choice(len(frame), count, replace=False)] = True
    return mask


def some_stations(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> np.ndarray:
    """A mask with all rows of this share of the stations, at least of one."""
    names = frame["station_id"].cat.categories
    count = max(1, round(share * len(names)))
    chosen = np.zeros(len(names), bool)
    chosen[chance.choice(len(names), count, replace=False)] = True
    return np.asarray(chosen[frame["station_id"].cat.codes])


def as_text(frame: pd.DataFrame, column: str) -> None:
    """Have a column hold text, so that any text can be written into it."""
    frame[column] = frame[column].astype("str")


def hours(frame: pd.DataFrame) -> Iterator[pd.Timestamp]:
    """The batch's hours, in order."""
    yield from sorted(frame["hour_at"].unique())
