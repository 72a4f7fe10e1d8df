"""Raw files: CSV as text, and what is told of a file that is none."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mlops.errors import bad_input
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.repository import Repository

LONGEST_LINE = 1 << 20
"""Bytes. A file of one long line would be held in memory many times over before it is refused."""
NAMED = 5
"""Columns named in a message, of many."""
PARQUET = b"PAR1"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
NOT_CSV = "correct it; the first line names the columns"


def read_raw(repo: Repository, file: Path) -> pd.DataFrame:
    """A CSV file as text; the index numbers its rows from 1, empty fields are missing.

    Raises:
        BadInput: when there is no such file, or it is not CSV.
    """
    return raw_rows(read_bytes(repo, file), repo.shown(file))


def read_bytes(repo: Repository, file: Path) -> bytes:
    """A raw file's bytes.

    Raises:
        BadInput: when there is none, or a line of it is longer than `LONGEST_LINE`; no more than
            that is held in memory to tell.
    """
    named = repo.shown(file)
    if not file.is_file():
        raise bad_input(named, "file is missing", "name a CSV file")
    try:
        _refuse_long_lines(file, named)
        content = file.read_bytes()
    except OSError as error:
        what = f"could not be read ({error.strerror})"
        raise bad_input(named, what, "name a CSV file that can be read") from error
    told.read(file, content, _thing(repo, file))
    return content


def _thing(repo: Repository, file: Path) -> Thing:
    quarantine = repo.stores / "quarantine"
    if file.is_relative_to(quarantine):
        return Thing("batch", file.relative_to(quarantine).parts[0])
    return Thing("raw")


def _refuse_long_lines(file: Path, named: str) -> None:
    with file.open("rb") as stream:
        if stream.peek(len(PARQUET)).startswith(PARQUET):
            return  # no lines at all; told by what it is
        number = 1
        while line := stream.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                what = f"line {number} is longer than {LONGEST_LINE:,} bytes"
                raise bad_input(named, what, "write a line for each row")
            number += 1


def raw_rows(content: bytes, named: str) -> pd.DataFrame:
    """Like `read_raw`, of a file's bytes; `named` is its path for messages."""
    _refuse_other_kinds(content, named)
    _refuse_header(content, named)
    try:
        raw = pd.read_csv(
            io.BytesIO(content),
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=True,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        what = f"is not a CSV file ({str(error).strip()})"
        raise bad_input(named, what, NOT_CSV) from error
    if not isinstance(raw.index, pd.RangeIndex):
        raise bad_input(named, "rows have more fields than the header", "correct those rows")
    raw.index = pd.RangeIndex(1, len(raw) + 1)
    return raw


def _refuse_other_kinds(content: bytes, named: str) -> None:
    if not content.strip():
        raise bad_input(named, "is empty", "name a CSV file whose first line names the columns")
    if content.startswith(PARQUET):
        cut = "" if content.endswith(PARQUET) else f", cut off after {len(content):,} bytes"
        raise bad_input(named, f"is a Parquet file{cut}, not CSV", "write its rows as CSV")
    if content.startswith(UTF_16):
        raise bad_input(named, "is UTF-16 text, not UTF-8", "write it as UTF-8")
    if problem := _encoding(content):
        raise bad_input(named, problem, "write all of it as UTF-8")


def _encoding(content: bytes) -> str | None:
    """The first byte that is no UTF-8 text, by its line; None when there is none."""
    at = content.find(b"\0")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        at = error.start if at < 0 else min(at, error.start)
    if at < 0:
        return None
    line = content.count(b"\n", 0, at) + 1
    return f"line {line} is not UTF-8 text (byte 0x{content[at]:02x})"


def _refuse_header(content: bytes, named: str) -> None:
    try:
        names = _header(content)
    except csv.Error as error:
        raise bad_input(named, f"is not a CSV file ({error})", NOT_CSV) from error
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        what = f"the first line names {listed(twice)} more than once"
        raise bad_input(named, what, "rename or remove one; which is meant cannot be told")
    used = [called for mark, called in SEPARATORS.items() if mark in names[0]]
    if len(names) == 1 and used:
        what = f"has one column, {names[0][:60]!r}: its fields are separated by {used[0]}"
        raise bad_input(named, what, "separate them by commas")


def _header(content: bytes) -> list[str]:
    """The names in the first line that is not blank."""
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline=""))
    return next((line for line in lines if "".join(line).strip() or len(line) > 1), [""])


def listed(names: Sequence[str]) -> str:
    """Names for a message: of many the first, and how many more."""
    told = ", ".join(f"`{name}`" for name in names[:NAMED])
    more = len(names) - NAMED
    return f"{told} and {more:,} more" if more > 0 else told
