"""A first contract of a model's features, from the rows that it is trained on."""

import uuid
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.data.contract import features_path
from mlops.errors import bad_input
from mlops.files import dump_yaml, write_whole
from mlops.repository import Repository
from mlops.training.holdout import split
from mlops.training.rows import matrix, records
from mlops.training.training import features_of

STANDARD = (
    "# Open Data Contract Standard 3.1: "
    "https://bitol-io.github.io/open-data-contract-standard/v3.1.0/\n"
    "# Drafted from training rows: correct each limit to what the feature can be.\n"
)


def drafted(repo: Repository, model: str) -> str:
    """The contract's text: each feature with its type, and the range that these rows have.

    Raises:
        BadInput: when the model's files or its data are not as they have to be.
    """
    code = features_of(repo, model)
    x = matrix(records(split(repo, repo, model).train, code), code)
    features = [_feature(name, x[:, number]) for number, name in enumerate(code.columns)]
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": str(uuid.uuid4()),
        "name": model,
        "version": "1.0.0",
        "status": "draft",
        "description": {"purpose": "What features.py gives the model, in the order of COLUMNS."},
        "schema": [{"name": "features", "logicalType": "object", "properties": features}],
    }
    return STANDARD + dump_yaml(contract)


def write_draft(repo: Repository, model: str, text: str) -> str:
    """Write the contract where it belongs; its path.

    Raises:
        BadInput: when there is one.
    """
    path = features_path(model)
    if repo.tree.read(path) is not None:
        raise bad_input(path, "is there already", "correct it, or remove it first")
    write_whole(repo.root / path, text)
    return path


def _feature(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    whole = bool((known == np.floor(known)).all())
    kind = "integer" if whole else "number"
    column: dict[str, Any] = {"name": name, "logicalType": kind}
    column["required"] = len(known) == len(values)
    if len(known):
        ends = float(known.min()), float(known.max())
        low, high = map(int, ends) if whole else ends
        column["logicalTypeOptions"] = {"minimum": low, "maximum": high}
    return column
