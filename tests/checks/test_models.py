"""Part `models`: each model of a change, trained, measured and compared with what serves."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops import bento
from mlops.checks.context import Context, Share
from mlops.checks.models import run
from mlops.checks.planning import planned
from mlops.data.ingest import ingest
from mlops.environments.champion import comparisons
from mlops.graph import affected
from mlops.registry import Registered, Registry
from mlops.repository import Repository, release_path
from mlops.specs.release import Release
from mlops.specs.result import Result
from tests.releases import make_release
from tests.team import Team
from tests.training.points import MODEL, registered, start_registry

pytestmark = pytest.mark.slow
SPEC = f"models/{MODEL}/model.yaml"
RAW = "data-contracts/toy-points/raw/2024-01.csv"
PROD = release_path("prod", "toy")


@dataclass(frozen=True)
class Served:
    """A team whose prod serves the model that main has, with data that lies in Git."""

    team: Team
    model: Registered
    release: Release


@pytest.fixture
def served(team: Team) -> Served:
    ingest(team.repo, "toy-points", [team.root / RAW])
    source = team.commit("Pin January")
    start_registry(team)
    model, repo = registered(team), team.repo
    artifact = bento.Artifact(model.digest, Registry.of(repo).fetch(model))
    built = bento.build(repo, repo.commit("HEAD"), "toy", {MODEL: artifact})
    release = make_release(1, bento=built.digest, model=model.digest, commit=source)
    team.write(PROD, release.release_text)
    team.commit("prod serves it")
    return Served(team, model, release.release)


def context_of(root: Path, *, base: str = "origin/main", out: Path | None = None) -> Context:
    """The change in a clone since its base, all models it reaches in one share."""
    repo = Repository.at(root)
    start, head = repo.commit_id(base), repo.git.head()
    changed = tuple(sorted({*repo.git.changed(start, head), *repo.git.uncommitted()}))
    reached = affected(repo, changed, repo.commit(start))
    return Context(repo, start, head, changed, reached, Share("models", reached.models), out)


def edited(team: Team, old: str, new: str) -> None:
    """A commit on the branch that changes the model's spec."""
    team.git("fetch", "--quiet", "origin")
    text = (team.root / SPEC).read_text()
    assert old in text
    team.write(SPEC, text.replace(old, new))
    team.commit("Change the model", push=False)


def said(result: Result) -> str:
    return "\n".join(f"{one.path}: {one.what}; {one.fix}" for one in result.problems)


def test_a_changed_model_is_compared_with_what_prod_serves_and_drawn(
    served: Served, tmp_path: Path
) -> None:
    edited(served.team, "rounds: 40", "rounds: 60")
    found = run(context_of(served.team.root, out=tmp_path / "results"))
    assert (found.outcome, said(found)) == ("good", "")
    (model,) = found.models
    assert model.champion is not None
    assert (model.environment, model.champion.release, model.services) == ("prod", 1, ("toy",))
    assert {one.champion for one in model.comparisons} == {served.model.digest}
    assert "relative mae" in {gate.gate for gate in model.gates}
    assert found.summary == "toy-line meets its 5 gates, compared with release 1 in prod"
    files = {plot.file: (tmp_path / "results" / plot.file).read_bytes() for plot in model.plots}
    assert set(files) == {"toy-line-errors.png", "toy-line-predictions.png"}
    assert all(len(content) < 60_000 for content in files.values())
    again = run(context_of(served.team.root, out=tmp_path / "again"))
    assert again.models == found.models


def test_a_clone_without_stores_evaluates_the_same(served: Served, tmp_path: Path) -> None:
    edited(served.team, "rounds: 40", "rounds: 60")
    with_stores = run(context_of(served.team.root))
    settings = (served.team.root / "mlops.toml").read_text()
    served.team.write("mlops.toml", settings.replace("../stores", "../empty"))
    without = run(context_of(served.team.root))
    assert (without.outcome, said(without)) == ("good", "")
    (made_again,), (opened,) = without.models, with_stores.models
    assert made_again.model_copy(update={"notes": ()}) == opened
    (note,) = made_again.notes
    assert note.startswith("the bento of release 1 of toy is not in the stores here")


def test_a_worse_model_is_not_good_and_each_gate_says_why(served: Served) -> None:
    edited(served.team, "rounds: 40", "rounds: 2")
    found = run(context_of(served.team.root))
    assert found.outcome == "not good"
    gates = [one.what for one in found.problems]
    assert any(what.startswith("gate `absolute mae` is not met: mae is") for what in gates)
    assert any(what.startswith("gate `relative mae` is not met: mae is") for what in gates)
    assert found.summary.startswith("toy-line: gate `absolute mae` is not met")


def test_what_cannot_be_compared_is_measured_and_not_evaluated(served: Served) -> None:
    team = served.team
    text = (team.root / PROD).read_text()
    team.write(PROD, text.replace(served.release.source.commit, "f" * 40))
    team.commit("A source commit that is nowhere")
    edited(team, "rounds: 40", "rounds: 60")
    shutil.rmtree(team.stores / "bentos")
    found = run(context_of(team.root))
    assert found.outcome == "not evaluated"
    (problem,) = found.problems
    assert problem.what.startswith(
        "comparison not evaluated: the bento of release 1 of toy is not here, and its model "
        "could not be made again from commit ffffffffffff: is not a commit"
    )
    assert problem.fix.endswith("have this commit evaluated (workflow evaluate-fork)")
    (model,) = found.models
    assert model.champion is not None
    assert (model.champion.release, model.comparisons) == (1, ())


def test_a_champion_that_comes_out_otherwise_is_not_compared_with(served: Served) -> None:
    team = served.team
    text = (team.root / PROD).read_text()
    team.write(PROD, text.replace(served.model.digest, "sha256:" + "1" * 64))
    team.commit("Another digest")
    edited(team, "rounds: 40", "rounds: 60")
    shutil.rmtree(team.stores / "bentos")
    found = run(context_of(team.root))
    assert found.outcome == "not evaluated"
    assert "the release pins 111111111111 (another kind of processor" in said(found)


def test_data_that_cannot_be_read_is_not_evaluated_and_a_maintainer_can(served: Served) -> None:
    team = served.team
    shutil.rmtree(team.stores / "datasets")
    pin = team.root / "data-contracts/toy-points.dvc"
    pin.write_text(pin.read_text().partition("  raw:")[0])
    settings = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", settings + 'data = "s3://example/private"\n')
    team.commit("Data elsewhere")
    edited(team, "rounds: 40", "rounds: 60")
    found = run(context_of(team.root))
    assert (found.outcome, found.models) == ("not evaluated", ())
    assert found.problems[0].path == "s3://example/private"
    assert found.problems[0].fix.endswith("(workflow evaluate-fork)")


def test_a_registry_that_may_not_be_used_is_not_evaluated(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    team = served.team
    settings = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", settings + 'registry = "http://127.0.0.1:9"\n')
    team.commit("Registry elsewhere")
    edited(team, "rounds: 40", "rounds: 60")
    found = run(context_of(team.root))
    assert found.outcome == "not evaluated"
    assert said(found).startswith("http://127.0.0.1:9: cannot be used as registry (Mlflow")


def test_a_promotion_is_compared_the_same_where_no_bento_is(served: Served) -> None:
    repo = served.team.repo
    release = served.release.model_copy(update={"datasets": ()})
    before = comparisons(repo, release, release)
    shutil.rmtree(served.team.stores / "bentos")
    shutil.rmtree(served.team.stores / "models")
    (served.team.stores / "mlflow.db").unlink()
    assert comparisons(repo, release, release) == before
    assert {one.difference for one in before} == {0}


def test_a_model_whose_code_fails_does_not_stop_the_others(served: Served) -> None:
    team = served.team
    for path in ("model.yaml", "features.py"):
        text = (team.root / f"models/{MODEL}" / path).read_text()
        team.write(f"models/broken/{path}", text.replace(f"model: {MODEL}", "model: broken"))
    team.write("models/broken/train.py", "def train(*_):\n    raise RuntimeError('no luck')\n")
    edited(team, "rounds: 40", "rounds: 60")
    found = run(context_of(team.root))
    assert found.outcome == "not good"
    assert [model.evidence.model for model in found.models] == [MODEL]
    (problem,) = found.problems
    assert problem.path == "models/broken"
    assert problem.what == "training or evaluating it failed with RuntimeError: no luck"
    assert found.summary == "2 models against what serves prod: 1 good, 1 not good"


def test_a_model_without_a_contract_is_not_good(served: Served) -> None:
    edited(served.team, "dataset: toy-points", "dataset: nobodys-points")
    found = run(context_of(served.team.root))
    assert found.outcome == "not good"
    assert "nobodys-points" in said(found)


def test_a_model_that_prod_serves_may_not_be_removed(served: Served) -> None:
    team = served.team
    team.git("fetch", "--quiet", "origin")
    shutil.rmtree(team.root / "models" / MODEL)
    team.commit("Remove the model", push=False)
    context = context_of(team.root)
    assert context.share.names == (MODEL,)
    found = run(context)
    assert (found.outcome, found.models) == ("not good", ())
    assert said(found) == (
        f"models/toy-line: is removed, but prod serves it in release 1 ({PROD}); "
        "promote a release without it first, or remove environments/prod/toy first\n"
        "apps/toy/service.yaml: names toy-line, which is removed; "
        "take it out of `models` in the same change"
    )
    done = team.mlops("check", "--part", "models")
    assert done.returncode == 1
    assert "toy-line: is removed, but prod serves it in release 1" in done.stdout


def test_without_prod_the_last_environment_there_is_counts(served: Served) -> None:
    team = served.team
    shutil.rmtree(team.root / "environments" / "prod")
    team.commit("No prod")
    edited(team, "rounds: 40", "rounds: 60")
    found = run(context_of(team.root))
    assert (found.outcome, said(found)) == ("good", "")
    (model,) = found.models
    assert (model.environment, model.champion) == ("staging", None)
    assert {one.champion for one in model.comparisons} == {"baseline"}
    assert found.summary.endswith("compared with the stated baseline")


def test_a_first_commit_is_compared_with_the_baseline(served: Served, tmp_path: Path) -> None:
    root = tmp_path / "first"
    shutil.copytree(served.team.root, root, ignore=shutil.ignore_patterns(".git", "prod"))
    team = Team(root, served.team.forge, tmp_path / "stores")
    team.git("init", "--quiet", "--initial-branch=main")
    team.git("config", "user.name", "A Person")
    team.git("config", "user.email", "person@example.com")
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message", "First")
    plan = planned(team.repo, "HEAD~1")
    (share,) = (one for one in plan.shares if one.part == "models")
    context = Context(team.repo, plan.base, plan.head, plan.changed, plan.affected, share)
    found = run(context)
    assert (found.outcome, said(found)) == ("good", "")
    assert found.models[0].champion is None


def test_a_model_whose_data_was_never_ingested_waits_and_stops_nothing(team: Team) -> None:
    edited(team, "rounds: 40", "rounds: 41")
    found = run(context_of(team.root))
    assert (found.outcome, found.problems, found.models) == ("good", (), ())
    assert found.summary == (
        f"{MODEL} waits for data: no version of toy-points is pinned yet; "
        "mlops data ingest toy-points FILE..."
    )


def test_a_model_whose_data_the_change_takes_away_is_not_good(served: Served) -> None:
    served.team.git("rm", "--quiet", "data-contracts/toy-points.dvc")
    served.team.commit("No data any more", push=False)
    found = run(context_of(served.team.root))
    assert found.outcome == "not good"
    assert "no version of this dataset is pinned yet" in found.problems[0].what
