"""What a change affects, and that closures hold what decides and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops import graph
from mlops.errors import BadInput
from mlops.graph import affected
from mlops.repository import Layout
from mlops.sources import training_inputs
from mlops.tree import Tree
from tests.releases import files_of, make_decision, make_release
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


def add_model(team: Team, model: str, *, dataset: str = "toy-points") -> None:
    text = (team.root / "models/toy-line/model.yaml").read_text()
    text = text.replace("toy-line", model).replace("toy-points", dataset)
    team.write(f"models/{model}/model.yaml", text)


def add_service(team: Team, service: str, models: str) -> None:
    text = (team.root / "apps/toy/service.yaml").read_text()
    text = text.replace("service: toy", f"service: {service}").replace("[toy-line]", models)
    team.write(f"apps/{service}/service.yaml", text)


def test_a_model_reaches_the_services_that_serve_it_and_no_other(team: Team) -> None:
    add_model(team, "line")
    add_service(team, "both", "[line, toy-line]")
    add_service(team, "other", "[line]  # not toy-line")
    reached = affected(team.repo, ["models/toy-line/features.py"])
    assert (reached.models, reached.services) == (("toy-line",), ("both", "toy"))
    assert (reached.code, reached.policy, reached.everything) == (True, True, False)


def test_a_dataset_reaches_only_its_own_readers(team: Team) -> None:
    add_model(team, "other", dataset="toy-points-hourly")
    reached = affected(team.repo, ["data-contracts/toy-points.dvc"])
    assert reached.models == ("toy-line",)
    reached = affected(
        team.repo, ["data-contracts/toy-points/ingest.py", "data-contracts/none.dvc"]
    )
    assert (reached.datasets, reached.models) == (("none", "toy-points"), ("toy-line",))


@pytest.mark.parametrize(
    "written",
    ['"toy\\x2dline"', '"toy\\u002dline"', '"\\\n  toy-line"', "'toy-line'", "&a toy-line"],
)
def test_a_name_is_found_however_yaml_writes_it(team: Team, written: str) -> None:
    add_service(team, "other", f"[{written}]")
    assert team.repo.service("other").models == ("toy-line",)
    assert affected(team.repo, ["models/toy-line/train.py"]).services == ("other", "toy")
    both = ["models/toy-line/train.py", "models/another/train.py"]
    assert affected(team.repo, both).services == ("other", "toy")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_name_is_found_in_another_encoding(team: Team, encoding: str) -> None:
    file = team.root / "apps/toy/service.yaml"
    file.write_bytes(file.read_text().encode(encoding))
    assert affected(team.repo, ["models/toy-line/train.py"]).services == ("toy",)


def test_wrong_yaml_elsewhere_stops_nothing_and_where_a_name_stands_counts(team: Team) -> None:
    team.write("apps/broken/service.yaml", "models: [toy-line\n")
    team.write("apps/unknown/service.yaml", "what: [toy-line]\n")
    team.write("apps/far/service.yaml", "models: [\n")
    (team.root / "apps/empty").mkdir()
    reached = affected(team.repo, ["models/toy-line/train.py"])
    assert reached.services == ("broken", "toy", "unknown")


def test_what_is_removed_reaches_its_readers_and_is_not_checked_itself(team: Team) -> None:
    add_service(team, "other", "[gone]")
    reached = affected(team.repo, ["models/gone/model.yaml", "apps/away/service.py"])
    assert (reached.models, reached.services) == ((), ("other",))


def test_tests_and_evidence_of_a_model_or_service_do_not_train_it(team: Team) -> None:
    reached = affected(
        team.repo, ["models/toy-line/tests/test_features.py", "apps/toy/evidence/1.json"]
    )
    assert (reached.models, reached.services, reached.code) == ((), (), True)


@pytest.mark.parametrize(
    "path",
    [
        "scripts/mlops/training/gates.py",
        "scripts/mlops/scoring/scorer.py",
        "scripts/mlops/serving/front.py",
        "scripts/mlops/data/table.py",
        "scripts/mlops/digests.py",
        "requirements/train.txt",
        "requirements/serve.txt",
    ],
)
def test_what_results_are_made_with_reaches_every_model_and_service(team: Team, path: str) -> None:
    add_model(team, "alone")
    reached = affected(team.repo, [path])
    assert (reached.models, reached.services) == (("alone", "toy-line"), ("toy",))
    assert (reached.everything, reached.sample) == (True, ())


def test_a_lock_counts_only_when_it_resolves_to_something_else(team: Team) -> None:
    lock = team.root / "requirements/train.txt"
    before = team.repo.commit("HEAD")
    digest = training_inputs(team.repo, "toy-line", DATA)
    lock.write_text("# a comment\n" + lock.read_text())
    reached = affected(team.repo, ["requirements/train.txt"], before)
    assert (reached.models, reached.everything) == ((), False)
    assert training_inputs(team.repo, "toy-line", DATA) == digest
    lock.write_text(lock.read_text().replace("lightgbm==", "lightgbm==1."))
    assert affected(team.repo, ["requirements/train.txt"], before).everything
    assert training_inputs(team.repo, "toy-line", DATA) != digest
    lock.unlink()
    assert affected(team.repo, ["requirements/train.txt"], before).everything


@pytest.mark.parametrize(
    "path", ["requirements/dev.txt", "infra/base/deployment.yaml", "scripts/mlops/follow/door.py"]
)
def test_what_should_not_change_results_is_tried_on_a_sample(team: Team, path: str) -> None:
    add_model(team, "alone")
    reached = affected(team.repo, [path])
    assert (reached.models, reached.sample, reached.services) == (("alone",), ("alone",), ())
    for sample in ("toy", "toy-line"):
        declare_sample(team, sample)
        reached = affected(team.repo, [path, "models/alone/train.py"])
        assert reached.models == ("alone", "toy-line")
        assert (reached.sample, reached.services) == (("toy-line",), ())


def declare_sample(team: Team, name: str) -> None:
    text = (team.root / "mlops.toml").read_text().partition("[checks]")[0]
    team.write("mlops.toml", f'{text}[checks]\nsample = ["{name}"]\n')


def test_a_sampled_service_that_cannot_be_read_stops_nothing(team: Team) -> None:
    declare_sample(team, "toy")
    team.write("apps/toy/service.yaml", "models: [\n")
    assert affected(team.repo, ["requirements/dev.txt"]).models == ()


def test_a_sample_of_something_unknown_is_refused(team: Team) -> None:
    declare_sample(team, "absent")
    with pytest.raises(BadInput) as refused:
        affected(team.repo, ["requirements/dev.txt"])
    assert str(refused.value) == (
        "mlops.toml: `checks.sample` names 'absent', which is neither a model nor a service; "
        "correct the name or take it out"
    )


def test_code_that_validates_reaches_every_dataset_and_trains_a_sample(team: Team) -> None:
    for path in ("scripts/mlops/data/rules.py", "requirements/data.txt"):
        reached = affected(team.repo, [path])
        assert (reached.datasets, reached.sample) == (("toy-points",), ("toy-line",))


def test_workflows_tests_and_scripts_are_code_and_policy_only(team: Team) -> None:
    paths = [".github/workflows/pr.yaml", "tests/test_git.py", "scripts/setup"]
    reached = affected(team.repo, paths)
    assert reached == graph.Affected(code=True, policy=True)
    assert affected(team.repo, paths[:1]) == graph.Affected(policy=True)


def test_the_base_reaches_the_rendering_of_environments_that_hold_a_release(team: Team) -> None:
    made = make_release(commit=team.git("rev-parse", "HEAD"))
    for path, content in files_of(made, "dev", make_decision(made, "dev")).items():
        team.write(path, content)
    reached = affected(team.repo, ["infra/base/deployment.yaml"])
    assert (reached.rendered, reached.environments) == (("dev",), ())
    assert affected(team.repo, ["apps/toy/kustomize/patch.yaml"]).rendered == ("dev",)
    assert affected(team.repo, ["apps/other/kustomize/patch.yaml"]).rendered == ()
    assert affected(team.repo, ["infra/base/README.md"]).docs_only


def test_the_names_of_the_project_reach_every_environment(team: Team) -> None:
    assert affected(team.repo, ["mlops.toml"]).environments == ("dev", "prod", "staging")
    assert affected(team.repo, ["environments/prod/env.yaml"]).environments == ("prod",)


PATHS = st.one_of(
    st.text(max_size=30),
    st.builds(
        "/".join,
        st.lists(
            st.sampled_from(
                [
                    *("models", "apps", "environments", "data-contracts", "requirements"),
                    *("scripts", "mlops"),
                    "$(x)",
                    "-x",
                    "a\nb",
                    "\udcff",
                    "toy",
                    "toy-line",
                    "model.yaml",
                    "a.txt",
                ]
            ),
            max_size=4,
        ),
    ),
)


@given(st.lists(PATHS, max_size=6))
def test_no_path_whatever_its_name_stops_a_plan(paths: list[str]) -> None:
    layout = Layout(_Empty())
    reached = affected(layout, [path for path in paths if path != "mlops.toml"])
    assert reached.models == reached.services == ()


class _Empty(Tree):
    """A tree without models and services."""

    def read(self, path: str) -> bytes | None:
        return None if path != "mlops.toml" else TOML

    def names(self, folder: str) -> list[str]:
        return []

    def files(self, folder: str) -> list[str]:
        return []


TOML = b'[project]\nname = "x"\n[environments]\norder = ["dev"]\n'


def test_an_empty_folder_is_no_model_to_sample(team: Team) -> None:
    (team.root / "models" / "an-empty-one").mkdir()
    assert affected(team.repo, ["infra/base/service.yaml"]).sample == ("toy-line",)
