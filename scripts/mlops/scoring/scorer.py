"""The scorer: records in, predictions out. Training's evaluation and serving both use it."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.errors import bad_input
from mlops.scoring import artifact, features
from mlops.scoring.artifact import Card
from mlops.scoring.features import Features
from mlops.scoring.limits import Limits


@dataclass(frozen=True)
class Scorer:
    """One model, ready to score.

    Attributes:
        card: which model this is.
        digest: the artifact's digest, when it was asked for and checked.
        features: the feature code it was trained with.
        booster: LightGBM's model.
        size: of the artifact, bytes.
        limits: what its features may be; None: it has no contract for them.
        outside: how many values of each feature were scored so far that are not so.
    """

    card: Card
    digest: str | None
    features: Features
    booster: Any
    size: int
    limits: Limits | None = None
    outside: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def model(self) -> str:
        """The model's name."""
        return self.card.model

    @classmethod
    def open(
        cls, features_file: Path, artifact_folder: Path, digest: str | None = None
    ) -> "Scorer":
        """Load a model and the feature code it was trained with, from files.

        Args:
            features_file: the model's features.py.
            artifact_folder: holds model.txt and model.json.
            digest: what the artifact's content has to be; None skips the check.

        Raises:
            BadInput: when the digest differs, or the feature code is not the one trained with.
        """
        return cls.of(features.load(features_file), artifact_folder, digest)

    @classmethod
    def of(cls, code: Features, artifact_folder: Path, digest: str | None = None) -> "Scorer":
        """Like `open`, with the feature code loaded."""
        card, text = artifact.read(artifact_folder, digest)
        if code.digest != card.features:
            raise bad_input(
                code.path,
                f"is {code.digest}, the model was trained with {card.features}",
                "train the model again, or take the features.py of its source commit",
            )
        size = sum(file.stat().st_size for file in artifact_folder.iterdir())
        limits = Limits(card.limits) if card.limits is not None else None
        outside = np.zeros(len(card.columns), np.int64)
        return cls(card, digest, code, _booster(text), size, limits, outside)

    def matrix(self, records: Sequence[Any]) -> NDArray[np.float64]:
        """Feature values, shape (records, columns)."""
        rows = [self.features.row(record) for record in records]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.features.columns))

    def score(self, records: Sequence[Any]) -> NDArray[np.float64]:
        """Predictions, shape (records,); the same for a record alone or among others."""
        if not len(records):
            return np.empty(0)
        x = self.matrix(records)
        self._count(x)
        predictions: NDArray[np.float64] = self.booster.predict(x, num_threads=1)
        return predictions

    def _count(self, x: NDArray[np.float64]) -> None:
        if self.limits is not None:
            inside = self.limits.inside(x)
            if not inside.all():
                self.outside[:] += (~inside).sum(axis=0)


def _booster(text: str) -> Any:
    return _lightgbm().Booster(model_str=text)


def _lightgbm() -> ModuleType:
    """LightGBM without its scikit-learn classes, which are two thirds of its import.

    Training imports it whole: `train.py` is free to use them.
    """
    if "lightgbm" in sys.modules or "sklearn" in sys.modules:
        return importlib.import_module("lightgbm")
    sys.modules["sklearn"] = None  # type: ignore[assignment]  # an import of it fails
    try:
        return importlib.import_module("lightgbm")
    finally:
        del sys.modules["sklearn"]
