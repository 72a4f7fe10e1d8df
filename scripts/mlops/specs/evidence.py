"""evidence: what was measured before a release; written once, named by its own hash.

It holds only what the same inputs give again on any machine, so that building twice gives
the same release. Figures of one machine (latency) are in the tracking run; here stands the
bound they were held to, and that they kept it.
"""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mlops.specs.base import Digest, Name, Spec, Version


class Interval(Spec):
    """A metric's value and its bootstrap interval."""

    value: float
    low: float
    high: float


class SliceMetrics(Spec):
    """Metrics of the rows where `column` has `value`."""

    column: str
    value: str
    rows: int = Field(ge=0)
    metrics: dict[str, float]


class GateResult(Spec):
    """One gate: what it asked and whether it was met."""

    gate: str
    passed: bool
    detail: str


class Drift(Spec):
    """How far a column of the evaluated rows is from the training rows."""

    column: str
    statistic: float = Field(description="two-sample Kolmogorov-Smirnov distance, 0 to 1")


class DataValidation(Spec):
    """The dataset's contract, checked."""

    dataset: Name
    digest: Digest
    contract: Version
    rows: int
    rules: int
    failed: int
    warned: int = Field(default=0, ge=0, description="broken rules of severity warning")

    @property
    def kept(self) -> str:
        """How many rules are kept, of how many, in words."""
        told = f" ({self.warned} broken of severity warning)" if self.warned else ""
        return f"{self.rules - self.failed - self.warned:,} of {self.rules:,}{told}"

    @model_serializer(mode="wrap")
    def _without_none(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Evidence without a warning keeps the bytes, and so the name, that it always had."""
        values: dict[str, Any] = written(self)
        return values if self.warned else {k: v for k, v in values.items() if k != "warned"}


class ModelEvidence(Spec):
    """What was measured of one model on rows it has not seen."""

    model: Name
    digest: Digest
    inputs: Digest = Field(description="digest of code closure, resolved dependencies, data, seed")
    measured_on: Digest
    rows: int
    first: str = Field(description="first moment of the evaluated rows")
    last: str
    confidence: float
    metrics: dict[str, Interval]
    baseline: dict[str, float]
    slices: tuple[SliceMetrics, ...]
    drift: tuple[Drift, ...]
    gates: tuple[GateResult, ...]


class Evidence(Spec):
    """Metrics with intervals, data validation, drift, gates, of one service's release."""

    kind: Literal["evidence/v1"] = "evidence/v1"
    service: Name
    source_tree: Digest
    data: tuple[DataValidation, ...]
    models: tuple[ModelEvidence, ...]
