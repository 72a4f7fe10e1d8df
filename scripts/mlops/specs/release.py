"""release.yaml: one immutable version of a service; the one promoted file."""

from pydantic import Field

from mlops.specs.base import Commit, Digest, Name, Spec, Version


class Source(Spec):
    """The commit, and the digest of the files the service was built from."""

    commit: Commit
    tree: Digest


class Image(Spec):
    """A container image: name without registry host, and its digest."""

    name: str = Field(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*$")
    digest: Digest


class ModelPin(Spec):
    """A model by content; `version` is its registry number, a label."""

    name: Name
    digest: Digest
    version: int = Field(ge=1)


class DatasetPin(Spec):
    """A dataset by content, and the version of the contract it was held to."""

    name: Name
    digest: Digest
    contract: Version


class PromptPin(Spec):
    """A prompt or an index by content."""

    name: Name
    digest: Digest


class EvidencePin(Spec):
    """The evidence by its hash, and the few figures a reviewer reads."""

    digest: Digest
    measured_on: Digest = Field(description="digest of the rows the metrics were measured on")
    metrics: dict[str, float]


class Release(Spec):
    """One immutable version of a service: all that decides its answers, pinned by digest."""

    service: Name
    release: int = Field(ge=1)
    source: Source
    bento: Digest
    image: Image | None = Field(
        default=None, description="absent until pushed: serves under the local follower only"
    )
    models: tuple[ModelPin, ...] = ()
    datasets: tuple[DatasetPin, ...] = ()
    prompts: tuple[PromptPin, ...] | None = None
    indexes: tuple[PromptPin, ...] | None = None
    evidence: EvidencePin
