"""What an environment has held, from real Git history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.environments.timeline import (
    Entry,
    held_before,
    kind_of,
    known_releases,
    next_number,
    predecessor,
    same_content,
    timeline,
    withdrawn,
)
from tests.releases import make_release
from tests.team import Team

PATH = "environments/prod/toy/release.yaml"


def put(team: Team, number: int, *, environment: str = "prod") -> str:
    """Commit a release of that number."""
    team.write(f"environments/{environment}/toy/release.yaml", make_release(number).release_text)
    return team.commit(f"Put {number} into {environment}")


def revert(team: Team) -> str:
    """Revert the newest commit."""
    team.git("revert", "--no-edit", "HEAD")
    return team.git("rev-parse", "HEAD")


def entries_of(team: Team, environment: str = "prod") -> list[Entry]:
    return timeline(team.repo.git, "HEAD", environment, "toy")


def numbers(entries: list[Entry]) -> list[int | None]:
    return [entry.release.release if entry.release else None for entry in entries]


def predecessor_of(entries: list[Entry]) -> int | None:
    found = predecessor(entries)
    return found.release.release if found and found.release else None


def test_a_service_without_a_release_has_no_history(team: Team) -> None:
    assert entries_of(team) == []
    assert predecessor([]) is None
    assert withdrawn([]) == {}


def test_entries_are_oldest_first_and_say_who_when_and_why(team: Team) -> None:
    first = put(team, 1)
    put(team, 2)
    entries = entries_of(team)
    assert numbers(entries) == [1, 2]
    assert (entries[0].commit, entries[0].author) == (first, "A Person")
    assert entries[0].subject == "Put 1 into prod"
    assert entries[0].at[:2] == "20"
    assert entries[0].content == make_release(1).release_text.encode()


def test_a_merged_branch_is_one_change_however_many_commits_it_has(team: Team) -> None:
    put(team, 1)
    team.git("switch", "--quiet", "--create", "work")
    put(team, 2)
    put(team, 3)
    team.git("switch", "--quiet", "main")
    team.write("README.md", "something else\n")
    team.commit("Something else")
    team.git("merge", "--quiet", "--no-ff", "--no-edit", "work")
    assert numbers(entries_of(team)) == [1, 3]


def test_a_file_that_cannot_be_read_is_told_and_the_rest_still_read(team: Team) -> None:
    put(team, 1)
    team.write(PATH, "release: [broken\n")
    team.commit("Broken")
    team.write(PATH, "\udcff".encode("utf-8", "surrogatepass").decode("latin-1"))
    team.commit("Not even text")
    put(team, 2)
    entries = entries_of(team)
    assert numbers(entries) == [1, None, None, 2]
    assert entries[1].note.startswith("cannot be read: environments/prod/toy/release.yaml")
    assert [kind_of(entries, place) for place in range(4)] == [
        "first", "unreadable", "unreadable", "new",
    ]  # fmt: skip
    assert withdrawn(entries) == {}


def test_a_plain_revert_withdraws_the_release_and_puts_the_one_before_back(team: Team) -> None:
    put(team, 1)
    put(team, 2)
    commit = revert(team)
    entries = entries_of(team)
    assert numbers(entries) == [1, 2, 1]
    assert kind_of(entries, 2) == "back"
    day = entries[2].at[:10]
    assert withdrawn(entries) == {
        2: f'release 1 took its place on {day} ({commit[:12]} Revert "Put 2 into prod")'
    }


def test_a_revert_of_the_revert_makes_the_release_good_again(team: Team) -> None:
    put(team, 1)
    put(team, 2)
    revert(team)
    revert(team)
    entries = entries_of(team)
    assert numbers(entries) == [1, 2, 1, 2]
    assert withdrawn(entries) == {}
    assert predecessor_of(entries) == 1


def test_the_first_release_taken_away_is_withdrawn_too(team: Team) -> None:
    put(team, 1)
    revert(team)
    entries = entries_of(team)
    assert kind_of(entries, 1) == "removed"
    assert list(withdrawn(entries)) == [1]


def test_the_same_bytes_count_as_held_and_others_do_not(team: Team) -> None:
    put(team, 1)
    put(team, 2)
    entries = entries_of(team)
    assert held_before(entries, make_release(1).release_text.encode())
    assert not held_before(entries, make_release(1, mae=1.0).release_text.encode())


def test_the_next_number_is_above_every_number_that_any_environment_ever_held(team: Team) -> None:
    put(team, 1, environment="dev")
    put(team, 4, environment="dev")
    put(team, 1)
    revert(team)
    known = known_releases(team.repo.git, team.repo, "HEAD", "toy")
    assert sorted(known) == [1, 4]
    assert next_number(known) == 5
    assert next_number({}) == 1


def test_the_same_content_from_another_commit_is_the_release_that_exists(team: Team) -> None:
    put(team, 1, environment="dev")
    put(team, 2, environment="dev")
    known = known_releases(team.repo.git, team.repo, "HEAD", "toy")
    again = make_release(2, commit="2" * 40).release.model_copy(update={"release": 3})
    same = same_content(known, again)
    assert same is not None
    assert same.release == make_release(2).release
    assert same_content(known, make_release(3).release) is None


def entry(number: int | None) -> Entry:
    release = make_release(number) if number else None
    return Entry(
        commit=f"{number or 0:040}",
        at="2024-01-01T00:00:00+00:00",
        author="A Person",
        subject="Change",
        release=release.release if release else None,
        content=release.release_text.encode() if release else None,
    )


@given(st.lists(st.sampled_from(["push", "revert"]), max_size=12))
def test_after_pushes_and_reverts_of_the_newest_what_was_undone_is_withdrawn(
    moves: list[str],
) -> None:
    """The model: a stack of releases; a revert pops the newest, which is then withdrawn."""
    stack: list[int] = []
    undone: set[int] = set()
    entries: list[Entry] = []
    pushed = 0
    for move in moves:
        if move == "push":
            pushed += 1
            stack.append(pushed)
        elif not stack:
            continue
        else:
            undone.add(stack.pop())
        entries.append(entry(stack[-1] if stack else None))
        assert predecessor_of(entries) == (stack[-2] if len(stack) > 1 else None)
    assert set(withdrawn(entries)) == undone


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ([1], None),
        ([1, 2], 1),
        ([1, 2, 1], None),
        ([1, 2, 3, 2], 1),
        ([1, 2, 3, 1], None),
        ([1, 2, 1, 2], 1),
        ([1, 2, 1, 3], 1),
        ([1, None, 2], None),
        ([1, 2, None], None),
    ],
)
def test_a_rollback_goes_to_what_the_release_held_now_took_the_place_of(
    held: list[int | None], expected: int | None
) -> None:
    assert predecessor_of([entry(number) for number in held]) == expected


@given(st.lists(st.one_of(st.none(), st.integers(1, 4)), max_size=12))
def test_what_is_held_now_is_never_withdrawn(held: list[int | None]) -> None:
    entries = [entry(number) for number in held]
    taken_back = withdrawn(entries)
    assert not held or held[-1] not in taken_back
    assert set(taken_back) <= {number for number in held if number}
