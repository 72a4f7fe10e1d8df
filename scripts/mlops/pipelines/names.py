"""What the objects of pipelines are called on a cluster."""

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]
"""An object of the cluster."""
ARGO = "argoproj.io"
ALL = "all-pipelines"
"""WorkflowTemplate that runs the pipelines of all models."""
ACCESS = "access"
"""What pods may do on the cluster."""
SETTINGS = "pipelines"
"""ConfigMap with the image of all steps, and Secret with the variables that reach the stores."""
FORGE_LOGIN = "pipelines-forge"
"""Secret with `FORGE_TOKEN`, for the steps that speak with the forge alone."""
RAW = "/raw/batch.csv"
"""Where the pod of an ingest has the raw file."""


def raw_parameters(datasets: Sequence[str]) -> dict[str, str]:
    """What the parameter of a run is called that has the key of a raw file, by dataset."""
    if len(datasets) == 1:
        return {datasets[0]: "raw"}
    return {name: f"raw-{name}" for name in datasets}


def name_of(model: str) -> str:
    """Name of a model's WorkflowTemplate and CronWorkflow."""
    return f"pipeline-{model}"
