"""Bootstrap intervals: whole blocks of rows are drawn again, the same ones for both models.

Percentile intervals after Efron and Tibshirani, An Introduction to the Bootstrap (1993),
chapters 13 and 16; drawing whole blocks keeps rows of one block (a day) correlated.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlops.specs.evidence import Interval
from mlops.specs.model import Evaluation
from mlops.training.metrics import (
    BINS,
    RATIOS,
    Floats,
    bins_of,
    calibration_error,
    ranked,
    rounded,
    value,
    weighted_auc,
)

if TYPE_CHECKING:
    from pandas import DataFrame

CELLS = 4_000_000
"""Weights held at once, so that memory does not grow with rows times resamples."""
CELLS_OF_BLOCKS = 16_000_000
"""Rows times blocks up to which pairs are counted by block: three tables of as many floats."""


@dataclass(frozen=True)
class Draws:
    """Which blocks each resample holds.

    Attributes:
        block: number of each row's block, shape (rows,).
        counts: how often a resample holds a block, shape (resamples, blocks).
        confidence: of the intervals.
    """

    block: NDArray[np.int64]
    counts: Floats
    confidence: float


def draws(evaluation: Evaluation, rows: "DataFrame", digest: str) -> Draws:
    """Draw the resamples of a holdout.

    They follow from the holdout's digest alone, so that every model is measured on the same.
    """
    column = evaluation.block
    block = np.arange(len(rows)) if column is None else _codes(rows, column)
    blocks = int(block.max()) + 1
    chance = np.random.default_rng(int(digest.removeprefix("sha256:"), 16))
    shares = np.full(blocks, 1 / blocks)
    counts = chance.multinomial(blocks, shares, size=evaluation.resamples)
    return Draws(block, counts.astype(np.float64), evaluation.confidence)


def _codes(rows: "DataFrame", column: str) -> NDArray[np.int64]:
    import pandas

    codes: NDArray[np.int64] = pandas.factorize(rows[column], use_na_sentinel=False)[0]
    return codes


def resampled(metric: str, y: Floats, p: Floats, drawn: Draws) -> Floats:
    """The metric on each resample, shape (resamples,); NaN where it is undefined."""
    if metric == "auc":
        return _resampled_auc(y, p, drawn)
    if metric == "ece":
        return _resampled_ece(y, p, drawn)
    ratio = RATIOS[metric]
    blocks = drawn.counts.shape[1]
    sums = [np.bincount(drawn.block, terms, blocks) for terms in ratio.terms(y, p)]
    return ratio.of_sums(drawn.counts @ sums[0], drawn.counts @ sums[1])


def _resampled_ece(y: Floats, p: Floats, drawn: Draws) -> Floats:
    blocks = drawn.counts.shape[1]
    places = drawn.block * BINS + bins_of(p)
    sums = np.bincount(places, p - y, blocks * BINS).reshape(blocks, BINS)
    rows = np.bincount(drawn.block, minlength=blocks).astype(np.float64)
    return calibration_error(drawn.counts @ sums, drawn.counts @ rows)


def _resampled_auc(y: Floats, p: Floats, drawn: Draws) -> Floats:
    if len(y) * drawn.counts.shape[1] <= CELLS_OF_BLOCKS:
        return _auc_of_blocks(y, p, drawn)
    at_once = max(1, CELLS // len(y))
    parts = [
        weighted_auc(y, p, drawn.counts[start : start + at_once][:, drawn.block])
        for start in range(0, len(drawn.counts), at_once)
    ]
    return np.concatenate(parts)


def _auc_of_blocks(y: Floats, p: Floats, drawn: Draws) -> Floats:
    """The same, bit for bit, from the ordered pairs of each two blocks.

    A resample's ordered pairs are those of its blocks, each as often as both are drawn, so rows
    are sorted and counted once for all resamples. All counts are halves, which floats hold exactly.
    """
    blocks = drawn.counts.shape[1]
    order, starts = ranked(p)
    negative = np.zeros((len(y), blocks))
    negative[np.arange(len(y)), drawn.block[order]] = 1 - y[order]
    groups = np.add.reduceat(negative, starts, axis=0)
    below = np.cumsum(groups, axis=0) - groups / 2
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(y)))
    positive = np.zeros((len(starts), blocks))
    np.add.at(positive, (group, drawn.block[order]), y[order])
    ordered = ((drawn.counts @ (positive.T @ below)) * drawn.counts).sum(axis=1)
    pairs = (drawn.counts @ positive.sum(axis=0)) * (drawn.counts @ groups.sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        area: Floats = ordered / pairs
    return area


def interval(metric: str, y: Floats, p: Floats, drawn: Draws) -> Interval:
    """A metric and its interval, in the metric's unit."""
    low, high = _ends(resampled(metric, y, p, drawn), drawn.confidence)
    return Interval(value=rounded(value(metric, y, p)), low=low, high=high)


def difference(metric: str, y: Floats, p: Floats, other: Floats, drawn: Draws) -> Interval:
    """metric(p) - metric(other) and its paired interval; exactly 0 for equal predictions."""
    change = resampled(metric, y, p, drawn) - resampled(metric, y, other, drawn)
    low, high = _ends(change, drawn.confidence)
    return Interval(
        value=rounded(value(metric, y, p) - value(metric, y, other)), low=low, high=high
    )


def _ends(found: Floats, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(found, [tail, 1 - tail])
    return rounded(float(low)), rounded(float(high))
