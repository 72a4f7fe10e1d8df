"""A text of sections stays within its limit and whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.environments.markdown import items
from mlops.report.fitting import LEFT_OUT, Section, fitted, fixed


def a_list(word: str, count: int, rank: int) -> Section:
    return Section(lambda most: items([word] * count, most=most), count, rank)


def test_with_room_everything_is_there() -> None:
    assert fitted([fixed(["a"]), a_list("b", 2, 1)]) == "a\n\n- b\n- b\n"


def test_the_highest_rank_loses_entries_first_and_they_are_counted() -> None:
    told = fitted([a_list("keep", 10, 1), a_list("lose", 10, 2)], 110)
    assert told.count("- keep") == 10
    assert 0 < told.count("- lose") < 10
    assert f"and {10 - told.count('- lose')} more" in told


def test_sections_that_cannot_be_shortened_are_left_out_whole_and_it_says_so() -> None:
    told = fitted([fixed(["head"]), fixed(["x" * 200], rank=1)], 150)
    assert told == f"head\n\n{LEFT_OUT}\n"


def test_what_is_never_left_out_has_to_fit() -> None:
    with pytest.raises(ValueError, match="what is never left out"):
        fitted([fixed(["x" * 200])], 150)


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 5)), max_size=8),
    st.integers(200, 3_000),
)
def test_it_never_exceeds_the_limit(counts: list[tuple[int, int]], limit: int) -> None:
    sections = [a_list("entry", count, rank) for count, rank in counts]
    assert len(fitted([fixed(["head"]), *sections], limit)) <= limit
