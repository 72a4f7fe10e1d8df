"""Each kind of gate can pass and can refuse."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlops import digests
from mlops.repository import Layout
from mlops.specs.evidence import GateResult, Interval
from mlops.specs.model import AbsoluteGate, Bound, CostGate, Gates, SliceGate
from mlops.training import gates
from mlops.training.evaluation import Measured, measure_rows
from mlops.tree import WorkTree
from tests.team import PROJECT
from tests.training.points import MODEL, Candidate, candidate, points

LAYOUT = Layout(WorkTree(PROJECT))
SPEC = LAYOUT.model(MODEL)
INPUTS = digests.of_bytes(b"inputs")
LOOSE = CostGate(size_mb=100, latency_ms=10_000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    return candidate(LAYOUT, points(), tmp_path_factory.mktemp("made"))


def measured(made: Candidate, held_to: Gates) -> Measured:
    return measure_rows(SPEC.model_copy(update={"gates": held_to}), made.split, made.scorer, INPUTS)


def named(found: Measured, name: str) -> GateResult:
    (result,) = [one for one in found.evidence.gates if one.gate == name]
    return result


def test_an_absolute_gate_refuses_what_is_above_its_maximum(made: Candidate) -> None:
    error = measured(made, Gates(cost=LOOSE)).evidence.metrics["mae"].value
    for bound, passed in ((error + 0.01, True), (error - 0.01, False)):
        held = Gates(absolute=(AbsoluteGate(metric="mae", max=bound),), cost=LOOSE)
        result = named(measured(made, held), "absolute mae")
        assert result.passed is passed
        assert f"mae is {error:.4g}" in result.detail
        assert f"at most {bound:g} is asked" in result.detail


def test_an_absolute_gate_refuses_what_is_below_its_minimum() -> None:
    gate = AbsoluteGate(metric="auc", min=0.8)
    spec = SPEC.model_copy(update={"gates": Gates(absolute=(gate,), cost=LOOSE)})
    for value, passed in ((0.81, True), (0.79, False)):
        (result,) = gates.absolute(spec, {"auc": Interval(value=value, low=0.7, high=0.9)})
        assert result.passed is passed
        assert "at least 0.8 is asked" in result.detail


def test_a_metric_that_is_undefined_on_the_rows_is_not_met() -> None:
    gate = AbsoluteGate(metric="auc", min=0.8)
    spec = SPEC.model_copy(update={"gates": Gates(absolute=(gate,), cost=LOOSE)})
    (result,) = gates.absolute(spec, {})
    assert result == GateResult(
        gate="absolute auc",
        passed=False,
        detail="auc is undefined on these rows, at least 0.8 is asked",
    )


def test_a_slice_gate_refuses_a_model_that_is_bad_for_one_group_only(
    made: Candidate,
) -> None:
    rows, y = made.split.holdout, made.split.holdout["y"].to_numpy()
    bad_on_the_left = y + np.where(rows["side"] == "left", 5.0, 0.0)
    gate = SliceGate(column="side", metric="mae", max=4.0, min_rows=10)
    spec = SPEC.model_copy(update={"gates": Gates(slices=(gate,), cost=LOOSE)})
    (refused,) = gates.by_slice(spec, rows, bad_on_the_left)
    (met,) = gates.by_slice(spec, rows, y)
    assert (refused.passed, met.passed) == (False, True)
    assert refused.detail == "mae by side is left: 5, at most 4 is asked of each"


def test_a_slice_gate_without_a_group_large_enough_is_not_met(made: Candidate) -> None:
    gate = SliceGate(column="side", metric="mae", max=4.0, min_rows=10_000)
    result = named(measured(made, Gates(slices=(gate,), cost=LOOSE)), "slice side mae")
    assert not result.passed
    assert result.detail == "no group of side has 10000 rows, at most 4 is asked"


def test_the_size_gate_refuses_a_larger_artifact(made: Candidate) -> None:
    size = sum(len(content) for content in made.trained.files.values()) / 1e6
    for bound, passed in ((size * 1.01, True), (size * 0.99, False)):
        held = Gates(cost=CostGate(size_mb=bound, latency_ms=10_000))
        assert named(measured(made, held), "size").passed is passed


def test_the_latency_gate_refuses_a_slower_model_and_its_words_hold_no_time(
    made: Candidate,
) -> None:
    for bound, passed, word in ((10_000, True, "within"), (1e-6, False, "above")):
        found = measured(made, Gates(cost=CostGate(size_mb=100, latency_ms=bound)))
        result = named(found, "latency")
        assert result.passed is passed
        assert result.detail == f"99th percentile of one-row calls is {word} {bound:g} ms"
        assert found.latency_ms > 0


@given(
    st.floats(allow_nan=True),
    st.one_of(st.none(), st.floats(-5, 5)),
    st.one_of(st.none(), st.floats(-5, 5)),
)
def test_what_lies_in_a_bound_is_between_its_ends_and_is_a_number(
    number: float, low: float | None, high: float | None
) -> None:
    if low is None and high is None:
        with pytest.raises(ValidationError, match="give `max`, `min` or both"):
            Bound(metric="mae")
        return
    lowest = -np.inf if low is None else low
    highest = np.inf if high is None else high
    found = gates.inside(Bound(metric="mae", min=low, max=high), number)
    assert found == (lowest <= number <= highest)


def test_the_bike_model_declares_every_kind_of_gate() -> None:
    root = Path(__file__).parents[2]
    held = Layout(WorkTree(root)).model("bike-demand").gates
    assert held.absolute
    assert held.relative
    assert held.slices
