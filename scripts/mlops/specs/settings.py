"""settings.yaml: what belongs to one service in one environment only; never promoted."""

from pydantic import Field, model_validator

from mlops.specs.base import Name, Spec


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

    cpu: str = "250m"
    memory: str = "512Mi"
    memory_limit: str = "1Gi"


class Settings(Spec):
    """What belongs to this environment only (replicas, resources, hosts)."""

    service: Name
    replicas: Replicas = Replicas()
    resources: Resources = Resources()
    hosts: tuple[str, ...] = ()
    local_port: int = Field(ge=1, le=65535, description="port of `mlops follow` on 127.0.0.1")
    keep_warm_seconds: int = Field(
        default=600,
        ge=0,
        description="how long `mlops follow` keeps the predecessor loaded, ready to take over",
    )
