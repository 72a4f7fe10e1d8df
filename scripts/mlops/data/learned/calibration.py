"""What a figure may be, from what it was in the periods of a reference.

False alarms are held to a share of all good batches together (family-wise): each of M figures gets
alpha / M (Bonferroni). A figure that moved has the prediction interval of Student's t for one more
period, on its own scale and on one on which it may be closer to normal (shares by the arcsine of
the root, what is always positive by the logarithm), whichever is wider. For figures with a long
tail it reaches at least BEYOND of the seen range further than that. An extreme of many values lies
close to a limit, and on the other side of it falls off as an exponential does, which is slower than
Student's t says. Then each period is held to what the others say: an interval that a period would
have broken is widened until it holds, and a figure for which that takes more than MOST_WIDER is
left out.

A figure that was the same in all periods is a law: any other value breaks it, or of an extreme any
beyond it. No count of periods bounds how often a law meets its first exception; the leave-one-out
share and clean batches do.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mlops.data.learned.figures import SHIFT, Key
from mlops.data.learned.model import Between

if TYPE_CHECKING:
    import numpy as np

SHARES = frozenset({"missing", "zeros", "whole", "unknown values", "rows that come again"})
"""Figures between 0 and 1."""
NEVER_TOO_SMALL = frozenset({"missing", SHIFT})
MOST_WIDER = 3.0
LARGEST = 700.0
"""The exponential of more is beyond what a number holds."""
HUGE = 1e100
"""Figures from here on (or that are no number) are not bounded: their squares would overflow."""
BEYOND = 1.0
"""Of the range that was seen, how far bounds reach beyond it at least: references are short."""
LEASTS, MOSTS = frozenset({"least", "shortest"}), frozenset({"most", "longest"})
"""Figures that are extremes of a column's values."""
_LIMITS = dict.fromkeys(SHARES, (0.0, 1.0)) | {SHIFT: (0.0, math.inf)}
DIGITS = 4


def calibrated(periods: Sequence[Mapping[Key, float]], false_alarms: float) -> dict[Key, Between]:
    """The bounds of all figures that every period has.

    Args:
        periods: the figures of each.
        false_alarms: the share of good batches that may break any of the bounds.
    """
    import numpy as np

    keys = [key for key in periods[0] if all(key in each for each in periods)]
    series = {key: np.array([each[key] for each in periods]) for key in keys}
    found = {
        key: _bounds(key[1], values, false_alarms / len(keys)) for key, values in series.items()
    }
    return {key: bounds for key, bounds in found.items() if bounds is not None}


def _bounds(name: str, values: "np.ndarray", alpha: float) -> Between | None:
    import numpy as np
    from scipy import stats

    if not (np.abs(values) < HUGE).all():
        return None
    if np.ptp(values) <= 1e-9 * max(1.0, abs(values[0])):
        # A limit is not passed, but a batch need not reach it.
        low = -math.inf if name == "most" else _rounded(values[0], down=True)
        high = math.inf if name == "least" else _rounded(values[0], down=False)
        return Between(low, high)
    limit = stats.t.ppf(1 - alpha / 2, len(values) - 2)
    ends = [values.min() - BEYOND * np.ptp(values), values.max() + BEYOND * np.ptp(values)]
    for scaled, back in _scales(name, values):
        reach = _reach(scaled, limit)
        if reach is None:
            return None
        ends += [back(scaled.mean() - reach), back(scaled.mean() + reach)]
    if name in LEASTS:
        ends.append(values.min() + _off_limit(values - values.min(), alpha / 2))
    if name in MOSTS:
        ends.append(values.max() - _off_limit(values.max() - values, alpha / 2))
    least, most = _LIMITS.get(name, (-math.inf, math.inf))
    low = least if name in NEVER_TOO_SMALL else max(least, min(ends))
    return Between(_rounded(low, down=True), _rounded(min(most, max(ends)), down=False))


def _reach(scaled: "np.ndarray", limit: float) -> float | None:
    """How far bounds are from the mean; None when a period is too far from all others."""
    wider = max(1.0, _worst_left_out(scaled) / limit)
    if wider > MOST_WIDER:
        return None
    return float(wider * limit * scaled.std(ddof=1) * math.sqrt(1 + 1 / len(scaled)))


def _off_limit(gaps: "np.ndarray", alpha: float) -> float:
    """How far from the outermost of n extremes one more may lie, given the gaps of all to it.

    Of exponential values their least is independent of the sum of the gaps to it, which is the
    scale times a gamma variable of n - 1: so the chance to lie further off than t is at most
    (1 + t / sum) to the power of 1 - n.
    """
    freedom = len(gaps) - 1
    return float(gaps.sum() * (alpha ** (-1 / freedom) - 1))


def _worst_left_out(scaled: "np.ndarray") -> float:
    """How far, in standard errors of a prediction, the worst period is from all others."""
    import numpy as np

    n = len(scaled) - 1
    mean = (scaled.sum() - scaled) / n
    square = (np.square(scaled).sum() - np.square(scaled)) / n
    spread = np.sqrt(np.maximum(square - mean**2, 0) * n / (n - 1) * (1 + 1 / n))
    gaps = np.abs(scaled - mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmax(np.where(gaps < 1e-12, 0.0, gaps / spread)))


def _scales(
    name: str, values: "np.ndarray"
) -> "Iterator[tuple[np.ndarray, Callable[[float], float]]]":
    import numpy as np

    yield values, float
    if name in SHARES and values.min() >= 0 and values.max() <= 1:
        yield np.arcsin(np.sqrt(values)), _from_arcsine
    elif values.min() > 0:
        yield np.log(values), _from_logarithm


def _from_logarithm(value: float) -> float:
    """Of figures that vary by hundreds of powers of ten the bound is a number, too."""
    return math.exp(min(value, LARGEST))


def _from_arcsine(angle: float) -> float:
    return math.sin(min(max(angle, 0.0), math.pi / 2)) ** 2


def _rounded(value: float, *, down: bool) -> float:
    """To a few digits, outwards; whole numbers stay."""
    if value == 0 or (float(value).is_integer() and abs(value) < 1e15):
        return float(value)
    step = 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1)
    whole = math.floor(value / step) if down else math.ceil(value / step)
    return float(f"{whole * step:.{DIGITS}g}")
