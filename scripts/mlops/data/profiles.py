"""What the values of a column look like, so that a person sees what is off."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from mlops.data.contract import Contract
from mlops.data.typed import Read, read

TOP = 3
"""Values named of a column of text or booleans."""
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Profile:
    """One column of one table.

    Attributes:
        rows: of the table.
        missing: values that are not there.
        unreadable: values that are not of the contract's type.
        distinct: different values among the readable ones.
        quantiles: least, quarter, half, three quarters and largest of numbers and moments, as
            text; empty for text and booleans, and without values.
        top: the most frequent values of text and booleans, with how often they come.
        estimated: whether `distinct` and the quarters are estimates, as those of many rows are.
    """

    rows: int
    missing: int
    unreadable: int
    distinct: int
    quantiles: tuple[str, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    estimated: bool = False

    @property
    def values(self) -> str:
        """Quantiles, or the most frequent values, in one line."""
        most = (f"{value} ({count})" for value, count in self.top)
        return ", ".join(self.quantiles or most)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def profiles(contract: Contract, frame: pd.DataFrame) -> dict[str, Profile]:
    """The profile of each of the contract's columns that a frame has, by name.

    Args:
        contract: names the columns and their types.
        frame: the rows as they came, or those of a version.
    """
    return profiles_of(read(contract, frame))


def profiles_of(found: Read) -> dict[str, Profile]:
    """The same of a frame that was read."""
    return {name: _profile(found, name) for name in found.rows.columns}


def _profile(found: Read, name: str) -> Profile:
    readable = found.rows[name].dropna()
    ordered = _is_ordered(readable)
    return Profile(
        rows=len(found.rows),
        missing=int(found.missing(name).sum()),
        unreadable=int(found.unreadable[name].sum()),
        distinct=int(readable.nunique()),
        quantiles=_quantiles(readable) if ordered else (),
        top=() if ordered else _top(readable),
    )


def _is_ordered(values: pd.Series) -> bool:
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind):
        return False
    return pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)


def _quantiles(values: pd.Series) -> tuple[str, ...]:
    """Values that are there, none between two: an integer stays one, a moment a moment."""
    if values.empty:
        return ()
    found = values.quantile(list(QUANTILES), interpolation="nearest")
    return tuple(shown(value) for value in found)


def shown(value: Any) -> str:
    """A value of a column, in few characters."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _top(values: pd.Series) -> tuple[tuple[str, int], ...]:
    counted = values.astype(str).value_counts()
    pairs = sorted(counted.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return tuple((str(value), int(count)) for value, count in pairs[:TOP])
