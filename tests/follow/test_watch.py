"""Seeing that the followed branch moved, however it is stored."""

import asyncio
from pathlib import Path

import pytest

from mlops.errors import BadInput
from mlops.follow.watch import Mirror, Source, signature, source_of
from mlops.git import Git
from tests.team import Team, git


def test_the_forge_of_the_clone_is_followed_by_default(team: Team) -> None:
    source = source_of(team.repo)
    assert source == Source(str(team.forge), "refs/heads/main", team.forge.resolve())


def test_a_relative_address_is_taken_from_the_clone(team: Team) -> None:
    team.git("remote", "set-url", "origin", "../forge.git")
    assert source_of(team.repo).url == str(team.forge)


def test_a_file_address_is_watched_like_a_path(team: Team) -> None:
    source = source_of(team.repo, f"file://{team.forge}", "release")
    assert (source.ref, source.folder) == ("refs/heads/release", team.forge.resolve())


def test_an_address_elsewhere_is_asked_over_the_network(team: Team) -> None:
    for address in ("https://example.com/team/ml.git", "git@example.com:team/ml.git"):
        assert source_of(team.repo, address) == Source(address, "refs/heads/main", None)


def test_a_name_that_is_no_remote_is_bad_input(team: Team) -> None:
    with pytest.raises(BadInput, match="upstream: is not a remote of this clone"):
        source_of(team.repo, "upstream")


@pytest.mark.parametrize("packed", [False, True])
def test_a_moved_branch_is_seen_in_the_refs_files(team: Team, packed: bool) -> None:
    source = source_of(team.repo)
    if packed:
        git(team.forge, "pack-refs", "--all")
    before = signature(source)
    assert signature(source) == before
    team.write("note.md", "more")
    team.commit("More")
    assert signature(source) != before


def test_a_linked_worktree_is_watched_where_its_refs_are(team: Team, tmp_path: Path) -> None:
    team.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    source = source_of(team.repo, str(tmp_path / "linked"))
    assert source.folder == (team.root / ".git").resolve()


def test_a_mirror_left_damaged_by_a_kill_is_made_anew(team: Team, tmp_path: Path) -> None:
    async def fetched() -> str:
        mirror = Mirror(tmp_path / "repo.git", source_of(team.repo))
        await mirror.prepare()
        return await mirror.fetch()

    assert asyncio.run(fetched()) == team.git("rev-parse", "HEAD")
    (tmp_path / "repo.git" / "refs" / "heads" / "followed.lock").touch()
    assert asyncio.run(fetched()) == team.git("rev-parse", "HEAD")
    (tmp_path / "repo.git" / "HEAD").unlink()
    assert asyncio.run(fetched()) == team.git("rev-parse", "HEAD")
    assert Git(tmp_path / "repo.git").commit_of("refs/heads/followed") is not None
