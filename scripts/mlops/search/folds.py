"""What a set of parameters is worth: the metric on windows of the training rows, by time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mlops.errors import bad_input
from mlops.repository import Layout, Repository
from mlops.specs.model import Model
from mlops.specs.search import Search, Value
from mlops.training.holdout import split
from mlops.training.metrics import Floats, rounded, value
from mlops.training.rows import matrix, records, targets
from mlops.training.training import Trainer, features_of, trainer_of

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Fold:
    """Rows before `start` are trained on, those from it to before `end` are predicted."""

    start: int
    end: int


@dataclass(frozen=True)
class Folded:
    """A model's training rows, ready to be trained on and predicted window by window.

    Attributes:
        x: features, shape (rows, columns), in the order of time.
        y: the target, shape (rows,).
        params: of `training.params`; what is tried takes the place of some.
        metric: that is measured.
    """

    model: str
    x: Floats
    y: Floats
    columns: tuple[str, ...]
    folds: tuple[Fold, ...]
    trainer: Trainer
    params: Mapping[str, Value]
    seed: int
    metric: str

    def measure(self, params: Mapping[str, Value]) -> tuple[float, ...]:
        """The metric on each window, trained with these parameters, to 6 significant digits.

        Raises:
            BadInput: when train.py fails with them, or the metric is undefined on a window.
        """
        return tuple(self._measured(fold, {**self.params, **params}) for fold in self.folds)

    def _measured(self, fold: Fold, params: Mapping[str, Value]) -> float:
        before, later = slice(0, fold.start), slice(fold.start, fold.end)
        try:
            text = self.trainer(self.x[before], self.y[before], self.columns, params, self.seed)
        except Exception as error:
            raise bad_input(
                f"models/{self.model}/train.py",
                f"fails with {dict(params)} ({type(error).__name__}: {error})",
                "correct it, or take these values out of `search.space` in model.yaml",
            ) from error
        found = value(self.metric, self.y[later], _predicted(text, self.x[later]))
        if not np.isfinite(found):
            raise bad_input(
                f"models/{self.model}/model.yaml",
                f"`search.metric` is {self.metric}, undefined on the {fold.end - fold.start} rows "
                "of a fold",
                "raise `search.folds.days`",
            )
        return rounded(found)


def folded(repo: Repository, layout: Layout, model: str, search: Search) -> Folded:
    """The rows that a tree pins for a model, without the holdout, and the windows of its search.

    Raises:
        BadInput: when the model's files or its data are not as they have to be, or the rows are
            too few for the windows.
    """
    spec, code = layout.model(model), features_of(layout, model)
    rows = split(repo, layout, model).train
    return Folded(
        model=model,
        x=matrix(records(rows, code), code),
        y=targets(rows, spec.data.target),
        columns=code.columns,
        folds=folds_of(spec, search, rows),
        trainer=trainer_of(layout, model),
        params=spec.training.params,
        seed=spec.training.seed,
        metric=search.metric,
    )


def folds_of(spec: Model, search: Search, rows: "DataFrame") -> tuple[Fold, ...]:
    """The newest calendar days of rows that are in the order of time, as windows of equal length.

    Raises:
        BadInput: when a window has no row, or the first one none before it.
    """
    import pandas

    moments, folds = rows[spec.data.time], search.folds
    end = moments.iloc[-1].normalize() + pandas.Timedelta(days=1)
    bounds = [
        int(moments.searchsorted(end - pandas.Timedelta(days=folds.days * left)))
        for left in range(folds.count, -1, -1)
    ]
    if bounds[0] == 0 or _has_equal_neighbours(bounds):
        raise bad_input(
            f"models/{spec.model}/model.yaml",
            f"`search.folds` asks for {folds.count} windows of {folds.days} days with rows in each "
            f"and before them, and the training rows of {spec.data.dataset} go from "
            f"{moments.iloc[0].date()} to {moments.iloc[-1].date()}",
            "lower `count` or `days`, or ingest more data",
        )
    return tuple(Fold(*pair) for pair in pairwise(bounds))


def _has_equal_neighbours(bounds: Sequence[int]) -> bool:
    return any(one == other for one, other in pairwise(bounds))


def _predicted(text: str, x: Floats) -> Floats:
    """Predictions of a model as it is stored, shape (rows,)."""
    import lightgbm

    predictions: Floats = lightgbm.Booster(model_str=text).predict(x, num_threads=1)
    return predictions
