"""decision.yaml: why a release is in an environment; never promoted."""

from typing import Literal

from pydantic import Field

from mlops.specs.base import Digest, Name, Spec
from mlops.specs.evidence import GateResult


class Champion(Spec):
    """What served here before."""

    release: int = Field(ge=1)
    bento: Digest


class Comparison(Spec):
    """A challenger against the champion, on one frozen set of rows, by paired bootstrap."""

    model: Name
    challenger: Digest
    champion: Digest | Literal["baseline"]
    measured_on: Digest
    rows: int
    metric: str
    challenger_value: float
    champion_value: float
    difference: float = Field(
        description="challenger minus champion; for an error, below 0 is better"
    )
    low: float
    high: float
    confidence: float
    passed: bool


class Decision(Spec):
    """The champion it replaced, the comparison made for this promotion, the checks."""

    kind: Literal["release", "promotion", "rollback"]
    service: Name
    environment: Name
    release: int = Field(ge=1)
    came_from: Name | None = Field(default=None, description="the previous environment")
    champion: Champion | None = None
    comparisons: tuple[Comparison, ...] = ()
    checks: tuple[GateResult, ...] = ()
    reason: str | None = None
