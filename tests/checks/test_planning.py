"""Where a change starts, whatever the history of the clone."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.checks.planning import planned, start_of
from mlops.checks.shares import shares
from mlops.errors import BadInput
from mlops.git import MISSING, NOTHING
from mlops.graph import affected
from mlops.repository import Repository
from tests.team import Team, git


def test_a_first_commit_reaches_everything(team: Team) -> None:
    for base in ("HEAD~1", "HEAD^", "@~", MISSING):
        found = planned(team.repo, base)
        assert found.base == NOTHING
        assert set(found.changed) == set(team.git("ls-files").splitlines())
        assert found.affected.everything
        assert (found.affected.models, found.affected.services) == (("toy-line",), ("toy",))
        assert found.affected.environments == ("dev", "prod", "staging")


def test_nothing_can_be_read_as_a_base(team: Team) -> None:
    nothing = team.repo.commit(NOTHING)
    assert nothing.models() == []
    assert nothing.tree.read("mlops.toml") is None


def test_a_base_is_the_commit_both_have(team: Team) -> None:
    start = team.git("rev-parse", "HEAD")
    team.git("switch", "--quiet", "-c", "mine")
    team.write("models/toy-line/train.py", "mine = 1\n")
    team.commit("Mine", push=False)
    team.git("switch", "--quiet", "main")
    team.write("apps/toy/service.py", "theirs = 1\n")
    team.commit("Theirs", push=False)
    team.git("switch", "--quiet", "mine")
    found = planned(team.repo, "main")
    assert (found.base, found.changed) == (start, ("models/toy-line/train.py",))


def test_uncommitted_files_count_unless_they_are_left_out(team: Team) -> None:
    team.write("models/toy-line/train.py", "new = 1\n")
    team.write("models/new/model.yaml", "new\n")
    team.git("add", "models/new")
    team.write("apps/toy/more.py", "new\n")
    found = planned(team.repo, "HEAD")
    wanted = ("apps/toy/more.py", "models/new/model.yaml", "models/toy-line/train.py")
    assert found.changed == wanted
    left_out = planned(team.repo, "HEAD", uncommitted=False)
    assert (left_out.changed, left_out.shares) == ((), ())


def test_what_is_undone_in_the_work_tree_does_not_count(team: Team) -> None:
    before = (team.root / "models/toy-line/train.py").read_text()
    team.write("models/toy-line/train.py", "new = 1\n")
    team.commit("New")
    team.write("models/toy-line/train.py", before)
    assert planned(team.repo, "HEAD~1").changed == ()


@pytest.mark.parametrize("base", ["no-such-branch", "-x", "--upload-pack=x", "HEAD~7", "$(x)"])
def test_an_unknown_base_is_refused(team: Team, base: str) -> None:
    with pytest.raises(BadInput) as refused:
        start_of(team.repo, base)
    assert str(refused.value) == (
        f"{base}: is not a commit of this repository; git fetch, or correct the name"
    )


@pytest.mark.parametrize("known", [False, True])
def test_a_shallow_clone_without_the_base_is_told_how_to_get_it(
    team: Team, tmp_path: Path, known: bool
) -> None:
    first = team.git("rev-parse", "HEAD")
    for text in "ab":
        team.write("README.md", text)
        team.commit(text)
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{team.forge}", str(clone))
    if known:
        git(clone, "fetch", "--quiet", "--depth=1", "origin", first)
    for base in (first, "HEAD~1", "HEAD~2"):
        with pytest.raises(BadInput) as refused:
            start_of(Repository.at(clone), base)
        assert str(refused.value) == (
            f"{base}: is not in the history of this shallow clone; "
            "git fetch --unshallow, or check out with fetch-depth: 0"
        )


def test_a_history_of_its_own_is_compared_with_the_base_itself(team: Team) -> None:
    base = team.git("rev-parse", "HEAD")
    team.git("switch", "--quiet", "--orphan", "alone")
    team.git("checkout", "--quiet", base, "--", "mlops.toml", "models", "requirements")
    team.git("commit", "--quiet", "--message", "Alone")
    found = planned(team.repo, "main")
    assert found.base == base
    assert "apps/toy/service.yaml" in found.changed
    assert "models/toy-line/model.yaml" not in found.changed


def test_hostile_names_and_binary_files_are_names_like_any_other(team: Team) -> None:
    names = [
        b"models/toy-line/$(touch x)",
        b"models/-rf/--base=x",
        b"models/a b/c\nd",
        b"apps/caf\xe9/\xff\xfe.py",
        b"apps/\x1b[31mred/`x`",
        b"\xf0\x9f\x9a\xb2;x",
    ]
    for name in names:
        path = Path(os.fsdecode(os.path.join(os.fsencode(team.root), name)))  # noqa: PTH118 - names in bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(range(256)) * 100)
    found = planned(team.repo, "HEAD")
    assert sorted(os.fsencode(name) for name in found.changed) == sorted(names)
    assert set(found.affected.models) == {"toy-line", "-rf", "a b"}
    team.commit("Hostile")
    again = planned(team.repo, "HEAD~1", uncommitted=False)
    assert (again.affected, again.shares) == (found.affected, found.shares)


def test_a_repository_without_prod_is_planned(team: Team) -> None:
    text = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", text.replace('["dev", "staging", "prod"]', '["dev"]'))
    for name in ("staging", "prod"):
        shutil.rmtree(team.root / "environments" / name)
    found = planned(team.repo, "HEAD")
    assert found.affected.environments == ("dev", "prod", "staging")


TOUCHED = st.dictionaries(
    st.sampled_from(
        [
            "models/toy-line/model.yaml",
            "models/toy-line/train.py",
            "models/new/model.yaml",
            "apps/toy/service.yaml",
            "apps/toy/evidence/0.json",
            "apps/more/service.yaml",
            "data-contracts/toy-points.odcs.yaml",
            "data-contracts/new.dvc",
            "environments/prod/toy/settings.yaml",
            "environments/dev/env.yaml",
            "requirements/train.txt",
            "requirements/data.txt",
            "infra/base/deployment.yaml",
            "scripts/mlops/cli.py",
            "README.md",
        ]
    ),
    st.sampled_from(
        [None, "models: [new, toy-line]\n", "data:\n  dataset: toy-points\n", "a: [\n"]
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(TOUCHED)
def test_a_plan_is_the_same_of_the_work_tree_of_the_commit_and_in_a_fresh_clone(
    team: Team, tmp_path: Path, touched: dict[str, str | None]
) -> None:
    for path, content in touched.items():
        if content is not None:
            team.write(path, content)
        else:
            (team.root / path).unlink(missing_ok=True)
    uncommitted = planned(team.repo, "HEAD")
    team.git("add", "--all")
    team.git("commit", "--quiet", "--allow-empty", "--message", "Touched")
    here = planned(team.repo, "HEAD~1", uncommitted=False)
    assert uncommitted.uncommitted == uncommitted.changed == here.changed
    assert (uncommitted.affected, uncommitted.shares) == (here.affected, here.shares)
    assert planned(team.repo, "HEAD~1") == here

    layout = team.repo.commit("HEAD")
    reached = affected(layout, here.changed, team.repo.commit("HEAD~1"))
    assert (reached, shares(layout, reached, here.changed)) == (here.affected, here.shares)

    fresh = tmp_path / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    git(tmp_path, "clone", "--quiet", str(team.root), str(fresh))
    assert planned(Repository.at(fresh), "HEAD~1") == here
