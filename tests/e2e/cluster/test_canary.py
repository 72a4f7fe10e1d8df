"""A release of prod is measured by its own answers, and taken back by itself when they are bad."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cluster.canary import TOKEN, another, canaries, right_on_a_laptop, well
from tests.e2e.cluster.fleet import SERVICE, Fleet
from tests.e2e.cluster.place import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

RUNS = "/apis/argoproj.io/v1alpha1/namespaces/ml-prod/analysisruns"


@pytest.fixture(scope="module")
def calls(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """prod releases by canary; what its cluster tells the forge."""
    with canaries(fleet, tmp_path_factory.mktemp("canary")) as calls:
        yield calls


def test_a_canary_that_answers_badly_ends_itself_and_asks_for_its_rollback(
    fleet: Fleet, calls: list[dict[str, Any]]
) -> None:
    before, bad = fleet.held("prod"), right_on_a_laptop(fleet)
    load = fleet.load("prod")
    fleet.promote(bad, "prod")
    line = fleet.told(f"canary of release {bad} aborted", seconds=120)
    assert 'Metric "predictions" assessed Failed' in line
    assert f"release {before} goes on serving" in line
    fleet.wait("prod", before)
    tally = load.end()
    assert tally["lost"] == 0, tally["reasons"]
    # One pod of two answered badly, for as long as it took to notice.
    answers = {name: each["answers"] for name, each in tally["releases"].items()}
    assert 0 < answers[str(bad)] < answers[str(before)]
    until("the forge is told", 60, lambda: calls)
    (call,) = calls
    assert call["authorization"] == f"token {TOKEN}"
    assert call["path"].endswith("/actions/workflows/rollback.yaml/dispatches")
    asked = call["body"]["inputs"]
    assert asked == {
        "service": SERVICE,
        "environment": "prod",
        "if-release": str(bad),
        "reason": "A cluster aborted its rollout.",
    }
    # What rollback.yaml runs with these inputs.
    options = ("--if-release", asked["if-release"], "--reason", asked["reason"])
    fleet.mlops("rollback", "--env", asked["environment"], *options, "--", asked["service"])
    load = fleet.load("prod")
    fleet.merge(f"rollback/{SERVICE}-prod-to-{before}")
    until("it is healthy again", 60, lambda: well(fleet, before))
    assert load.end()["lost"] == 0


def test_a_new_release_is_measured_and_the_way_back_to_a_known_one_is_not(
    fleet: Fleet, calls: list[dict[str, Any]]
) -> None:
    told, before, known = len(calls), fleet.held("prod"), runs(fleet)
    good = another(fleet)
    load = fleet.load("prod")
    fleet.promote(good, "prod")
    until("the steps are done", 120, lambda: well(fleet, good))
    (run,) = runs(fleet) - known
    found = fleet.api.get(f"{RUNS}/{run}")
    assert found is not None
    measured = {each["name"]: each["phase"] for each in found["status"]["metricResults"]}
    assert measured == dict.fromkeys(("errors", "latency", "predictions"), "Successful")
    fleet.revert()
    until("the known release serves", 60, lambda: well(fleet, before))
    assert runs(fleet) == known | {run}
    assert load.end()["lost"] == 0
    assert len(calls) == told


def runs(fleet: Fleet) -> set[str]:
    """What was measured: the analyses by name."""
    found = fleet.api.get(RUNS)
    assert found is not None
    return {each["metadata"]["name"] for each in found["items"]}
