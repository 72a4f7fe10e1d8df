"""The stated baseline: the target's mean in groups of the training rows."""

from typing import TYPE_CHECKING

import numpy as np

from mlops.specs.model import Model
from mlops.training.holdout import Split
from mlops.training.metrics import Floats

if TYPE_CHECKING:
    from pandas import DataFrame


def predictions(spec: Model, split: Split) -> Floats:
    """The baseline's predictions for the holdout, shape (rows,).

    A group that training has not seen gets the mean of all training rows.
    """
    return _group_means(split.train, split.holdout, spec.baseline.group_by, spec.data.target)


def _group_means(
    train: "DataFrame", holdout: "DataFrame", group_by: tuple[str, ...], target: str
) -> Floats:
    keys = list(group_by)
    known = train[target].astype(np.float64)
    means = known.groupby([train[key] for key in keys], observed=True).mean().rename("_mean")
    found = holdout[keys].merge(means.reset_index(), on=keys, how="left")["_mean"]
    return found.fillna(known.mean()).to_numpy(dtype=np.float64)
