"""Bounds of figures: as wide as the reference's own variation asks, together held to a share."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.data.learned.calibration import calibrated
from mlops.data.learned.model import Between

KEY = ("v", "mean")


def bounds(values: list[float], name: str = "mean", false_alarms: float = 0.01) -> Between | None:
    return calibrated([{("v", name): value} for value in values], false_alarms).get(("v", name))


def test_what_never_changed_is_a_law() -> None:
    assert bounds([3.0] * 10) == Between(3.0, 3.0)


def test_an_extreme_that_never_changed_is_not_passed_but_need_not_be_reached() -> None:
    assert bounds([3.0] * 10, "most") == Between(-math.inf, 3.0)
    assert bounds([3.0] * 10, "least") == Between(3.0, math.inf)


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=8, max_size=60))
def test_every_period_that_was_learned_from_holds_to_the_bounds(values: list[float]) -> None:
    found = bounds(values)
    assert found is None or all(value in found for value in values)


def test_a_figure_that_one_period_alone_would_have_broken_is_no_rule() -> None:
    assert bounds([0.0] * 20 + [5.0]) is None


def test_a_share_stays_between_nothing_and_all() -> None:
    found = bounds([0.0, 0.2, 0.1, 0.4, 0.3, 0.1, 0.2, 0.9], "zeros")
    assert found is not None
    assert 0 <= found.low <= found.high <= 1


def test_less_missing_than_ever_is_no_fault() -> None:
    found = bounds([0.1, 0.11, 0.12, 0.1, 0.11, 0.12, 0.1, 0.11], "missing")
    assert found is not None
    assert 0.0 in found
    assert 0.5 not in found


@pytest.mark.parametrize("name", ["mean", "least", "most"])
def test_good_batches_break_any_of_hundreds_of_bounds_no_more_often_than_is_allowed(
    name: str,
) -> None:
    """2,000 good batches against bounds of 200 figures, learned from 30 periods; seeded."""
    chance = np.random.default_rng(1)

    def drawn(count: int) -> np.ndarray:
        shape = (count, len(keys))
        if name == "mean":
            return chance.normal(0, 1, shape)
        # The extremes of many values lie close to a limit, one side of it.
        return chance.exponential(1, shape) * (1 if name == "least" else -1)

    keys = [(str(n), name) for n in range(200)]
    refused = 0
    for _ in range(20):
        found = calibrated([dict(zip(keys, each, strict=True)) for each in drawn(30)], 0.05)
        # A figure of which a period was too far from all others is no rule.
        every = [found.get(key, Between(-math.inf, math.inf)) for key in keys]
        low, high = np.array([each.low for each in every]), np.array([each.high for each in every])
        batches = drawn(100)
        refused += int(((batches < low) | (batches > high)).any(axis=1).sum())
    # 100 are expected at the most; one in a million runs has over 150.
    assert refused <= 150


def test_a_figure_that_a_period_does_not_have_is_left_out() -> None:
    assert calibrated([{KEY: 1.0}, {}], 0.01) == {}


@pytest.mark.parametrize("infinite", [np.inf, np.nan, 1e308])
def test_a_figure_that_is_no_number_or_near_the_largest_is_left_out(infinite: float) -> None:
    assert bounds([1.0, 2.0] * 5 + [infinite]) is None
