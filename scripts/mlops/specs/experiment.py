"""experiment.yaml: only while a challenger runs beside the champion."""

from pydantic import Field

from mlops.specs.base import Name, Spec
from mlops.specs.release import Release


class Experiment(Spec):
    """A challenger: its whole release, the key that splits the traffic, and the split."""

    service: Name
    challenger: Release
    key: str = Field(description="field of a request that decides which side answers it")
    split: float = Field(gt=0, lt=1, description="share of keys the challenger answers")
