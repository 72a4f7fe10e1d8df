"""Commits are made without touching the work tree, and trees read the same from both sides."""

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.git import GitFailed
from tests.team import Team

NAMES = (
    st.from_regex(r"[a-z ü'\"]{1,8}(/[a-z$;]{1,8})?", fullmatch=True)
    .map(str.strip)
    .filter(lambda name: name and not name.startswith("/") and "/" not in name[-1:])
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(NAMES, st.binary(max_size=60), min_size=1, max_size=4))
def test_a_commit_holds_just_the_files_given_whatever_their_names(
    team: Team, files: dict[str, bytes]
) -> None:
    wanted = {f"{number}/{name}": content for number, (name, content) in enumerate(files.items())}
    git = team.repo.git
    commit = git.commit_files(git.head(), wanted, "add")
    assert sorted(git.changed("HEAD", commit)) == sorted(wanted)
    tree = team.repo.commit(commit).tree
    assert {path: tree.read(path) for path in wanted} == wanted


def test_work_tree_and_index_stay_as_they_are(team: Team) -> None:
    team.write("staged.txt", "staged")
    team.git("add", "staged.txt")
    before = team.git("status", "--porcelain")
    git = team.repo.git
    commit = git.commit_files(git.head(), {"mlops.toml": None, "new/file": b"x"}, "change")
    git.set_branch("other", commit)
    assert team.git("status", "--porcelain") == before
    assert git.changed("HEAD", "other") == ["mlops.toml", "new/file"]


def test_a_branch_that_moved_meanwhile_is_not_overwritten(team: Team) -> None:
    git = team.repo.git
    git.set_branch("other", git.head())
    with pytest.raises(GitFailed):
        git.set_branch("other", git.commit_files(git.head(), {"a": b"a"}, "a"))


def test_files_read_from_a_bare_repository_equal_those_of_the_work_tree(team: Team) -> None:
    from mlops.git import Git
    from mlops.repository import Layout
    from mlops.tree import CommitTree

    bare = Layout(CommitTree(Git(team.forge), "main"))
    assert bare.project == team.repo.project
    assert bare.models() == team.repo.models()
    assert bare.tree.files("models") == team.repo.tree.files("models")
    assert bare.settings("dev", "toy") == team.repo.settings("dev", "toy")


def test_git_never_asks_for_a_password(team: Team) -> None:
    done = subprocess.run(["git", "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"git version")
    with pytest.raises(GitFailed):
        team.repo.git.run("ls-remote", "https://127.0.0.1:1/none.git")


def test_many_files_are_read_at_once_like_one_by_one(team: Team) -> None:
    (team.root / "models/empty").write_bytes(b"")
    (team.root / "models/binary").write_bytes(b"\n\0 blob 3\n\xff\n")
    team.commit("Two more")
    paths = [*team.repo.tree.files("models"), "models", "absent"]
    commit = team.repo.commit("HEAD").tree
    assert commit.read_many(paths) == team.repo.tree.read_many(paths)
    assert commit.read_many(paths) == {path: commit.read(path) for path in paths[:-2]}
    assert commit.read_many([]) == {}


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(NAMES, st.binary(max_size=60), min_size=1, max_size=4))
def test_a_commit_answers_every_question_as_the_work_tree_does(
    team: Team, files: dict[str, bytes]
) -> None:
    more = {
        f"models/{number} x\n/{name}": text for number, (name, text) in enumerate(files.items())
    }
    for path, content in more.items():
        (team.root / path).parent.mkdir(parents=True, exist_ok=True)
        (team.root / path).write_bytes(content)
    team.git("add", "--all")
    here, there = team.repo.tree, team.repo.commit(team.git("stash", "create")).tree
    paths = [*more, "models/absent", "models", "mlops.toml"]
    assert there.read_many(paths) == here.read_many(paths)
    assert [there.read(path) for path in paths] == [here.read(path) for path in paths]
    for folder in ("models", "models/0 x\n", "apps", "absent", *paths):
        assert there.names(folder) == here.names(folder)
        assert there.files(folder) == here.files(folder)
        assert there.holds(folder) == here.holds(folder)


def test_what_is_not_committed_is_told_below_the_paths_asked_for(team: Team) -> None:
    git = team.repo.git
    assert git.uncommitted() == []
    (team.root / "models/toy-line/features.py").unlink()
    team.write("models/toy-line/train.py", "changed = 1\n")
    team.write("models/toy-line/new*.py", "new = 1\n")
    team.write("apps/toy/staged.py", "staged = 1\n")
    team.git("add", "apps/toy/staged.py")
    below = [f"models/toy-line/{name}.py" for name in ("features", "new*", "train")]
    assert git.uncommitted() == ["apps/toy/staged.py", *below]
    assert git.uncommitted("models/toy-line", "absent") == below
    assert git.uncommitted("models/toy-line/new*.py", "apps/[t]oy") == below[1:2]
