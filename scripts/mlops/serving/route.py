"""The scoring route: its request, its answer, and what a service.py declares of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, create_model

from mlops.scoring.scorer import Scorer
from mlops.serving import pinned

ROUTE = "/predict"


class Answer(BaseModel):
    """One prediction a row, in the order of the rows, and the release that made them."""

    release: int
    predictions: list[float]


@dataclass(frozen=True)
class Scoring:
    """How a service scores; the class attribute `scoring` of its BentoML service.

    Attributes:
        record: pydantic model of one row.
        score: records to predictions, shape (records,); the same for a record alone or
            among others, because requests that come together are scored together.
        plausible: lowest and highest prediction that can be right, in the prediction's unit.
            Others are answered too, and counted: a canary that gives many is taken back.
        models: whose features outside their contract are counted at /metrics.
    """

    record: type[BaseModel]
    score: Callable[[Sequence[Any]], NDArray[np.float64]]
    plausible: tuple[float, float] = (-inf, inf)
    models: tuple[Scorer, ...] = ()
    answer = Answer

    def outside(self, predictions: Sequence[float]) -> int:
        """How many predictions are not plausible; one that is not finite never is."""
        low, high = self.plausible
        return sum(not (low <= value <= high and isfinite(value)) for value in predictions)

    @cached_property
    def request(self) -> type[BaseModel]:
        """Body of a request: `{"rows": [record, ...]}`, unknown keys forbidden."""
        rows: Any = (list[self.record], ...)  # type: ignore[name-defined]  # a type made here
        return create_model("Request", __config__=ConfigDict(extra="forbid"), rows=rows)

    def answered(self, rows: Sequence[Any]) -> Answer:
        """The answer to a request's rows."""
        return Answer(release=pinned.release(), predictions=self.score(rows).tolist())


def model_beside(file: str, model: str) -> Scorer:
    """A model of the bento that a service.py lies in, checked against what is pinned.

    Args:
        file: `__file__` of the service.py.
        model: name of a model in service.yaml.

    Raises:
        BadInput: when the model's content differs from its pin or its feature code.
    """
    folder = Path(file).resolve().parent
    return Scorer.open(
        folder / "models" / model / "features.py",
        pinned.artifact_folder(folder, model),
        pinned.models().get(model),
    )
