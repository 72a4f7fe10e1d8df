"""Evaluation of registered models: the same anywhere, never on rows trained on, kept by content."""

from pathlib import Path

import pandas as pd
import pytest

from mlops.errors import BadInput, NotGood
from mlops.registry import Registered, Registry
from mlops.training.candidate import registered_of
from mlops.training.evaluation import evaluate, evaluate_candidate, measure, scorer_of
from tests.team import Team, make_team
from tests.training.points import INVALID, MODEL, pin, points, registered, start_registry

pytestmark = pytest.mark.slow
GATES = "models/toy-line/model.yaml"


@pytest.fixture
def trained(team: Team) -> Registered:
    pin(team, points())
    team.commit("Data")
    start_registry(team)
    return registered(team)


def test_evidence_is_the_same_in_another_clone_and_of_the_commit(
    team: Team, trained: Registered, tmp_path: Path
) -> None:
    other = make_team(tmp_path / "other")
    pin(other, points())
    other.commit("Data")
    start_registry(other)
    repo, elsewhere = team.repo, other.repo
    here = evaluate(repo, repo.commit("HEAD"), trained)
    there = evaluate(elsewhere, elsewhere, registered(other))
    assert here == there
    assert here.rows == 4 * 24
    assert (here.digest, here.inputs) == (trained.digest, trained.inputs)
    assert here.first == "2024-01-17T00:00:00"
    assert {one.column for one in here.drift} == {"x", "side"}
    assert {(one.column, one.value) for one in here.slices} == {("side", "left"), ("side", "right")}
    assert here.metrics["mae"].low < here.metrics["mae"].value < here.metrics["mae"].high
    assert here.metrics["mae"].value < here.baseline["mae"]
    assert all(gate.passed for gate in here.gates)


def test_an_evaluation_is_kept_until_a_gate_or_the_data_change(
    team: Team, trained: Registered
) -> None:
    first = measure(team.repo, team.repo, trained)
    assert measure(team.repo, team.repo, trained) == first
    (kept,) = (team.stores / "evaluations").iterdir()
    assert kept.name.startswith(trained.digest.removeprefix("sha256:") + "-")
    team.write(GATES, (team.root / GATES).read_text().replace("max: 3.0", "max: 0.001"))
    again = measure(team.repo, team.repo, trained)
    assert [gate.gate for gate in again.evidence.gates if not gate.passed] == ["absolute mae"]
    assert len(list((team.stores / "evaluations").iterdir())) == 2


def test_a_model_too_slow_on_a_busy_machine_is_measured_again(
    team: Team, trained: Registered
) -> None:
    text = (team.root / GATES).read_text()
    team.write(GATES, text.replace("latency_ms: 50", "latency_ms: 0.000001"))
    found = measure(team.repo, team.repo, trained)
    assert [gate.gate for gate in found.evidence.gates if not gate.passed] == ["latency"]
    assert not (team.stores / "evaluations").exists()


def test_the_run_in_the_registry_gets_the_figures_and_the_latency(
    team: Team, trained: Registered
) -> None:
    from mlflow.tracking import MlflowClient

    found = measure(team.repo, team.repo, trained)
    run = MlflowClient(Registry.of(team.repo).uri).get_run(trained.run_id)
    assert run.data.metrics["latency_p99_ms"] == found.latency_ms
    assert run.data.metrics["holdout_mae"] == found.evidence.metrics["mae"].value


def test_a_model_is_not_evaluated_on_rows_it_was_trained_on(
    team: Team, trained: Registered
) -> None:
    pin(team, points().iloc[: 18 * 24])
    with pytest.raises(NotGood) as raised:
        evaluate(team.repo, team.repo, trained)
    assert str(raised.value) == (
        "models/toy-line: the model was trained on rows up to 2024-01-16T23:00:00, the holdout "
        "starts at 2024-01-15T00:00:00; evaluate it on later data, or train on the data pinned "
        "here"
    )


def test_features_changed_after_training_are_refused(team: Team, trained: Registered) -> None:
    case = INVALID / "model-trained-with-other-features"
    team.write(f"models/{MODEL}/features.py", (case / "features.py").read_text())
    with pytest.raises(BadInput) as raised:
        scorer_of(team.repo, team.repo, trained)
    assert str(raised.value) == (case / "message.txt").read_text().strip()
    with pytest.raises(BadInput, match="the model was trained with"):
        evaluate(team.repo, team.repo, trained)


def test_what_was_not_trained_from_these_files_is_told(team: Team, trained: Registered) -> None:
    assert registered_of(team.repo, MODEL, None) == trained
    team.write(GATES, (team.root / GATES).read_text().replace("rounds: 40", "rounds: 41"))
    with pytest.raises(BadInput) as raised:
        registered_of(team.repo, MODEL, None)
    assert str(raised.value) == (INVALID / "model-not-trained" / "message.txt").read_text().strip()


def test_a_retrained_model_is_compared_with_the_one_before_on_the_new_holdout(
    team: Team, trained: Registered
) -> None:
    champion = scorer_of(team.repo, team.repo, trained)
    moved = points(days=20, seed=2)
    moved["moment"] += pd.Timedelta(days=20)
    moved["y"] += 6.0
    pin(team, pd.concat([points(), moved], ignore_index=True))
    again = registered(team)
    evidence, (against_champion,) = evaluate_candidate(team.repo, team.repo, again, champion)
    _, (against_itself,) = evaluate_candidate(
        team.repo, team.repo, again, scorer_of(team.repo, team.repo, again)
    )
    assert evidence.digest == against_champion.challenger == again.digest
    assert against_champion.champion == trained.digest
    assert against_champion.high < 0
    assert (against_itself.low, against_itself.high) == (0, 0)
