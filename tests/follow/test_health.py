"""Health and sync in Argo CD's words."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from mlops.errors import Problem
from mlops.follow.desired import Broken, Wanted
from mlops.follow.health import Situation
from mlops.specs.experiment import Experiment
from mlops.specs.release import Release
from mlops.specs.settings import Settings
from tests.releases import make_release

PORT = 7000
ONE, TWO = make_release(1).release, make_release(2).release
WANTS_ONE = Wanted(Settings(service="toy", local_port=PORT), ONE, None)
GOOD = Situation(
    environment="dev",
    service="toy",
    goal=WANTS_ONE,
    broken=None,
    port_problem="",
    failure="",
    starting=None,
    serving=ONE,
    port=PORT,
)


def test_what_git_states_at_the_port_it_states_is_healthy_and_in_sync() -> None:
    assert (GOOD.health, GOOD.in_sync, GOOD.next_step) == ("Healthy", True, "")


def test_another_release_or_port_is_not_in_sync() -> None:
    assert not dataclasses.replace(GOOD, serving=TWO).in_sync
    assert not dataclasses.replace(GOOD, port=PORT + 1).in_sync


def test_the_same_number_with_other_content_is_not_in_sync() -> None:
    other = ONE.model_copy(update={"bento": TWO.bento})
    assert not dataclasses.replace(GOOD, serving=other).in_sync


def test_no_release_in_git_is_missing_and_in_sync() -> None:
    empty = Wanted(WANTS_ONE.settings, None, None)
    found = dataclasses.replace(GOOD, goal=empty, serving=None, port=None)
    assert (found.health, found.in_sync) == ("Missing", True)


def test_an_experiment_is_told_to_be_read_and_not_served() -> None:
    trial = Experiment(service="toy", challenger=TWO, key="x", split=0.5)
    found = dataclasses.replace(GOOD, goal=dataclasses.replace(WANTS_ONE, experiment=trial))
    assert found.message.startswith("experiment.yaml is read, but")


@given(
    broken=st.booleans(),
    port_problem=st.sampled_from(["", "port in use"]),
    failure=st.sampled_from(["", "release 1 did not become ready"]),
    starting=st.sampled_from([None, ONE, TWO]),
    serving=st.sampled_from([None, ONE, TWO]),
)
def test_any_problem_is_degraded_with_a_message_and_a_next_step(
    broken: bool,
    port_problem: str,
    failure: str,
    starting: Release | None,
    serving: Release | None,
) -> None:
    problems = Broken((Problem("a", "b", "c"),)) if broken else None
    found = dataclasses.replace(
        GOOD,
        broken=problems,
        port_problem=port_problem,
        failure=failure,
        starting=starting,
        serving=serving,
    )
    is_bad = bool(broken or port_problem or failure)
    assert (found.health == "Degraded") == is_bad
    assert bool(found.next_step) == is_bad
    assert not is_bad or found.message
    assert found.health != "Healthy" or found.in_sync
