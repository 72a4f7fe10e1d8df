"""Metrics: each a ratio of sums over rows, so that a bootstrap needs only sums of blocks.

mae and rmse are in units of the target, bias is the mean of prediction minus target, mape is
over the rows whose target is not 0. For classification, predictions are probabilities of 1.
auc alone is no ratio of sums; it is the weighted Mann-Whitney statistic.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops.specs.model import METRICS

Floats = NDArray[np.float64]
RowTerms = Callable[[Floats, Floats], tuple[Floats, Floats]]

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
    groups = np.unique(p, return_inverse=True)[1]
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    positive = np.add.reduceat((weights * y)[:, order], starts, axis=1)
    negative = np.add.reduceat((weights * (1 - y))[:, order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        area: Floats = (positive * below).sum(axis=1) / pairs
    return area


def rounded(number: float) -> float:
    """To 6 significant digits: evidence is the same where sums differ in their last bit."""
    return float(f"{number:.6g}")
