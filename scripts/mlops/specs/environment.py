"""env.yaml: an environment, its cluster and the rules of getting into it."""

from datetime import date, timedelta

from pydantic import Field

from mlops.specs.base import Commit, Name, Spec


class Freeze(Spec):
    """Days (both included) on which nothing but a rollback enters."""

    start: date
    end: date
    reason: str


class Environment(Spec):
    """The environment: cluster, namespace, registry host, owners, rules."""

    name: Name
    cluster: str = Field(description="API server URL or name of the cluster, as Argo CD knows it")
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
