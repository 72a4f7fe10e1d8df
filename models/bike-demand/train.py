"""Trains bike-demand: gradient-boosted trees for counts."""

from collections.abc import Mapping, Sequence

import lightgbm
import numpy as np
from numpy.typing import NDArray


def train(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    columns: Sequence[str],
    params: Mapping[str, int | float | str | bool],
    seed: int,
) -> str:
    """The trained model in LightGBM's text format; pure: the same inputs give the same text.

    The Poisson loss fits rentals an hour: never negative, and the error grows with the count.
    The model's predictions are counts, not their logarithms.
    """
    settings = dict(params)
    rounds = int(settings.pop("rounds"))
    fixed = {
        "objective": "poisson",
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        # Sums of several threads differ in their last bit from run to run.
        "num_threads": 1,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(x, y, feature_name=list(columns))
    text: str = lightgbm.train({**settings, **fixed}, data, rounds).model_to_string()
    return text
