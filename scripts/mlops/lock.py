"""One `mlops` command at a time may change one clone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.errors import bad_input

LOCK = "mlops.lock"


@contextmanager
def only_one(folder: Path, doing: str) -> Iterator[None]:
    """Hold the clone's lock; the system releases it when the process ends, however it ends.

    Args:
        folder: where the lock file lies (the clone's Git folder).
        doing: what this command does, for the message another one gets.

    Raises:
        BadInput: when another command holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 200).decode(errors="replace") or "another mlops command"
            raise bad_input(
                path, f"is held by {holder}", "wait until that has ended, then run this again"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"`{doing}` (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(handle)
