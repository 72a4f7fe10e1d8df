"""Which approvals hold, whatever was said before and in whichever order."""

from hypothesis import given
from hypothesis import strategies as st

from mlops.forges.base import Pull, Review, holding

HEAD, BEFORE = "a" * 40, "b" * 40
PULL = Pull(1, "T", "author", "work", HEAD, True, "main", True, False, None, 1, "")

reviews = st.lists(
    st.builds(
        Review,
        author=st.sampled_from(["author", "alice", "bob", "carol"]),
        commit=st.sampled_from([HEAD, BEFORE, ""]),
        verdict=st.sampled_from(["approved", "refused", "other"]),
        dismissed=st.booleans(),
    ),
    max_size=12,
)


@given(reviews)
def test_an_approval_that_holds_was_given_to_the_head_by_another_and_not_taken_back(
    said: list[Review],
) -> None:
    for author in holding(said, PULL):
        theirs = [one for one in said if one.author == author]
        last = [one for one in theirs if one.verdict != "other" or one.dismissed][-1]
        assert author != PULL.author
        assert (last.commit, last.verdict, last.dismissed) == (HEAD, "approved", False)


@given(reviews)
def test_the_same_holds_after_a_comment_of_everybody(said: list[Review]) -> None:
    comments = [Review(name, HEAD, "other") for name in ("alice", "bob", "carol")]
    assert holding([*said, *comments], PULL) == holding(said, PULL)


@given(reviews)
def test_nothing_holds_for_a_commit_that_nobody_saw(said: list[Review]) -> None:
    later = Pull(1, "T", "author", "work", "c" * 40, True, "main", True, False, None, 1, "")
    assert holding(said, later) == ()
