"""The reader of what strace tells."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.lineage.opened import opened


@pytest.mark.parametrize(
    ("lines", "read", "written"),
    [
        (['openat(AT_FDCWD</>, "{a}", O_RDONLY|O_CLOEXEC) = 3<{a}>'], "a", ""),
        (['openat(AT_FDCWD</>, "{a}", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3<{a}>'], "", "a"),
        (['open("{a}", O_RDWR) = 3<{a}>', 'open("{a}", O_RDONLY) = 4<{a}>'], "", "a"),
        (['openat(AT_FDCWD</>, "{a}", O_RDONLY) = -1 ENOENT (No such file or directory)'], "", ""),
        (['rename("{gone}", "{a}") = 0'], "", "a"),
        (['renameat2(AT_FDCWD</>, "{gone}", AT_FDCWD</>, "{b}", RENAME_NOREPLACE) = 0'], "", "b"),
        (['openat(AT_FDCWD</>, "{gone}", O_RDWR|O_CREAT, 0600) = 3<{gone}>'], "", ""),
    ],
)
def test_straces_lines_are_read(
    tmp_path: Path, lines: Sequence[str], read: str, written: str
) -> None:
    places = {name: tmp_path / name for name in ("a", "b", "gone")}
    for name in ("a", "b"):
        places[name].touch()
    found = opened([line.format(**places) for line in lines])
    assert found.read == {places[name] for name in read}
    assert found.written == {places[name] for name in written}
