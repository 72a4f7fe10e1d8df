"""model.yaml: a model's data, training, evaluation and gates."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mlops.specs.base import Name, Spec
from mlops.specs.search import Search, Value

METRICS = {
    "regression": ("mae", "rmse", "mape", "bias"),
    "classification": ("auc", "log_loss", "brier", "ece", "accuracy"),
}
SIGNED = ("bias",)
"""Metrics that are good near 0: they have no better direction to compare models by."""


class Data(Spec):
    """What it learns from, and which rows it never sees in training."""

    dataset: Name
    target: str
    time: str = Field(description="column with the moment of a row; the split is by time")
    holdout_days: int = Field(ge=1, description="the newest days, kept for evaluation")


class Training(Spec):
    """What `train.py` is called with."""

    seed: int = Field(ge=0)
    params: dict[str, Value] = Field(default_factory=dict)


class Baseline(Spec):
    """The stand-in for a champion: the target's mean in groups of the training rows."""

    group_by: tuple[str, ...] = Field(min_length=1)


class Evaluation(Spec):
    """How metrics and their intervals are measured."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    resamples: int = Field(default=2000, ge=200, le=100_000)
    block: str | None = Field(
        default=None, description="column whose groups are resampled whole (correlated rows)"
    )
    slices: tuple[str, ...] = ()


class Bound(Spec):
    """A metric and where it has to lie; errors have a `max`, scores such as auc a `min`."""

    metric: str
    max: float | None = None
    min: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Bound":
        if self.max is None and self.min is None:
            raise ValueError("give `max`, `min` or both")
        return self


class AbsoluteGate(Bound):
    """The metric's value has to lie in the bound."""


class RelativeGate(Spec):
    """The challenger may be worse than the champion by at most `max_worse` times the
    champion's value, at the bad end of the interval of their difference."""

    metric: str
    max_worse: float = 0.0


class SliceGate(Bound):
    """In each group of `column` with at least `min_rows` rows, the metric lies in the bound."""

    column: str
    min_rows: int = Field(default=24, ge=1)


class CostGate(Spec):
    """Bounds on the artifact's size and on the time of one scoring call of one row."""

    size_mb: float = Field(gt=0)
    latency_ms: float = Field(
        gt=0, description="99th percentile of the processor time of one-row calls, in process"
    )


class Gates(Spec):
    """What a candidate has to meet."""

    absolute: tuple[AbsoluteGate, ...] = ()
    relative: tuple[RelativeGate, ...] = ()
    slices: tuple[SliceGate, ...] = ()
    cost: CostGate


class Pipeline(Spec):
    """How its pipeline runs on a cluster."""

    schedule: str | None = Field(
        default=None,
        pattern=r"^[0-9*/,-]+( [0-9*/,-]+){4}$",
        description="when it runs by itself: minute, hour, day, month, weekday, in UTC",
    )
    timeout_minutes: int = Field(default=60, ge=1, le=10_080, description="of each step")
    cpu: str = Field(default="1", pattern=r"^[0-9]+(\.[0-9]+|m)?$")
    memory: str = Field(default="2Gi", pattern=r"^[0-9]+[MG]i$")


class Model(Spec):
    """The model: data, training, evaluation, gates."""

    model: Name
    description: str
    owners: tuple[str, ...] = Field(min_length=1)
    task: Literal["regression", "classification"]
    format: Literal["lightgbm"] = Field(
        description="how the artifact is stored; only formats that run no code when loaded"
    )
    data: Data
    training: Training
    baseline: Baseline
    evaluation: Evaluation = Evaluation()
    gates: Gates
    search: Search | None = None
    pipeline: Pipeline = Pipeline()

    @field_validator("gates")
    @classmethod
    def _known_metrics(cls, gates: Gates, given: ValidationInfo) -> Gates:
        known = METRICS.get(given.data.get("task", ""), ())
        bounds: tuple[Bound, ...] = (*gates.absolute, *gates.slices)
        compared = {gate.metric for gate in gates.relative}
        unknown = sorted(compared.union(gate.metric for gate in bounds).difference(known))
        if unknown and known:
            raise ValueError(f"no metric {', '.join(unknown)} for this task: {', '.join(known)}")
        if signed := sorted(compared.intersection(SIGNED)):
            raise ValueError(f"no relative gate on {', '.join(signed)}: give it a min and a max")
        return gates

    @field_validator("search")
    @classmethod
    def _fits(cls, search: Search | None, given: ValidationInfo) -> Search | None:
        if search is None:
            return None
        known = METRICS.get(given.data.get("task", ""), ())
        comparable = [metric for metric in known if metric not in SIGNED]
        if known and search.metric not in comparable:
            raise ValueError(f"no search by {search.metric}: {', '.join(comparable)}")
        training: Training | None = given.data.get("training")
        params = training.params if training else {}
        if training and (missing := sorted(set(search.space).difference(params))):
            raise ValueError(
                f"`training.params` lacks {', '.join(missing)}, which a search starts from"
            )
        return search
