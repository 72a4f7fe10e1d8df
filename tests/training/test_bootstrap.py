"""Intervals: of equal models 0, turned round by swapping, the same in every run."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops import digests
from mlops.specs.model import Evaluation
from mlops.training.bootstrap import Draws, difference, draws, interval, resampled
from mlops.training.metrics import value, weighted_auc

DAYS, HOURS = 12, 24
ROWS = pd.DataFrame({"day": np.repeat(np.arange(DAYS), HOURS)})
DIGEST = digests.of_bytes(b"a holdout")
METRICS = ("mae", "rmse", "bias", "mape")
seeds = st.integers(0, 2**32 - 1)


@cache
def drawn(block: str | None = "day") -> Draws:
    return draws(Evaluation(resamples=500, block=block), ROWS, DIGEST)


def noise(seed: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.random.default_rng(seed).normal(10, 3, len(ROWS))


@given(seeds, st.sampled_from(METRICS))
def test_the_difference_of_a_model_to_itself_is_exactly_0(seed: int, metric: str) -> None:
    y, p = noise(seed), noise(seed + 1)
    found = difference(metric, y, p, p, drawn())
    assert (found.value, found.low, found.high) == (0, 0, 0)


@given(seeds, st.sampled_from(METRICS))
def test_swapping_the_models_turns_the_interval_round(seed: int, metric: str) -> None:
    y, p, other = noise(seed), noise(seed + 1), noise(seed + 2)
    one = difference(metric, y, p, other, drawn())
    back = difference(metric, y, other, p, drawn())
    assert (-back.value, -back.high, -back.low) == pytest.approx((one.value, one.low, one.high))


@given(seeds)
def test_an_interval_is_ordered_and_the_same_when_measured_again(seed: int) -> None:
    y, p = noise(seed), noise(seed + 1)
    again = draws(Evaluation(resamples=500, block="day"), ROWS, DIGEST)
    found = interval("mae", y, p, drawn())
    assert found.low <= found.high
    assert found == interval("mae", y, p, again)


def test_another_holdout_is_resampled_otherwise() -> None:
    other = draws(Evaluation(resamples=500, block="day"), ROWS, digests.of_bytes(b"another"))
    assert not np.array_equal(other.counts, drawn().counts)


def test_a_resample_holds_as_many_blocks_as_there_are_and_takes_them_whole() -> None:
    assert drawn().counts.sum(axis=1).tolist() == [DAYS] * 500
    assert drawn().counts.shape == (500, DAYS)
    assert drawn(None).counts.shape == (500, DAYS * HOURS)


def test_sums_of_blocks_give_what_the_rows_drawn_give() -> None:
    y, p = noise(3), noise(4)
    y[::3] = np.abs(y[::3]) > 10
    labels = (y > 10).astype(np.float64)
    chances = 1 / (1 + np.exp(-p + 10))
    for metric, target, predicted in (
        *((name, y, p) for name in METRICS),
        *((name, labels, chances) for name in ("auc", "ece", "log_loss", "accuracy")),
    ):
        found = resampled(metric, target, predicted, drawn())
        for number in (0, 250, 499):
            counts = drawn().counts[number].astype(int)
            blocks = np.repeat(np.arange(DAYS), counts)
            rows = np.concatenate([np.flatnonzero(drawn().block == block) for block in blocks])
            expected = value(metric, target[rows], predicted[rows])
            assert found[number] == pytest.approx(expected), metric


@given(seeds, st.integers(1, 40))
def test_auc_counted_by_block_is_bit_for_bit_that_of_weighted_rows(seed: int, ties: int) -> None:
    y = (noise(seed) > 10).astype(np.float64)
    p = np.round(noise(seed + 1) / 20 * ties) / ties
    found = resampled("auc", y, p, drawn())
    assert np.array_equal(found, weighted_auc(y, p, drawn().counts[:, drawn().block]))


def test_correlated_days_make_the_interval_of_blocks_wider_than_that_of_rows() -> None:
    day = np.repeat(np.random.default_rng(1).normal(0, 5, DAYS), HOURS)
    y = np.zeros(len(ROWS))
    blocks, rows = interval("bias", y, day, drawn()), interval("bias", y, day, drawn(None))
    assert blocks.high - blocks.low > 2 * (rows.high - rows.low)


@pytest.mark.slow
def test_a_95_percent_interval_holds_the_truth_about_that_often() -> None:
    """400 worlds of 40 independent days; percentile intervals of 40 blocks hold 92 to 97%."""
    chance, days = np.random.default_rng(5), 40
    frame = pd.DataFrame({"day": np.repeat(np.arange(days), 6)})
    held = draws(Evaluation(resamples=1000, block="day"), frame, DIGEST)
    hits = 0
    for _ in range(400):
        p = np.repeat(chance.normal(1, 2, days), 6) + chance.normal(0, 1, len(frame))
        found = interval("bias", np.zeros(len(frame)), p, held)
        hits += found.low <= 1 <= found.high
    assert 0.90 <= hits / 400 <= 0.98
