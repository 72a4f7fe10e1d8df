"""Python's patterns in RE2's words: the same texts are found, or the pattern is left alone."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.data.scanning.closed import database
from mlops.data.scanning.patterns import translated

PATTERNS = (
    r"^[A-Z]{2}\d{3,4}$",
    r"a|b$|^c",
    r"(?:ab)+c?",
    r"^[^a-c\d\]]+$",
    r"[]a]\.\$",
    r"a.c",
    r"^$",
    r"\D-\-",
)


@pytest.fixture(scope="module")
def opened() -> Any:
    with database() as found:
        yield found


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_it_finds_what_python_finds(pattern: str, data: st.DataObject, opened: Any) -> None:
    near = st.from_regex(pattern).filter(lambda text: "\0" not in text and text.isprintable())
    text = data.draw(st.one_of(near, st.text("abcAB1٣]-.$\n", max_size=6)))
    found = opened.execute("SELECT regexp_matches(?, ?)", [text, translated(pattern)]).fetchone()
    assert found == (re.search(pattern, text) is not None,)


@pytest.mark.parametrize(
    "pattern", [r"\w+", r"a\b", r"(?=a)", r"(?i)a", r"(a)\1", r"a++", r"[\w]", r"a{2000}", r"\Aa"]
)
def test_what_the_two_read_otherwise_is_left_alone(pattern: str) -> None:
    assert translated(pattern) is None
