"""The names a version goes by, and what is compared when nothing is named."""

import pytest

from mlops.errors import BadInput, NotGood
from mlops.versions.history import named, pair
from tests.team import Team
from tests.versions.conftest import PATH, short


def test_a_version_is_named_by_a_digest_or_a_commit(versions: tuple[Team, str, str]) -> None:
    team, first, second = versions
    for text in (short(first), first, "HEAD~1", team.git("rev-parse", "HEAD~1")):
        assert named(team.repo, "toy-points", text).pin.digest == first
    assert named(team.repo, "toy-points", "main").pin.digest == second


@pytest.mark.parametrize("text", ["nothing", "--output=x", "0000000000", "HEAD~9"])
def test_what_names_no_version_is_refused(versions: tuple[Team, str, str], text: str) -> None:
    with pytest.raises(BadInput) as refused:
        named(versions[0].repo, "toy-points", text)
    assert str(refused.value.problems[0]) == (
        f"{PATH}: {text!r} is neither the beginning of a version's digest nor a commit; name one "
        "that `mlops data log toy-points` lists"
    )


def test_without_names_the_newest_change_is_compared(versions: tuple[Team, str, str]) -> None:
    team, first, second = versions
    before, after = pair(team.repo, "toy-points")
    assert (before.pin.digest, after.pin.digest) == (first, second)
    team.git("revert", "--no-edit", "HEAD")
    with pytest.raises(
        NotGood, match="no version was pinned before this one, or each of them was taken back"
    ):
        pair(team.repo, "toy-points")
    (team.root / PATH).write_bytes(named(team.repo, "toy-points", second).content)
    before, after = pair(team.repo, "toy-points")
    assert (before.pin.digest, after.pin.digest) == (first, second)
    assert after.name == f"{short(second)} (in the work tree, in no commit)"
