"""A model's artifact: plain files that run no code when loaded, named by their digest.

`model.txt` is LightGBM's own text format; `model.json` says what belongs to it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlops import digests
from mlops.errors import bad_input
from mlops.scoring.limits import Limit

MODEL_FILE = "model.txt"
CARD_FILE = "model.json"


class Card(BaseModel):
    """model.json: which model this is, and which feature code and rows it was trained with.

    `trained_from` and `trained_until` are the moments (ISO 8601) of the oldest and newest
    training row: what comes later is unseen. `limits` are those of the features' contract, in the
    order of `columns`; without a contract the key is absent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    task: Literal["regression", "classification"]
    format: Literal["lightgbm"]
    columns: tuple[str, ...]
    features: str
    trained_from: str | None = None
    trained_until: str | None = None
    limits: tuple[Limit, ...] | None = Field(default=None, exclude_if=lambda each: each is None)


def files_of(card: Card, model: bytes) -> dict[str, bytes]:
    """The files of an artifact; their digest (`digests.of_files`) is the model's identity."""
    return {CARD_FILE: digests.canonical_json(card.model_dump(mode="json")), MODEL_FILE: model}


def digest_of(files: Mapping[str, bytes]) -> str:
    """The model's identity."""
    return digests.of_files(files)


def read(folder: Path, expected: str | None = None) -> tuple[Card, str]:
    """Card and model text of an artifact folder, verified before anything is parsed.

    Raises:
        BadInput: when files are missing or the content is not what `expected` says.
    """
    for name in (CARD_FILE, MODEL_FILE):
        if not (folder / name).is_file():
            raise bad_input(folder, f"{name} is missing", "fetch the artifact again")
    found = digests.of_folder(folder)
    if expected is not None and found != expected:
        raise bad_input(
            folder,
            f"content is {found}, the release pins {expected}",
            "fetch the artifact again; do not serve it",
        )
    card: Any = json.loads((folder / CARD_FILE).read_bytes())
    return Card.model_validate(card), (folder / MODEL_FILE).read_text()
