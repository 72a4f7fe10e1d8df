"""Distances between two frames, column by column."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mlops.data.drift import drift


def distances(reference: dict[str, list[object]], current: dict[str, list[object]]) -> list[float]:
    one, other = pd.DataFrame(reference), pd.DataFrame(current)
    return [entry.statistic for entry in drift(one, other, one.columns)]


def test_the_same_rows_are_at_distance_0_and_disjoint_ones_at_1() -> None:
    rows: dict[str, list[object]] = {
        "number": [1.0, 2.0],
        "text": ["a", "b"],
        "flag": [True, False],
        "moment": [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")],
    }
    others: dict[str, list[object]] = {
        "number": [3.0, 4.0],
        "text": ["c", "c"],
        "flag": [True, True],
        "moment": [pd.Timestamp("2025-01-01"), pd.Timestamp("2025-01-02")],
    }
    assert distances(rows, rows) == [0.0] * 4
    assert distances(rows, others) == [1.0, 1.0, 0.5, 1.0]


def test_text_is_compared_by_the_shares_of_its_values() -> None:
    assert distances({"v": ["a", "a", "a", "b"]}, {"v": ["a", "b"]}) == [0.25]


def test_missing_values_are_left_out_and_an_empty_side_is_far() -> None:
    assert distances({"v": [1.0, None]}, {"v": [1.0, 1.0]}) == [0.0]
    assert distances({"v": [1.0]}, {"v": [None]}) == [1.0]


@given(st.lists(st.integers(0, 9), min_size=1), st.lists(st.integers(0, 9), min_size=1))
def test_numbers_are_as_far_as_their_distribution_functions(one: list[int], two: list[int]) -> None:
    grid = np.arange(10)
    gaps = [
        abs(np.mean(np.array(one) <= point) - np.mean(np.array(two) <= point)) for point in grid
    ]
    (found,) = distances({"v": list(one)}, {"v": list(two)})
    assert abs(found - max(gaps)) < 1e-12


@given(st.lists(st.floats(-9, 9), min_size=2), st.lists(st.floats(-9, 9), min_size=2))
def test_numbers_are_as_far_as_scipy_says(one: list[float], two: list[float]) -> None:
    from scipy.stats import ks_2samp

    (found,) = distances({"v": list(one)}, {"v": list(two)})
    with np.errstate(all="ignore"):
        assert abs(found - ks_2samp(one, two, method="asymp").statistic) < 1e-12
