"""A step is done again exactly when something that decides it has changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.pipelines.graph import Artifact, Step, pipeline_of
from mlops.pipelines.keys import key_of
from tests.data.test_ingest import FEBRUARY, JANUARY, ingested
from tests.derived import NAME, STEP, add_derived
from tests.team import Team

MODEL = "models/toy-line/model.yaml"
STEPS = ("ingest", "validate", "train", "evaluate", "score")


def replaced(path: str, old: str, new: str) -> Callable[[Team], None]:
    def change(team: Team) -> None:
        text = (team.root / path).read_text()
        assert old in text
        team.write(path, text.replace(old, new))

    return change


CHANGES: dict[str, tuple[Callable[[Team], object], set[str]]] = {
    "a description": (replaced(MODEL, "A line with noise", "A line"), set()),
    "a schedule": (lambda team: add(team, MODEL, "pipeline: {schedule: '0 4 * * *'}\n"), set()),
    "a gate": (replaced(MODEL, "max: 3.0", "max: 2.9"), {"evaluate", "score"}),
    "a parameter": (replaced(MODEL, "rounds: 40", "rounds: 41"), {"train", "evaluate", "score"}),
    "feature code": (
        lambda team: add(team, "models/toy-line/features.py", "# another\n"),
        {"train", "evaluate", "score"},
    ),
    "the ingest step": (
        lambda team: add(team, "data-contracts/toy-points/ingest.py", "# another\n"),
        {"ingest", "validate"},
    ),
    "a text for people": (lambda team: team.write("models/toy-line/README.md", "hello\n"), set()),
    "a raw file": (lambda team: add(team, str(JANUARY), "\n"), {"ingest"}),
    "the pinned rows": (
        lambda team: ingested(team, FEBRUARY),
        {"validate", "train", "evaluate", "score"},
    ),
}


@pytest.fixture
def pinned(team: Team) -> Team:
    ingested(team, JANUARY)
    return team


@pytest.mark.parametrize("name", CHANGES)
def test_only_the_steps_that_a_change_decides_get_another_key(pinned: Team, name: str) -> None:
    before = keys(pinned)
    change, reached = CHANGES[name]
    change(pinned)
    after = keys(pinned)
    assert {verb for verb in STEPS if before[verb] != after[verb]} == reached


def test_the_key_does_not_depend_on_where_the_clone_lies(team: Team, tmp_path: Path) -> None:
    from tests.team import make_team

    other = make_team(tmp_path / "elsewhere")
    for each in (team, other):
        ingested(each, JANUARY)
    assert keys(team) == keys(other)


def add(team: Team, path: str, text: str) -> None:
    team.write(path, (team.root / path).read_text() + text)


def keys(team: Team) -> dict[str, str]:
    def of(step: Step) -> str:
        return key_of(team.repo, step)

    raw = {"toy-points": [str(team.root / JANUARY)]}
    return {step.verb: of(step) for step in pipeline_of(team.repo, "toy-line", raw).steps}


def test_a_derivation_is_done_again_when_a_source_or_its_step_changes(team: Team) -> None:
    add_derived(team)
    source = Artifact("dataset", "toy-points")
    made = Artifact("dataset", NAME)
    step = Step("derive", NAME, ("data", "derive", NAME), (source,), (made,))
    keys = []
    for file in (JANUARY, FEBRUARY):
        ingested(team, file)
        keys.append(key_of(team.repo, step))
    assert key_of(team.repo, step) == keys[-1]
    add(team, STEP, "# another\n")
    keys.append(key_of(team.repo, step))
    assert len(set(keys)) == 3
