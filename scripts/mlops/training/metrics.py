"""Metrics: each a ratio of sums over rows, so that a bootstrap needs only sums of blocks.

mae and rmse are in units of the target, bias is the mean of prediction minus target, mape is
over the rows whose target is not 0. For classification, predictions are probabilities of 1.
Two are no ratio of sums: auc is the weighted Mann-Whitney statistic, ece the expected calibration
error.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.specs.model import METRICS

Floats = NDArray[np.float64]
RowTerms = Callable[[Floats, Floats], tuple[Floats, Floats]]

BINS = 15
"""Of equal width from 0 to 1, in ece."""
SMALLEST = 1e-15
"""Probabilities are kept this far from 0 and 1 in log_loss, so that it stays finite."""


@dataclass(frozen=True)
class Ratio:
    """finish(sum of numerators / sum of denominators)."""

    terms: RowTerms
    """(target, prediction) to numerators and denominators, each of shape (rows,)."""
    finish: Callable[[Floats], Floats] = np.asarray

    def of_sums(self, numerators: Floats, denominators: Floats) -> Floats:
        """The metric of each pair of sums; NaN where the denominator is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.finish(numerators / denominators)


def _mean(losses: Callable[[Floats, Floats], Floats]) -> RowTerms:
    return lambda y, p: (losses(y, p), np.ones(len(y)))


def _log_losses(y: Floats, p: Floats) -> Floats:
    inside = np.clip(p, SMALLEST, 1 - SMALLEST)
    return -(y * np.log(inside) + (1 - y) * np.log1p(-inside))


def _relative_errors(y: Floats, p: Floats) -> tuple[Floats, Floats]:
    counted = y != 0
    errors = np.divide(np.abs(p - y), np.abs(y), out=np.zeros(len(y)), where=counted)
    return errors, counted.astype(np.float64)


RATIOS = {
    "mae": Ratio(_mean(lambda y, p: np.abs(p - y))),
    "rmse": Ratio(_mean(lambda y, p: (p - y) ** 2), np.sqrt),
    "mape": Ratio(_relative_errors),
    "bias": Ratio(_mean(lambda y, p: p - y)),
    "log_loss": Ratio(_mean(_log_losses)),
    "brier": Ratio(_mean(lambda y, p: (p - y) ** 2)),
    "accuracy": Ratio(_mean(lambda y, p: ((p >= 0.5) == (y == 1)).astype(np.float64))),
}
HIGHER_IS_BETTER = frozenset({"auc", "accuracy"})


def value(metric: str, y: Floats, p: Floats) -> float:
    """A metric of predictions `p` for targets `y`, both of shape (rows,); NaN when undefined."""
    if metric == "auc":
        return float(weighted_auc(y, p, np.ones((1, len(y))))[0])
    if metric == "ece":
        sums: Floats = np.bincount(bins_of(p), weights=p - y, minlength=BINS).astype(np.float64)
        return float(calibration_error(sums[None, :], np.array([float(len(y))]))[0])
    numerators, denominators = RATIOS[metric].terms(y, p)
    return float(RATIOS[metric].of_sums(numerators.sum(), denominators.sum()))


def values(task: str, y: Floats, p: Floats) -> dict[str, float]:
    """All metrics of a task that are defined on these rows, to 6 significant digits."""
    found = {metric: value(metric, y, p) for metric in METRICS[task]}
    return {metric: rounded(number) for metric, number in found.items() if np.isfinite(number)}


def weighted_auc(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Area under the ROC curve for each row of `weights` (sets, rows); ties count half.

    NaN where a set holds one class only.
    """
    order, starts = ranked(p)
    positive = np.add.reduceat((weights * y)[:, order], starts, axis=1)
    negative = np.add.reduceat((weights * (1 - y))[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        area: Floats = (positive * below).sum(axis=1) / pairs
    return area


def ranked(p: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows in the order of their predictions, and where in it each value of these begins."""
    groups = np.unique(p, return_inverse=True)[1]
    order = np.argsort(groups, kind="stable")
    return order, np.flatnonzero(np.diff(groups[order], prepend=-1))


def bins_of(p: Floats) -> NDArray[np.int64]:
    """The bin of each probability, shape (rows,)."""
    return np.clip((p * BINS).astype(np.int64), 0, BINS - 1)


def calibration_error(sums: Floats, rows: Floats) -> Floats:
    """Expected calibration error of several sets of rows; NaN for one without rows.

    Mean distance between predicted and observed share, over bins of the prediction, weighted by
    their rows: Naeini, Cooper and Hauskrecht (AAAI 2015); Guo et al., On Calibration of Modern
    Neural Networks (ICML 2017), equation 3. It is above 0 by chance alone, the more the fewer
    rows.

    Args:
        sums: of predictions minus targets, shape (sets, bins).
        rows: of each set, shape (sets,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        error: Floats = np.abs(sums).sum(axis=1) / rows
    return error


def rounded(number: float) -> float:
    """To 6 significant digits: evidence is the same where sums differ in their last bit."""
    return float(f"{number:.6g}")
