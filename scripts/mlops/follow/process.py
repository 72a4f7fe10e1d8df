"""One serving process: a release's own code, started, told to accept, drain and stop."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlops.environments.prediction_log import variables
from mlops.follow.door import Door
from mlops.serving.predictions.asked import Asked
from mlops.specs.release import Release

State = Literal["starting", "ready", "accepting", "draining", "drained"]
ACCEPT_LIMIT = 10.0
STOP_LIMIT = 10.0
# What a service gets of the follower's environment: nothing that makes its answers differ.
PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")


def key_of(release: Release) -> object:
    """What makes two releases the same to serve."""
    return (release.release, release.bento, release.models)


class NotServing(Exception):
    """The process ended, or did not do in time what it was told."""


@dataclass(frozen=True)
class Launch:
    """All that a serving process is started with."""

    release: Release
    bento: Path
    door: Door
    private: Path
    log: Path
    predictions: Asked | None = None


class ServingProcess:
    """A running `python -m mlops.serving`, spoken to over its control channel.

    The channel is its lifeline: the process ends when it closes, so none outlives its follower,
    however that ends.
    """

    def __init__(
        self, launch: Launch, process: asyncio.subprocess.Process, control: socket.socket
    ) -> None:
        self.launch = launch
        self.release = launch.release
        self.door = launch.door
        self.state: State = "starting"
        self.start_seconds: float | None = None
        """How long it took to get ready; None for one that was kept warm."""
        self._process = process
        self._control = control
        self._news = asyncio.Condition()
        self._log_start = 0
        self._listening = asyncio.create_task(self._listen())
        self._ending = asyncio.create_task(self._wait())

    @classmethod
    async def start(cls, launch: Launch) -> "ServingProcess":
        """Start the process; it is not ready yet."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - the name of the standard library
        launch.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with launch.log.open("ab") as log, theirs:
                start = log.tell()
                process = await _spawn(launch, theirs.fileno(), log.fileno())
        except BaseException:
            ours.close()
            raise
        serving = cls(launch, process, ours)
        serving._log_start = start
        return serving

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ending.done()

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call a function once the process has ended."""
        self._ending.add_done_callback(lambda _: call())

    async def until(self, *states: State, within: float) -> None:
        """Wait until it says one of these.

        Raises:
            NotServing: when it ends first, or does not say so in time.
        """
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: not self.alive or self.state in states)
        except TimeoutError:
            raise NotServing(f"was not {states[0]} within {within:g} s") from None
        if not self.alive:
            raise NotServing(self.how_it_ended())

    async def accept(self) -> None:
        """Let it take new connections; returns when it does.

        Raises:
            NotServing: when it does not.
        """
        await self._tell("accept")
        await self.until("accepting", within=ACCEPT_LIMIT)

    async def drain(self) -> None:
        """Let it take no new connection; it says `drained` when the last kept one has closed."""
        self.state = "draining"
        await self._tell("drain")

    async def stop(self, *, within: float = STOP_LIMIT) -> None:
        """End it: what is under way is finished first; killed when it takes too long."""
        with suppress(NotServing):
            await self._tell("stop")
        try:
            async with asyncio.timeout(within):
                await asyncio.shield(self._ending)
        except TimeoutError:
            await self.kill()
        self.close()

    async def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await asyncio.shield(self._ending)
        self.close()

    def how_it_ended(self) -> str:
        """For people: the last line it wrote, or its exit code."""
        code = self._process.returncode
        said = self._last_line()
        how = f"ended by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return f"{said} ({how})" if said else how

    def _last_line(self) -> str:
        with self.launch.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    async def _tell(self, what: str) -> None:
        line = json.dumps({"do": what}).encode() + b"\n"
        try:
            await asyncio.get_running_loop().sock_sendall(self._control, line)
        except OSError as error:
            raise NotServing("its control channel is closed") from error

    async def _listen(self) -> None:
        """Take in what it says until the channel closes."""
        loop = asyncio.get_running_loop()
        rest = b""
        with suppress(OSError):
            while part := await loop.sock_recv(self._control, 4096):
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    await self._hear(line)

    async def _hear(self, line: bytes) -> None:
        said = None
        with suppress(ValueError, AttributeError):
            said = json.loads(line).get("state")
        if said in ("ready", "accepting", "drained"):
            async with self._news:
                self.state = said
                self._news.notify_all()

    async def _wait(self) -> None:
        await self._process.wait()
        asyncio.get_running_loop().call_soon(self._tell_waiting)

    def _tell_waiting(self) -> None:
        asyncio.create_task(self._notify())  # noqa: RUF006 - ends at once

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    def close(self) -> None:
        """Let go of an ended process."""
        self._listening.cancel()
        self._control.close()
        self.launch.private.unlink(missing_ok=True)


async def _spawn(launch: Launch, control: int, log: int) -> asyncio.subprocess.Process:
    listen = launch.door.socket.fileno()
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mlops.serving",
        *("--bento", str(launch.bento)),
        *("--private", str(launch.private)),
        *("--listen", str(listen)),
        *("--control", str(control)),
        cwd=launch.bento / "src",
        env={**environment_of(launch.release, launch.bento), **variables(launch.predictions)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(listen, control),
        # Ctrl-C in the terminal is the follower's alone, which then ends them in order.
        start_new_session=True,
    )


def environment_of(release: Release, bento: Path) -> dict[str, str]:
    """The environment variables a serving process gets."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    models = {pin.name: pin.digest for pin in release.models}
    return {
        **passed,
        # First on the path, so that the bento's own copy of the code runs, not this tool's.
        "PYTHONPATH": str(bento / "src"),
        # A bento is named by its content: nothing may be written into it.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "BENTOML_DO_NOT_TRACK": "True",
        "MLOPS_RELEASE": str(release.release),
        "MLOPS_MODELS": json.dumps(models),
    }
