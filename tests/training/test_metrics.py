"""Metrics: against definitions written out, and scikit-learn's where it has them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.specs.model import METRICS
from mlops.training import metrics
from mlops.training.metrics import value, values, weighted_auc

Y = np.array([2.0, 0.0, 4.0, 10.0])
P = np.array([3.0, 1.0, 4.0, 6.0])


def test_every_metric_that_a_gate_may_name_can_be_measured() -> None:
    known = {*metrics.RATIOS, "auc", "ece"}
    assert {name for names in METRICS.values() for name in names} == known


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("mae", 1.5),
        ("rmse", math.sqrt((1 + 1 + 0 + 16) / 4)),
        ("mape", (0.5 + 0 + 0.4) / 3),
        ("bias", -0.5),
    ],
)
def test_a_regression_metric_is_what_its_definition_says(metric: str, expected: float) -> None:
    assert value(metric, Y, P) == pytest.approx(expected)


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.05, 0.2, 0.5, 0.5001, 0.8, 0.95])),
        min_size=2,
        max_size=40,
    ).filter(lambda rows: len({label for label, _ in rows}) == 2)
)
def test_classification_metrics_equal_those_of_scikit_learn(
    rows: list[tuple[bool, float]],
) -> None:
    from sklearn import metrics as reference  # type: ignore[import-untyped]  # no types

    y = np.array([float(label) for label, _ in rows])
    p = np.array([probability for _, probability in rows])
    assert value("auc", y, p) == pytest.approx(reference.roc_auc_score(y, p))
    assert value("log_loss", y, p) == pytest.approx(reference.log_loss(y, p))
    assert value("brier", y, p) == pytest.approx(reference.brier_score_loss(y, p))
    assert value("accuracy", y, p) == pytest.approx(reference.accuracy_score(y, p >= 0.5))


def test_the_calibration_error_is_the_distance_in_each_bin_weighted_by_its_rows() -> None:
    p = np.array([0.1, 0.1, 0.1, 0.1, 0.7, 0.7, 1.0])
    y = np.array([0, 0, 0, 1, 1, 0, 1], dtype=np.float64)
    assert value("ece", y, p) == pytest.approx((4 * 0.15 + 2 * 0.2 + 0) / 7)


@given(st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0]), min_size=1, max_size=50))
def test_shares_that_come_out_as_predicted_have_no_calibration_error(chances: list[float]) -> None:
    p = np.repeat(chances, 10)
    y = np.concatenate([np.arange(10) < 10 * chance for chance in chances]).astype(np.float64)
    assert value("ece", y, p) == pytest.approx(0, abs=1e-12)


@given(st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_a_weight_in_auc_is_a_row_repeated(weights: list[int]) -> None:
    y = np.array([0, 1, 0, 1, 1, 0], dtype=np.float64)
    p = np.array([0.1, 0.4, 0.4, 0.8, 0.3, 0.2])
    repeated = np.repeat(np.arange(6), weights)
    once = np.ones((1, len(repeated)))
    weighted = weighted_auc(y, p, np.array([weights], dtype=np.float64))[0]
    if len(set(y[repeated])) < 2:
        assert math.isnan(weighted)
    else:
        assert weighted == pytest.approx(weighted_auc(y[repeated], p[repeated], once)[0])


def test_a_metric_that_is_undefined_on_the_rows_is_left_out() -> None:
    ones = np.ones(3)
    assert "auc" not in values("classification", ones, ones * 0.7)
    assert "mape" not in values("regression", ones * 0, ones)
