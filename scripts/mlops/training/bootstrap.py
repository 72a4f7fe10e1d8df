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
from mlops.training.metrics import RATIOS, Floats, rounded, value, weighted_auc

if TYPE_CHECKING:
    from pandas import DataFrame

CELLS = 4_000_000
"""Weights held at once, so that memory does not grow with rows times resamples."""


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
    ratio = RATIOS[metric]
    blocks = drawn.counts.shape[1]
    sums = [np.bincount(drawn.block, terms, blocks) for terms in ratio.terms(y, p)]
    return ratio.of_sums(drawn.counts @ sums[0], drawn.counts @ sums[1])


def _resampled_auc(y: Floats, p: Floats, drawn: Draws) -> Floats:
    at_once = max(1, CELLS // len(y))
    parts = [
        weighted_auc(y, p, drawn.counts[start : start + at_once][:, drawn.block])
        for start in range(0, len(drawn.counts), at_once)
    ]
    return np.concatenate(parts)


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
