"""Raw files as text: what stands in the file, row by row, or one line on why not."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.data.raw import LONGEST_LINE, listed, raw_rows, read_bytes
from mlops.errors import BadInput
from tests.team import Team

NAMES = st.lists(st.text("abcxyz_", min_size=1), min_size=1, max_size=5, unique=True)
FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]))


@given(st.data())
def test_every_field_comes_back_as_it_was_written_and_an_empty_one_is_missing(
    data: st.DataObject,
) -> None:
    names = data.draw(NAMES)
    # A first field that is not empty: a line without any is blank, and left out.
    row = st.tuples(st.just("x"), *[FIELDS] * (len(names) - 1))
    rows = data.draw(st.lists(row, max_size=4))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *rows])
    raw = raw_rows(text.getvalue().encode(), "batch.csv")
    assert list(raw.columns) == names
    assert list(raw.index) == list(range(1, len(rows) + 1))
    assert raw.fillna("").to_numpy().tolist() == [list(each) for each in rows]


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_rows_or_one_line_of_complaint(content: bytes) -> None:
    told = ""
    try:
        raw_rows(content, "batch.csv")
    except BadInput as error:
        told = str(error)
    assert "\n" not in told


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a\tb\n1\t2\n", "has one column, 'a\\tb': its fields are separated by tabs"),
        (b"\n\n \n", "is empty"),
        (b"PAR1....PAR1", "is a Parquet file, not CSV"),
        (b"a,b\n1,2\0\n", "line 2 is not UTF-8 text (byte 0x00)"),
        (b"\xef\xbb\xbfa,a\n1,2\n", "the first line names `a` more than once"),
    ],
)
def test_a_file_is_told_for_what_it_is(content: bytes, what: str) -> None:
    with pytest.raises(BadInput) as caught:
        raw_rows(content, "batch.csv")
    assert [problem.what for problem in caught.value.problems] == [what]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert list(raw_rows(b"\xef\xbb\xbfa,b\n1,2\n", "batch.csv").columns) == ["a", "b"]


def test_a_line_as_long_as_is_allowed_is_read(team: Team) -> None:
    file = team.root / "batch.csv"
    file.write_bytes(b"a\n" + b"1" * LONGEST_LINE)
    assert len(read_bytes(team.repo, file)) == LONGEST_LINE + 2
    file.write_bytes(b"a\n" + b"1" * LONGEST_LINE + b"\n")
    with pytest.raises(BadInput, match="line 2 is longer than 1,048,576 bytes"):
        read_bytes(team.repo, file)


def test_a_folder_is_no_batch(team: Team) -> None:
    with pytest.raises(BadInput, match="file is missing; name a CSV file"):
        read_bytes(team.repo, team.root)


def test_of_many_names_the_first_are_told_and_how_many_more() -> None:
    assert listed(["a", "b"]) == "`a`, `b`"
    assert listed([str(n) for n in range(2_000)]) == "`0`, `1`, `2`, `3`, `4` and 1,995 more"
