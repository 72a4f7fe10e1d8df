"""A version's bytes as a file of a person's choice."""

import shutil
from pathlib import Path

from mlops import digests
from mlops.data.pin import Pin, fetch
from mlops.errors import bad_input
from mlops.files import replacing
from mlops.repository import Repository


def check_out(repo: Repository, pin: Pin, file: Path) -> bool:
    """Copy a version's Parquet file, verified; False when the file is that copy already.

    Raises:
        BadInput: when the file is there with other content, or nobody has the version's.
    """
    if file.exists() and not _is(file, pin):
        raise bad_input(repo.shown(file), "is there already, with other content", "name a new file")
    if file.exists():
        return False
    with fetch(repo, pin).open("rb") as source, replacing(file) as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    return True


def _is(file: Path, pin: Pin) -> bool:
    return file.is_file() and digests.of_file(file) == pin.digest
