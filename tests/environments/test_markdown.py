"""Foreign text in Markdown stays text."""

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mlops.environments.markdown import cell, code, fenced, folded, items, table, visible

ANY = st.text(max_size=60) | st.text(alphabet="`|\\<>&@#[]()!*_~\n\r \u202e\x1b", max_size=40)


def inline(text: str) -> list[Token]:
    """All inline tokens of a text."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [child for token in tokens for child in token.children or []]


def blocks(text: str) -> list[str]:
    return [token.type for token in MarkdownIt("commonmark").enable("table").parse(text)]


@given(ANY)
def test_a_code_span_is_one_code_span_whatever_is_in_it(text: str) -> None:
    tokens = inline(f"before {code(text)} after")
    spans = [token for token in tokens if token.type == "code_inline"]
    assert len(spans) == (1 if text.split() else 0)
    assert {token.type for token in tokens} <= {"text", "code_inline"}


@given(ANY)
def test_a_cell_never_ends_its_cell_or_row(text: str) -> None:
    lines = table(("a", "b"), [(cell(text), "end"), ("x", "y")], most=5)
    found = blocks("\n".join(lines))
    assert found.count("td_open") == 4
    assert found.count("tr_open") == 3
    assert [token.content for token in inline("\n".join(lines))][-1] == "y"


@given(ANY)
def test_a_fence_is_not_ended_by_what_is_in_it(text: str) -> None:
    found = blocks("\n".join([*fenced(text, "diff"), "", "after"]))
    assert found == ["fence", "paragraph_open", "inline", "paragraph_close"]


def test_what_turns_or_hides_text_is_shown_as_its_code_point() -> None:
    assert visible("a\u202eb\x1b[31m\u200b") == "a<U+202E>b<U+001B>[31m<U+200B>"
    assert visible("tab\tand umlaut ü") == "tab\tand umlaut ü"


def test_long_text_is_cut_with_dots() -> None:
    assert code("x" * 500) == f"`{'x' * 157}...`"


def test_rows_and_items_beyond_the_limit_are_counted() -> None:
    assert items(["a", "b", "c"], most=1) == ["- a", "", "and 2 more"]
    assert table(("h",), [("1",), ("2",)], most=1)[-1] == "and 1 more"


def test_a_folded_part_holds_markdown_that_is_read() -> None:
    text = "\n".join(folded("Summary", table(("h",), [("1",)], most=1)))
    assert "table_open" in blocks(text)
