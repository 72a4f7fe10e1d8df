"""Trains flight-delay: gradient-boosted trees for a probability."""

from collections.abc import Mapping, Sequence

import lightgbm
import numpy as np
from numpy.typing import NDArray

NAMES = ("carrier", "origin")
"""Columns whose numbers are names, without an order."""


def train(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    columns: Sequence[str],
    params: Mapping[str, int | float | str | bool],
    seed: int,
) -> str:
    """The trained model in LightGBM's text format; pure: the same inputs give the same text.

    The log loss is proper: it is smallest for the true probability, so what comes out is one
    without calibrating it afterwards. Weights for the rarer class would spoil that.
    """
    settings = dict(params)
    rounds = int(settings.pop("rounds"))
    fixed = {
        "objective": "binary",
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        # Sums of several threads differ in their last bit from run to run.
        "num_threads": 1,
        "verbosity": -1,
    }
    names = [column for column in columns if column in NAMES]
    data = lightgbm.Dataset(x, y, feature_name=list(columns), categorical_feature=names)
    text: str = lightgbm.train({**settings, **fixed}, data, rounds).model_to_string()
    return text
