"""The local forge: branches pushed to a real bare repository, texts written to files."""

import subprocess
from pathlib import Path

import pytest

from mlops.errors import BadInput
from mlops.forges import forge_of, open_pull_request
from mlops.forges.local import LocalForge
from tests.team import Team


def a_commit(team: Team, content: bytes = b"hello\n") -> str:
    return team.repo.git.commit_files("HEAD", {"hello.txt": content}, "Say hello")


def test_a_pull_request_is_a_pushed_branch_and_a_text_in_the_stores(team: Team) -> None:
    commit = a_commit(team)
    opened = open_pull_request(team.repo, "promote/toy-1-to-prod", commit, "Title", "Body\n")
    assert team.git("ls-remote", "origin", "promote/toy-1-to-prod").split()[0] == commit
    assert Path(opened.place) == team.stores / "pull-requests" / "promote__toy-1-to-prod.md"
    assert Path(opened.place).read_text() == "# Title\n\nBody\n"
    assert opened.new
    assert team.git("status", "--porcelain") == ""


def test_the_merge_lines_that_are_told_do_merge_it(team: Team) -> None:
    opened = open_pull_request(team.repo, "work/hello", a_commit(team), "It's a title", "Body")
    for line in opened.merge:
        subprocess.run(line, shell=True, cwd=team.root, check=True, capture_output=True)  # noqa: S602 - a person types these lines
    assert team.git("show", "origin/main:hello.txt") == "hello"
    assert team.git("log", "--format=%s", "-1", "origin/main") == "It's a title"


def test_the_same_commit_again_is_not_pushed_again_and_its_text_is_written(team: Team) -> None:
    commit = a_commit(team)
    first = open_pull_request(team.repo, "work/hello", commit, "Title", "Body")
    Path(first.place).unlink()
    again = open_pull_request(team.repo, "work/hello", commit, "Title", "Body", replaces=commit)
    assert not again.new
    assert Path(again.place).is_file()


def test_a_branch_that_somebody_else_pushed_meanwhile_is_not_overwritten(team: Team) -> None:
    theirs = a_commit(team, b"theirs\n")
    team.git("push", "--quiet", "origin", f"{theirs}:refs/heads/work/hello")
    with pytest.raises(BadInput, match="work/hello: could not be pushed to origin"):
        open_pull_request(team.repo, "work/hello", a_commit(team), "Title", "Body")
    assert team.git("ls-remote", "origin", "work/hello").split()[0] == theirs
    assert not (team.stores / "pull-requests").exists()


def test_a_remote_that_is_gone_is_told(team: Team) -> None:
    team.git("remote", "set-url", "origin", str(team.forge / "nowhere"))
    with pytest.raises(BadInput, match="origin: cannot be fetched from") as caught:
        forge_of(team.repo).fetch()
    assert str(caught.value).endswith("check the remote and your access to it, then run this again")


def test_a_branch_deleted_on_the_forge_no_longer_waits(team: Team) -> None:
    commit = a_commit(team)
    forge = forge_of(team.repo)
    open_pull_request(team.repo, "work/hello", commit, "Title", "Body")
    forge.fetch()
    assert forge.waiting("work/hello") == commit
    team.git("push", "--quiet", "origin", ":refs/heads/work/hello")
    forge.fetch()
    assert forge.waiting("work/hello") is None


def test_the_default_forge_is_the_local_one(team: Team) -> None:
    assert isinstance(forge_of(team.repo), LocalForge)


def test_a_token_in_the_address_of_the_forge_is_refused_and_not_shown(team: Team) -> None:
    text = (team.root / "mlops.toml").read_text()
    lines = 'kind = "github"\nurl = "https://x:secret@forge.example"\nrepository = "toys"'
    team.write("mlops.toml", text.replace('kind = "local"', lines))
    with pytest.raises(BadInput) as caught:
        forge_of(team.repo)
    assert str(caught.value).splitlines() == [
        'mlops.toml: `forge.url` is "https://***@forge.example", not the address of a forge alone; write `https://HOST`; a token belongs into FORGE_TOKEN, never into a file',
        'mlops.toml: `forge.repository` is "toys", not a repository on a forge; write it as OWNER/NAME',
    ]
