"""service.yaml: what a service serves, and a request it must be able to answer."""

from typing import Any

from pydantic import Field

from mlops.specs.base import Name, Spec


class Service(Spec):
    """A BentoML service: its models and one example request."""

    service: Name
    description: str
    owners: tuple[str, ...] = Field(min_length=1)
    entry: str = Field(
        default="service:Service", pattern=r"^[a-z_]+:[A-Za-z_]+$", description="module:class"
    )
    models: tuple[Name, ...] = Field(min_length=1)
    example: dict[str, Any] = Field(
        description="one row; asked of every release before it gets traffic"
    )
