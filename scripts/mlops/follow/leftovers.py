"""Clearing what a killed follower left, and asking the system about processes."""

import os
import shutil
import stat
from pathlib import Path

import psutil

from mlops.errors import bad_input


def make_private(folder: Path) -> None:
    """Make the folder of the private sockets, this user's alone, after clearing an old one.

    Raises:
        BadInput: when somebody else's file has its name.
    """
    clear_private(folder)
    folder.mkdir(mode=0o700)


def clear_private(folder: Path) -> None:
    """Remove the folder, after the processes of a killed follower that use it have ended."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise bad_input(folder, "belongs to somebody else", "remove it")
    end_users_of(folder)
    shutil.rmtree(folder)


def end_users_of(folder: Path, *, patience: float = 10) -> None:
    """Wait until no serving process uses the folder; kill those that go on.

    Their control channels closed with the follower that had started them, so they end by
    themselves; one that hangs does not.
    """
    users = _users_of(folder)
    _, alive = psutil.wait_procs(users, timeout=patience)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=patience)


def _users_of(folder: Path) -> list[psutil.Process]:
    prefix = f"{folder}{os.sep}"
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(word.startswith(prefix) for word in process.info["cmdline"] or ())
        and process.pid != os.getpid()
    ]


def memory_mb(pid: int) -> float | None:
    """Resident memory of a process in megabytes, None when it has ended."""
    try:
        resident: int = psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return None
    return round(resident / 1e6, 1)


def is_alive(pid: int, started_before: float) -> bool:
    """Whether a process with that number runs that had started by that moment (epoch, s)."""
    try:
        # A number given anew belongs to a process that started later.
        created: float = psutil.Process(pid).create_time()
    except psutil.Error:
        return False
    return created <= started_before + 1
