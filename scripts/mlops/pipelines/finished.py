"""What is known of finished steps: a small file for each, beside the stores, written at its end."""

import json
from pathlib import Path

from pydantic import Field

from mlops import digests
from mlops.data.pin import read_pin
from mlops.errors import MlopsError
from mlops.files import read_whole, write_whole
from mlops.lineage import told
from mlops.pipelines.graph import Artifact, Step
from mlops.repository import Repository
from mlops.specs.base import Digest, Spec, parse


class Finished(Spec):
    """A step that ended well.

    Attributes:
        writes: the digest of what it left, by artifact; those that leave nothing are absent.
    """

    step: str
    key: Digest
    line: tuple[str, ...]
    writes: dict[str, Digest] = Field(default_factory=dict)
    seconds: float = Field(ge=0)


def folder_of(repo: Repository, model: str) -> Path:
    """Where what is known of a model's steps lies."""
    return repo.stores / "pipelines" / model


def recall(repo: Repository, model: str, step: Step, key: str) -> Finished | None:
    """The step as it finished with this key before; None when what it left is no longer there."""
    file = _file(repo, model, step, key)
    try:
        found = parse(read_whole(file), str(file), Finished)
    except (OSError, MlopsError):
        return None  # a record that cannot be read costs a step, not a result
    return found if found.writes == _left(repo, step) else None


def remember(repo: Repository, model: str, step: Step, key: str, seconds: float) -> Finished:
    """Keep that a step ended well; raises `BadInput` when the disk is full."""
    found = Finished(
        step=step.name,
        key=key,
        line=step.line,
        writes=_left(repo, step),
        seconds=round(seconds, 3),
    )
    text = json.dumps(found.model_dump(mode="json"), indent=2)
    write_whole(_file(repo, model, step, key), f"{text}\n")
    return found


def _file(repo: Repository, model: str, step: Step, key: str) -> Path:
    return folder_of(repo, model) / f"{step.name}-{digests.short(key)}.json"


def _left(repo: Repository, step: Step) -> dict[str, str]:
    found = {str(artifact): _content(repo, artifact) for artifact in step.writes}
    return {name: digest for name, digest in found.items() if digest}


def _content(repo: Repository, artifact: Artifact) -> str | None:
    """Digest of an artifact as it is now; None when it is not there, or is a verdict alone."""
    if artifact.kind == "dataset":
        return _digest_of_pin(repo, artifact.name)
    if artifact.kind == "model":
        from mlops.training.candidate import registered_before

        registered = registered_before(repo, artifact.name)
        return registered.digest if registered else None
    if artifact.kind == "predictions":
        from mlops.pipelines.batch import predictions_path

        file = predictions_path(repo, artifact.name)
        return _digest_of(file) if file.is_file() else None
    return None


def _digest_of(predictions: Path) -> str:
    digest = digests.of_file(predictions)
    told.read(predictions, digest)
    return digest


def _digest_of_pin(repo: Repository, dataset: str) -> str | None:
    try:
        return read_pin(repo, dataset).digest
    except MlopsError:
        return None
