"""`mlops train` and `mlops evaluate`, as people and machines call them."""

import json

import pytest

from tests.team import Team
from tests.training.points import INVALID, MODEL, pin, points, registered, start_registry

pytestmark = pytest.mark.slow
SPEC = "models/toy-line/model.yaml"


@pytest.fixture
def pinned(team: Team) -> Team:
    pin(team, points())
    team.commit("Data")
    start_registry(team)
    return team


def test_train_says_what_it_registered_and_does_not_train_the_same_again(pinned: Team) -> None:
    first = pinned.mlops("train", MODEL)
    assert (first.returncode, first.stderr) == (0, "")
    assert "Registered toy-line version 1" in first.stdout
    assert "rows    384, from 2024-01-01T00:00:00 to 2024-01-16T23:00:00" in first.stdout
    assert "Next: mlops evaluate toy-line" in first.stdout
    again = pinned.mlops("train", MODEL)
    assert again.returncode == 0
    assert "was trained from these inputs before: version 1" in again.stdout
    answer = json.loads(pinned.mlops("train", MODEL, "--json").stdout)
    assert (answer["version"], answer["trained"]) == (1, False)


def test_a_dirty_work_tree_is_trained_said_and_tagged(pinned: Team) -> None:
    from mlflow.tracking import MlflowClient

    from mlops.registry import Registry

    pinned.write(SPEC, (pinned.root / SPEC).read_text().replace("rounds: 40", "rounds: 41"))
    done = pinned.mlops("train", MODEL)
    assert f"The work tree differs from its commit in {SPEC}; the run is tagged" in done.stdout
    registry = Registry.of(pinned.repo)
    run = MlflowClient(registry.uri).get_run(registry.get(MODEL, 1).run_id)
    assert run.data.tags["source.dirty"] == "true"
    assert run.data.tags["source.commit"] == pinned.git("rev-parse", "HEAD")


def test_evaluate_shows_a_good_model_and_ends_with_0(pinned: Team) -> None:
    registered(pinned)
    done = pinned.mlops("evaluate", MODEL)
    assert (done.returncode, done.stderr) == (0, "")
    assert "toy-line version 1" in done.stdout
    assert "on 96 rows it has not seen" in done.stdout
    assert "Against the stated baseline, because prod serves no toy-line yet" in done.stdout
    assert "All gates are met" in done.stdout
    answer = json.loads(pinned.mlops("evaluate", MODEL, "--json").stdout)
    assert answer["passed"]
    assert answer["against"] == {"environment": "prod", "release": None}
    assert [one["metric"] for one in answer["comparisons"]] == ["mae"]


def test_evaluate_names_every_gate_that_is_not_met_and_ends_with_1(pinned: Team) -> None:
    text = (pinned.root / SPEC).read_text()
    for old, new in (
        ("rounds: 40", "rounds: 1"),
        ("size_mb: 1,", "size_mb: 0.0001,"),
        ("max_worse: 0.05", "max_worse: -0.9"),
    ):
        text = text.replace(old, new)
    pinned.write(SPEC, text)
    registered(pinned)
    done = pinned.mlops("evaluate", MODEL, "--json")
    assert done.returncode == 1
    assert not json.loads(done.stdout)["passed"]
    lines = done.stderr.splitlines()
    for gate in ("absolute mae", "slice side mae", "size", "relative mae"):
        (line,) = [one for one in lines if f"gate `{gate}` is not met" in one]
        assert line.startswith(f"{SPEC}: gate")
        assert line.endswith("; improve the model, or change the gate in a pull request")


def test_a_version_the_registry_lacks_ends_with_2_and_the_exact_message(pinned: Team) -> None:
    registered(pinned)
    done = pinned.mlops("evaluate", MODEL, "--version", "7")
    assert done.returncode == 2
    assert done.stderr == (INVALID / "model-version-missing" / "message.txt").read_text()


def test_a_gate_on_a_metric_the_task_does_not_have_is_refused(pinned: Team) -> None:
    case = INVALID / "model-gate-unknown-metric"
    pinned.write(SPEC, (case / "model.yaml").read_text())
    done = pinned.mlops("evaluate", MODEL)
    assert done.returncode == 2
    assert done.stderr == (case / "message.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--serving", "prod"),
            (
                "environments/prod: no release here serves toy-line; "
                "release or promote one first, or name another environment\n"
            ),
        ),
        (
            ("--serving", "prod", "--version", "1"),
            (
                "--serving: stands with --version or --against; "
                "drop them: the model is the one that serves\n"
            ),
        ),
        (
            ("--against", "moon"),
            (
                "environments/moon: is not an environment of this project; "
                "name one of dev, staging, prod, or add it to mlops.toml\n"
            ),
        ),
    ],
)
def test_a_call_that_cannot_be_answered_says_what_to_do(
    pinned: Team, arguments: tuple[str, ...], message: str
) -> None:
    done = pinned.mlops("evaluate", MODEL, *arguments)
    assert (done.returncode, done.stderr) == (2, message)
