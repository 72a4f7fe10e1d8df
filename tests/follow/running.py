"""A follower as a person runs it, in a process of its own, and what it leaves behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from mlops.follow import status
from mlops.follow.places import Places
from mlops.follow.status import FollowerStatus, ServiceStatus
from tests.team import Team

Event = dict[str, Any]
PATIENCE = 60.0


def has_ended(process: psutil.Process) -> bool:
    """Whether a process runs no more; that its new parent has not asked for its end is no matter."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(true: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Poll until something holds; fails with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


class Following:
    """A running `mlops follow`, and the events it told."""

    def __init__(self, team: Team, environment: str, *args: str) -> None:
        self.team = team
        self.environment = environment
        self.events: list[Event] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlops", "follow", environment, "--json", *args],
            cwd=team.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def until(
        self, event: str, service: str | None = None, *, start: int = 0, **facts: Any
    ) -> Event:
        """The first event of that name (and facts) from `start` on, waited for."""
        found: list[Event] = []

        def seen() -> bool:
            found[:] = [
                told
                for told in self.events[start:]
                if told["event"] == event
                and service in (None, told["service"])
                and all(told.get(name) == value for name, value in facts.items())
            ]
            return bool(found)

        wait_until(seen, f"{event} {facts} in {self.events[start:]}")
        return found[0]

    @property
    def places(self) -> Places:
        """Its folder."""
        return Places.of(self.team.stores.resolve(), self.environment)

    def status(self) -> FollowerStatus | None:
        """What it last wrote."""
        return status.read(self.places.status)

    def service(self, name: str = "toy") -> ServiceStatus | None:
        """One service's status."""
        whole = self.status()
        return (
            next((entry for entry in whole.services if entry.service == name), None)
            if whole
            else None
        )

    def until_status(self, name: str = "toy", **wanted: Any) -> ServiceStatus:
        """The service's status, once it has these values."""
        found: list[ServiceStatus | None] = [None]

        def reached() -> bool:
            found[0] = self.service(name)
            return found[0] is not None and all(
                getattr(found[0], key) == value for key, value in wanted.items()
            )

        wait_until(reached, f"{wanted}, but {found[0]} (events {self.events[-6:]})")
        assert found[0] is not None
        return found[0]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(timeout=PATIENCE)
        return code


@contextmanager
def following(team: Team, environment: str = "dev", *args: str) -> Iterator[Following]:
    """A follower for the length of a block; nothing of it may be left afterwards."""
    running = Following(team, environment, *args)
    try:
        # From here on the status is its own, not that of one before.
        running.until("following")
        yield running
    finally:
        running.end()
    assert leftovers(team, running.places) == []


def leftovers(team: Team, places: Places) -> list[str]:
    """Processes and temporary folders of a team's followers that are still there."""
    left = [f"{process.pid} {words}" for process, words in processes_of(team)]
    return left + ([str(places.private)] if places.private.exists() else [])


def processes_of(team: Team) -> list[tuple[psutil.Process, str]]:
    """Processes that were called with a path below the team's folder, or work in it."""
    folder = str(team.root.parent)
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = " ".join(process.info["cmdline"] or ())
        place = process.info["cwd"] or ""
        if process.pid != os.getpid() and (folder in words or place.startswith(folder)):
            found.append((process, words))
    return found


def port_of(team: Team, environment: str = "dev", service: str = "toy") -> int:
    """The local port of a service."""
    text = (team.root / f"environments/{environment}/{service}/settings.yaml").read_text()
    port: int = yaml.safe_load(text)["local_port"]
    return port


def is_free(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def ask(port: int) -> httpx.Response:
    """One prediction over a fresh connection."""
    body = {"rows": [{"x": 1.5, "side": "left"}]}
    return httpx.post(f"http://127.0.0.1:{port}/predict", json=body, timeout=5)


def release_at(port: int) -> int | None:
    """The release that answers on a port, None when nobody does."""
    try:
        answer = ask(port)
    except httpx.HTTPError:
        return None
    return int(answer.headers["x-release"])


def temporary_folders() -> set[Path]:
    """Folders of followers in the system's temporary folder."""
    return set(Path(tempfile.gettempdir()).glob("mlops-*"))
