"""TOML values are set as a person would set them."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.errors import BadInput
from mlops.toml_text import with_values

TEXT = """\
# What this is.
[forge]
kind = "local"   # with a # in it: "yes"
remote = "origin"

# What follows.
[environments]
order = [
  "dev",
]
"""


def test_comments_order_and_everything_else_stay() -> None:
    assert with_values(TEXT, {"forge": {"kind": "github", "url": "https://h"}}, "a.toml") == (
        TEXT.replace('"local"', '"github"').replace(
            'remote = "origin"\n', 'remote = "origin"\nurl = "https://h"\n'
        )
    )


def test_a_section_that_is_missing_is_added_at_the_end() -> None:
    assert with_values(TEXT, {"stores": {"root": "/s"}}, "a.toml") == (
        TEXT + '\n[stores]\nroot = "/s"\n'
    )


def test_a_value_on_several_lines_is_left_to_a_person() -> None:
    with pytest.raises(BadInput) as caught:
        with_values(TEXT, {"environments": {"order": ["prod"]}}, "a.toml")
    assert str(caught.value).startswith("a.toml: ")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x7f")), st.booleans())
def test_every_text_comes_back_and_is_set_only_once(value: str, known: bool) -> None:
    wanted = {"forge": {"kind" if known else "new": value}}
    once = with_values(TEXT, wanted, "a.toml")
    assert tomllib.loads(once)["forge"]["kind" if known else "new"] == value
    assert with_values(once, wanted, "a.toml") == once
