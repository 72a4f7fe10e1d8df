"""Only what is installed counts in a lock."""

import random
from pathlib import Path

import pytest

from mlops.locks import resolved
from tests.team import ROOT

LOCK = b"""one==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
two==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:cc
"""


@pytest.mark.parametrize(
    "file", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda f: f.name
)
def test_the_locks_as_they_are_written_have_this_form_already(file: Path) -> None:
    assert resolved(file.read_bytes()) == file.read_bytes()


@pytest.mark.parametrize(
    "same",
    [
        b"# by uv\n" + LOCK.replace(b"bb\n", b"bb\n    # via three\n"),
        LOCK.replace(b"\n", b"\r\n"),
        LOCK.replace(b"sha256:aa", b"sha256:x")
        .replace(b"sha256:bb", b"sha256:aa")
        .replace(b":x", b":bb"),
        LOCK.replace(b"one==1.0", b"One == 1.0"),
        LOCK[LOCK.index(b"two") :] + LOCK[: LOCK.index(b"two")],
    ],
    ids=["comments", "line ends", "order of hashes", "spelling", "order"],
)
def test_comments_order_and_spelling_do_not_count(same: bytes) -> None:
    assert resolved(same) == resolved(LOCK) == LOCK


@pytest.mark.parametrize(
    "other",
    [
        LOCK.replace(b"1.0", b"1.1"),
        LOCK.replace(b"sha256:aa", b"sha256:dd"),
        LOCK.replace(b"3.12", b"3.13"),
        LOCK + b"three==3\n",
        b"--index-url https://packages.example.com\n" + LOCK,
        LOCK.replace(b"one==1.0", b"one @ https://packages.example.com/one.whl"),
    ],
    ids=["version", "hash", "marker", "one more", "option", "address"],
)
def test_versions_markers_hashes_and_where_from_do_count(other: bytes) -> None:
    assert resolved(other) != resolved(LOCK)


def test_a_resolved_lock_is_its_own_resolved_form_in_any_order() -> None:
    lock = (ROOT / "requirements" / "build.txt").read_bytes() + LOCK
    entries = resolved(lock).replace(b"\\\n", b"\x00").splitlines(keepends=True)
    random.Random(1).shuffle(entries)
    assert resolved(b"".join(entries).replace(b"\x00", b"\\\n")) == resolved(lock)
