"""Training: pinned rows and a model's own code in, an artifact out; nothing else has a say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlops.errors import bad_input
from mlops.repository import Layout, Repository
from mlops.scoring import artifact, features
from mlops.scoring.limits import Limits
from mlops.scoring.source import module_of
from mlops.sources import training_inputs
from mlops.specs.search import Value
from mlops.training.holdout import split
from mlops.training.rows import hold, matrix, moment, records, targets

if TYPE_CHECKING:
    from pandas import DataFrame

Trainer = Callable[
    [NDArray[np.float64], NDArray[np.float64], Sequence[str], Mapping[str, Value], int], str
]
"""A model's `train(x, y, columns, params, seed)`, which gives LightGBM's text."""
SETTINGS = ("\nparameters:\n", "end of parameters\n")
"""What encloses the settings in LightGBM's text."""


@dataclass(frozen=True)
class Trained:
    """An artifact and what it was trained on."""

    files: dict[str, bytes]
    digest: str
    rows: int
    first: str
    last: str


def inputs_of(layout: Layout, model: str) -> str:
    """Digest of all that decides what training this tree's model gives."""
    from mlops.data.pin import read_pin

    return training_inputs(layout, model, read_pin(layout, layout.model(model).data.dataset).digest)


def features_of(layout: Layout, model: str) -> features.Features:
    """The feature code of a tree's model; raises like `features.from_source`."""
    path = f"models/{model}/features.py"
    return features.from_source(layout.tree.read(path), path)


def train(repo: Repository, layout: Layout, model: str) -> Trained:
    """Train a tree's model on the rows it pins, without the holdout.

    Raises:
        BadInput: when the model's files or its data are not as they have to be.
    """
    return fit(layout, model, split(repo, layout, model).train)


def fit(layout: Layout, model: str, rows: "DataFrame") -> Trained:
    """Train on these rows; the same rows and files give the same artifact anywhere.

    Raises:
        BadInput: when the model's files or the rows are not as they have to be.
        NotGood: when features of the rows break the contract of the features.
    """
    from mlops.data.feature_limits import limits_for

    spec = layout.model(model)
    code = features_of(layout, model)
    x = matrix(records(rows, code), code)
    limits = limits_for(layout, model, code.columns)
    if limits is not None:
        hold(Limits(limits), x, model, "the rows to train on")
    y = targets(rows, spec.data.target)
    trainer = trainer_of(layout, model)
    text = without_settings(trainer(x, y, code.columns, spec.training.params, spec.training.seed))
    moments = rows[spec.data.time]
    first, last = moment(moments.min()), moment(moments.max())
    card = artifact.Card(
        model=model,
        task=spec.task,
        format=spec.format,
        columns=code.columns,
        features=code.digest,
        trained_from=first,
        trained_until=last,
        limits=limits,
    )
    files = artifact.files_of(card, text.encode())
    return Trained(files, artifact.digest_of(files), len(rows), first, last)


def trainer_of(layout: Layout, model: str) -> Trainer:
    """`train` of a tree's train.py; raises `BadInput` when there is none."""
    path = f"models/{model}/train.py"
    content = layout.tree.read(path)
    if content is None:
        raise bad_input(path, "file is missing", "add it; it defines train")
    trainer: Trainer | None = getattr(module_of(content, path), "train", None)
    if trainer is None:
        raise bad_input(path, "does not define train", "define it")
    return trainer


def without_settings(text: str) -> str:
    """LightGBM's text without its settings: threads, ports and paths are no part of a model."""
    start, end = SETTINGS
    head, found, rest = text.partition(start)
    return head + rest.partition(end)[2] if found else text
