"""A real Gitea on loopback: the one that FORGE_URL names, or one of our own from ../shared/forge."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.team import ROOT, free_port

FOLDER = ROOT.parent / "shared" / "forge"
BUILT = Path(os.environ.get("FORGE_CACHE") or Path.home() / ".cache/forge")
NEEDED = (pytest.mark.slow, pytest.mark.timeout(1_500))
"""Marks of a test that needs it: in CI the first one may have to build it."""


def needs_gitea(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test as one that needs a real Gitea."""
    for mark in NEEDED:
        test = mark(test)
    return test


@dataclass(frozen=True)
class Gitea:
    """A server with the users chief (its administrator), bot, alice and bob."""

    url: str
    tokens: Path

    def token(self, user: str) -> str:
        """The token of a user."""
        return (self.tokens / user).read_text().strip()


@contextmanager
def running(folder: Path) -> Iterator[Gitea]:
    """A server for the length of a test run; skips with a word where none can be had.

    Args:
        folder: where a server of our own has its state.
    """
    if url := os.environ.get("FORGE_URL"):
        yield Gitea(url.rstrip("/"), Path(os.environ["FORGE_TOKENS"]))
        return
    if not (FOLDER / "up").is_file():
        pytest.skip("no forge is here: FORGE_URL is not set and ../shared/forge does not exist")
    _share_build(folder)
    environment = {**os.environ, "FORGE_CACHE": str(folder), "FORGE_PORT": str(free_port())}
    try:
        told = _run("up", environment)
        said = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        yield Gitea(said["FORGE_URL"], Path(said["FORGE_TOKENS"]))
    finally:
        _run("down", environment)


def _share_build(folder: Path) -> None:
    """Use the program that is built; building it takes minutes, which only CI waits for."""
    if not _is_built():
        if os.environ.get("CI") != "true":
            pytest.skip("the forge is not built yet: run ../shared/forge/up and down once")
        _build()
    folder.mkdir(parents=True, exist_ok=True)
    for built in (*BUILT.glob("gitea-*"), BUILT / "static"):
        (folder / built.name).symlink_to(built)


def _is_built() -> bool:
    return any(path.is_file() for path in BUILT.glob("gitea-*"))


def _build() -> None:
    """Build it once, whichever worker comes first."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_built():
            for verb in ("up", "down"):
                _run(verb, dict(os.environ))


def _run(verb: str, environment: dict[str, str]) -> str:
    program = shutil.which("bash")
    assert program
    done = subprocess.run(
        [program, str(FOLDER / verb)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"forge {verb}: {done.stderr[-2000:]}"
    return done.stdout
