"""JSON Schemas of the project's files, for editors, written from the specs.

`python -m mlops.specs.schemas` writes them; a test holds that they are current.
"""

import json
from pathlib import Path
from typing import Any

from mlops.data.learned.model import Learned
from mlops.specs.base import Spec
from mlops.specs.decision import Decision
from mlops.specs.environment import Environment
from mlops.specs.evidence import Evidence
from mlops.specs.experiment import Experiment
from mlops.specs.model import Model
from mlops.specs.project import Project
from mlops.specs.release import Release
from mlops.specs.service import Service
from mlops.specs.settings import Settings

HERE = Path(__file__).parent
SPECS: dict[str, type[Spec]] = {
    "decision": Decision,
    "environment": Environment,
    "evidence": Evidence,
    "experiment": Experiment,
    "learned": Learned,
    "model": Model,
    "project": Project,
    "release": Release,
    "service": Service,
    "settings": Settings,
}


def file_name(name: str) -> str:
    """The file of a schema, beside this module."""
    return f"{name}.schema.json"


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file, by the name of its spec."""
    schema = SPECS[name].model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def text_of(name: str) -> str:
    """The canonical text of a schema's file."""
    return json.dumps(schema_of(name), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
