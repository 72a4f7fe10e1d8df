"""settings.yaml: what belongs to one service in one environment only; never promoted."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from mlops.specs.base import ENVIRONMENT_VARIABLE, LOG_PLACE, STORE_PATH, Name, Spec

SUFFIXES = {
    "": Decimal(1),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
}
TAKEN = frozenset({"BENTOML_DO_NOT_TRACK", "BENTOML_HOME", "HOME", "PATH", "PORT", "PYTHONPATH"})
"""Variables that the base or the image sets."""
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def bytes_of(quantity: str) -> Decimal:
    """A quantity of memory in bytes.

    Raises:
        ValueError: when it is none, or less than a byte.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kMGT]|[KMGT]i)?", quantity)
    if not found:
        raise ValueError("not a quantity of memory, write it as 512Mi")
    size = Decimal(found[1]) * SUFFIXES[found[2] or ""]
    if size < 1:
        raise ValueError("not a quantity of memory above 0")
    return size


def _memory(quantity: str) -> str:
    bytes_of(quantity)
    return quantity


def _cpu(quantity: str) -> str:
    if not re.fullmatch(r"[0-9]+m|[0-9]+(\.[0-9]{1,3})?", quantity):
        raise ValueError('not a quantity of processor time, write it as 250m or "1"')
    if not Decimal(quantity.removesuffix("m")):
        raise ValueError("not a quantity of processor time above 0")
    return quantity


def _host(name: str) -> str:
    parts = name.removeprefix("*.").split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(part) for part in parts):
        raise ValueError("not a host name, write it in lower case without scheme, port and path")
    if all(part.isdecimal() for part in parts):
        raise ValueError("an address, not a host name")
    return name


class Replicas(Spec):
    """Bounds of the autoscaler."""

    min: int = Field(default=1, ge=1, le=1000)
    max: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _ordered(self) -> "Replicas":
        if self.max < self.min:
            raise ValueError("max is below min")
        return self


class Resources(Spec):
    """What one replica asks for and may use, in Kubernetes quantities."""

    cpu: Annotated[str, AfterValidator(_cpu)] = "250m"
    memory: Annotated[str, AfterValidator(_memory)] = "512Mi"
    memory_limit: Annotated[str, AfterValidator(_memory)] = "1Gi"

    @model_validator(mode="after")
    def _within_the_limit(self) -> "Resources":
        if bytes_of(self.memory_limit) < bytes_of(self.memory):
            raise ValueError("memory_limit is below memory")
        return self


class Canary(Spec):
    """Steps of a new release, each measured; the first that is not good ends it.

    The share of pods makes the share of requests: of four replicas one is the least, a quarter.
    """

    steps: tuple[Annotated[int, Field(ge=1, le=99)], ...] = Field(
        default=(20, 50), min_length=1, max_length=10, description="percent of the replicas"
    )
    step_seconds: int = Field(
        default=120, ge=30, le=86_400, description="how long a step lasts and is measured"
    )
    min_requests: int = Field(
        default=100,
        ge=1,
        description="fewer in a step say nothing: the rollout pauses until a person decides",
    )
    max_error_rate: float = Field(
        default=0.01,
        ge=0,
        lt=1,
        description="share of requests not scored, beyond that of the release it replaces",
    )
    max_p99_seconds: float = Field(
        default=0.25, gt=0, lt=2.5, description="2.5 s is the longest time the service tells apart"
    )
    max_outside_share: float = Field(
        default=0.01,
        ge=0,
        lt=1,
        description="share of predictions outside of what service.py calls plausible",
    )

    @model_validator(mode="after")
    def _growing(self) -> "Canary":
        if list(self.steps) != sorted(set(self.steps)):
            raise ValueError("each step has to be larger than the one before")
        return self


class StoredSecret(Spec):
    """Where in the environment's secret store a value is."""

    key: str = Field(pattern=STORE_PATH, max_length=253)
    property: str | None = Field(default=None, pattern=STORE_PATH, max_length=253)


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("a field stands twice")
    return names


class Predictions(Spec):
    """The log of what the service answers: each scored row with its record, in Parquet files."""

    to: str | None = Field(
        default=None,
        pattern=LOG_PLACE,
        description="where pods write it: s3://BUCKET/PREFIX, or a folder that the overlay mounts; "
        "`mlops follow` writes into the stores, with it and without",
    )
    share: float = Field(default=1.0, gt=0, le=1, description="of the answers, drawn by chance")
    without: Annotated[tuple[str, ...], AfterValidator(_distinct)] = Field(
        default=(),
        description="fields of the record left out, beside those that contracts classify",
    )
    rows: int = Field(default=50_000, ge=1, le=1_000_000, description="most rows of a file")
    seconds: float = Field(
        default=60, gt=0, le=3600, description="a file is written so long after its first row"
    )


Variable = Annotated[str, StringConstraints(pattern=ENVIRONMENT_VARIABLE, max_length=100)]


class Settings(Spec):
    """What belongs to this environment only (replicas, resources, hosts)."""

    service: Name
    replicas: Replicas = Replicas()
    resources: Resources = Resources()
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    canary: Canary | None = Field(
        default=None, description="measured steps in place of a plain roll; needs a Prometheus"
    )
    secrets: dict[Variable, StoredSecret] = Field(
        default_factory=dict,
        description="environment variables whose values the cluster takes from the secret store",
    )
    predictions: Predictions | None = Field(
        default=None, description="log what is answered, and of which record"
    )
    local_port: int = Field(ge=1, le=65535, description="port of `mlops follow` on 127.0.0.1")
    keep_warm_seconds: int = Field(
        default=600,
        ge=0,
        description="how long `mlops follow` keeps the predecessor loaded, ready to take over",
    )

    @model_validator(mode="after")
    def _free_variables(self) -> "Settings":
        taken = sorted(
            name for name in self.secrets if name in TAKEN or name.startswith(("MLOPS_", "LD_"))
        )
        if taken:
            raise ValueError(f"secrets: {', '.join(taken)} is set by the base or the image")
        if len(set(self.hosts)) != len(self.hosts):
            raise ValueError("a host stands twice")
        return self
