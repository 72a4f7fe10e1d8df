"""What the release pins, as the process is told by its environment."""

import json
import os
from pathlib import Path

from mlops.errors import BadInput, MlopsError, Problem, bad_input
from mlops.scoring import artifact

RELEASE = "MLOPS_RELEASE"
MODELS = "MLOPS_MODELS"


def release() -> int:
    """Number of the release that answers; 0 when what is served was never released.

    Raises:
        BadInput: when the variable is not a number.
    """
    text = os.environ.get(RELEASE, "0")
    if not text.isdecimal():
        raise bad_input(RELEASE, f"is {text!r}, not a release number", "set it to the number")
    return int(text)


def models() -> dict[str, str]:
    """Digest of each model by name; empty when nothing is pinned.

    Raises:
        BadInput: when the variable is not a JSON object of strings.
    """
    text = os.environ.get(MODELS, "{}")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise bad_input(
            MODELS, "is not a JSON object of model name to digest", "set it from release.yaml"
        )
    return value


def artifact_folder(source: Path, model: str) -> Path:
    """Where a bento's source folder holds a model's artifact."""
    return source / "models" / model / "artifact"


def verify(source: Path) -> None:
    """Hold every model of a bento's source folder against what is pinned.

    Raises:
        BadInput: naming every model that differs, is missing, or is not pinned.
    """
    wanted = models()
    if not wanted:
        return
    problems: list[Problem] = []
    for model, digest in wanted.items():
        try:
            artifact.read(artifact_folder(source, model), digest)
        except MlopsError as error:
            problems += error.problems
    unpinned = {entry.name for entry in (source / "models").iterdir()} - set(wanted)
    problems += [
        Problem(str(source / "models" / model), "is not pinned by the release", "build it again")
        for model in sorted(unpinned)
    ]
    if problems:
        raise BadInput(problems)
