"""What a service declares of its scoring."""

from math import inf, nan

import numpy as np
from pydantic import BaseModel

from mlops.serving.route import Scoring


def test_predictions_that_cannot_be_right_are_counted_and_none_that_can() -> None:
    scoring = Scoring(BaseModel, lambda rows: np.zeros(len(rows)), plausible=(-1.0, 10.0))
    assert scoring.outside([-1.0, 0.0, 10.0]) == 0
    assert scoring.outside([-1.1, 0.0, 10.1, nan, inf]) == 4


def test_without_a_range_only_what_is_not_finite_is_implausible() -> None:
    scoring = Scoring(BaseModel, lambda rows: np.zeros(len(rows)))
    assert scoring.outside([-1e300, 1e300]) == 0
    assert scoring.outside([nan, inf, -inf]) == 3
