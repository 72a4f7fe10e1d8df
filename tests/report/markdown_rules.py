"""What has to hold of a text for a forge, whatever is in it."""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.token import Token

ACTIVE = re.compile(r"@\w|#\w|\bGH-\d|://|\bwww\.|:[\w+-]+:|\bmailto:", re.IGNORECASE)
"""What a forge would make a mention, a reference, a link, or an emoji of."""
HOSTILE = (
    "<img src=x onerror=alert(1)> @octocat #1 GH-2 o/r#3 [a](https://evil.example) ![b](c) | d | "
    "`e` ``` ~~~ \n\n# heading\n- item\n</details></summary><script> http://evil.example *f* "
    "www.evil.example a@evil.example :tada: $x$ \u202e\u200b\x1b[31m &lt; \\"
)


def tokens_of(text: str) -> list[Token]:
    """The blocks of a text as CommonMark with tables."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def check_safe(text: str, links: int = 0) -> None:
    """No HTML but whole folds, no pictures, only our links and headings, whole tables."""
    tokens = tokens_of(text)
    assert sum(_kinds(token).count("link_open") for token in tokens) == links
    for token in tokens:
        assert not {"image", "html_inline", "hardbreak"}.intersection(_kinds(token)), token.content
        assert not ACTIVE.search(_plain(token)), _plain(token)
    assert {token.tag for token in tokens if token.type == "heading_open"} <= {"h2"}
    hidden = {char for char in text if unicodedata.category(char)[0] == "C"}
    assert hidden <= {"\n", "\t", "\u2060"}
    _check_folds(tokens)
    _check_tables(tokens)
    _check_fences(tokens, text)


def _kinds(block: Token) -> list[str]:
    return [child.type for child in block.children or []]


def _plain(block: Token) -> str:
    """The words outside code spans, as a forge looks for mentions and references in them."""
    return "".join(
        child.content if child.type in ("text", "text_special") else "\0"
        for child in block.children or []
    )


def _check_folds(tokens: list[Token]) -> None:
    html = [token.content.strip() for token in tokens if token.type == "html_block"]
    fold = re.compile(r"<details>\n<summary>[A-Za-z0-9 ,.()]+</summary>")
    assert all(fold.fullmatch(part) for part in html[::2])
    assert all(part == "</details>" for part in html[1::2])
    assert len(html) % 2 == 0


def _check_tables(tokens: list[Token]) -> None:
    heads = cells = rows = 0
    for token in tokens:
        if token.type == "table_open":
            heads = cells = rows = 0
        heads += token.type == "th_open"
        cells += token.type == "td_open"
        rows += token.type == "tr_open"
        if token.type == "table_close":
            assert cells == heads * (rows - 1)
            assert rows > 1


def _check_fences(tokens: list[Token], text: str) -> None:
    lines = text.split("\n")
    for token in tokens:
        if token.type == "fence" and token.map:
            assert lines[token.map[1] - 1] == token.markup
            assert token.info in ("", "sh", "diff")
