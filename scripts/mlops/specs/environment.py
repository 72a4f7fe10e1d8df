"""env.yaml: an environment, its cluster and the rules of getting into it."""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlops.specs.base import Commit, Name, Spec
from mlops.specs.windows import is_time_zone, length, wrong_in_schedule

IN_CLUSTER = "https://kubernetes.default.svc"
"""How Argo CD calls the cluster it runs on; its name there is `in-cluster`."""


class Freeze(Spec):
    """Days (both included) on which nothing but a rollback enters."""

    start: date
    end: date
    reason: str


def _schedule(text: str) -> str:
    if wrong := wrong_in_schedule(text):
        raise ValueError(f"not a schedule Argo CD reads, {wrong}")
    return text


def _duration(text: str) -> str:
    if not length(text):
        raise ValueError("not a duration, write hours and minutes as 58h or 1h30m")
    return text


def _time_zone(text: str) -> str:
    # Argo CD takes UTC for a zone it does not know, and says so only in its log.
    if not is_time_zone(text):
        raise ValueError("not a time zone, write one of the tz database such as Europe/Berlin")
    return text


class SyncWindow(Spec):
    """A time in which Argo CD changes nothing by itself; a sync by hand is allowed in it."""

    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        description="when it begins, as cron: minute, hour, day of month, month, day of week"
    )
    duration: Annotated[str, AfterValidator(_duration)] = Field(
        description="hours and minutes, as 58h or 1h30m"
    )
    timezone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    reason: str = Field(min_length=1, max_length=255)


class SecretStore(Spec):
    """Where External Secrets reads what a service's settings name."""

    name: str = Field(
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253, description="its object's name"
    )
    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"


class Environment(Spec):
    """The environment: cluster, namespace, registry host, owners, rules."""

    name: Name
    cluster: str = Field(
        pattern=r"^(https://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?|[A-Za-z0-9][A-Za-z0-9._-]*)$",
        description="API server URL or name of the cluster, as Argo CD knows it",
    )
    namespace: Name
    registry: str = Field(description="registry host and path that image names are resolved below")
    owners: tuple[str, ...] = Field(min_length=1, description="who approves, as CODEOWNERS names")
    base_floor: Commit | None = Field(
        default=None,
        description="commit whose infra/base is used for releases whose source is older",
    )
    freeze: tuple[Freeze, ...] = ()
    soak: timedelta = Field(
        default=timedelta(0),
        description="how long the previous environment must have served a release (ISO 8601)",
    )
    open_promotions: bool = Field(
        default=False,
        description="promotions into it are opened without being asked for, as soon as the "
        "previous environment has served a newer release for the time of `soak`",
    )
    evidence_max_age: timedelta = Field(
        default=timedelta(days=30),
        description="evidence older than this is not enough for a promotion (ISO 8601)",
    )
    prometheus: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?$",
        description="address of Prometheus as the cluster's pods and Argo Rollouts reach it",
    )
    secret_store: SecretStore | None = Field(
        default=None, description="store of External Secrets that settings.yaml's `secrets` are in"
    )
    sync_windows: tuple[SyncWindow, ...] = Field(
        default=(), description="when Argo CD changes nothing by itself"
    )

    @property
    def destination(self) -> dict[str, str]:
        """Where Argo CD puts what it reads: `server` or `name` of the cluster, and `namespace`."""
        key = "server" if self.cluster.startswith("https://") else "name"
        return {key: self.cluster, "namespace": self.namespace}

    @property
    def place(self) -> tuple[str, str]:
        """Cluster and namespace; the same for two ways of writing one cluster."""
        cluster = self.cluster.rstrip("/")
        return (IN_CLUSTER if cluster == "in-cluster" else cluster, self.namespace)
