"""What a change affects, and that closures hold what decides and nothing else."""

from mlops.graph import affected, training_inputs
from tests.team import Team

DATA = "sha256:" + "0" * 64


def test_a_contract_reaches_the_models_that_learn_from_it_and_their_services(team: Team) -> None:
    reached = affected(team.repo, ["data-contracts/toy-points.odcs.yaml"])
    assert reached.datasets == ("toy-points",)
    assert reached.models == ("toy-line",)
    assert reached.services == ("toy",)
    assert reached.environments == ()


def test_a_text_reaches_nothing(team: Team) -> None:
    reached = affected(team.repo, ["README.md", "models/toy-line/README.md"])
    assert (reached.models, reached.services, reached.docs_only) == ((), (), True)


def test_a_gate_is_not_an_input_of_training_but_a_parameter_is(team: Team) -> None:
    path = "models/toy-line/model.yaml"
    text = (team.root / path).read_text()
    before = training_inputs(team.repo, "toy-line", DATA)
    team.write(path, text.replace("max: 3.0", "max: 2.9"))
    assert training_inputs(team.repo, "toy-line", DATA) == before
    team.write(path, text.replace("num_leaves: 7", "num_leaves: 8"))
    assert training_inputs(team.repo, "toy-line", DATA) != before


def test_the_commit_and_the_work_tree_give_the_same_digest(team: Team) -> None:
    repo = team.repo
    assert training_inputs(repo.commit("HEAD"), "toy-line", DATA) == training_inputs(
        repo, "toy-line", DATA
    )
