"""How far the rows of one frame are from another's, column by column."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mlops.specs.evidence import Drift


def drift(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Iterable[str]
) -> tuple[Drift, ...]:
    """Distance of each column's distribution, from 0 (the same) to 1 (nothing in common).

    Numbers and moments: the two-sample Kolmogorov-Smirnov statistic, the largest difference of
    the two distribution functions. Text and booleans, which have no order: the total variation
    distance, half the sum of the differences of the values' shares. Missing values are left
    out; a column without values on one side is at distance 0 when it has none on either, else 1.
    """
    return tuple(
        Drift(column=name, statistic=_distance(reference[name].dropna(), current[name].dropna()))
        for name in columns
    )


def _distance(reference: pd.Series, current: pd.Series) -> float:
    if reference.empty or current.empty:
        return float(reference.empty != current.empty)
    if pd.api.types.is_datetime64_any_dtype(reference.dtype):
        return _ks(reference.astype("int64"), current.astype(reference.dtype).astype("int64"))
    if _is_unordered(reference) or _is_unordered(current):
        return _total_variation(reference, current)
    return _ks(reference, current)


def _is_unordered(values: pd.Series) -> bool:
    kind = values.dtype
    return pd.api.types.is_bool_dtype(kind) or not pd.api.types.is_numeric_dtype(kind)


def _ks(reference: pd.Series, current: pd.Series) -> float:
    """Largest difference of the two distribution functions, at any value of either side."""
    one, other = (np.sort(side.to_numpy("float64")) for side in (reference, current))
    values = np.concatenate([one, other])
    below = [np.searchsorted(side, values, side="right") / len(side) for side in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def _total_variation(reference: pd.Series, current: pd.Series) -> float:
    one = reference.astype(str).value_counts(normalize=True)
    other = current.astype(str).value_counts(normalize=True)
    values = one.index.union(other.index)
    gaps = one.reindex(values, fill_value=0.0) - other.reindex(values, fill_value=0.0)
    return float(gaps.abs().sum() / 2)
