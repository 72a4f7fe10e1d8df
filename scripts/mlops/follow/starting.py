"""Bringing a release up beside what serves: found, started, ready, answering right."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mlops import bento as bentos
from mlops.follow import probe
from mlops.follow.door import Door
from mlops.follow.events import Events
from mlops.follow.places import Places
from mlops.follow.process import Launch, ServingProcess
from mlops.repository import Repository
from mlops.serving.predictions.asked import Asked
from mlops.specs.release import Release


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds."""

    ready: float = 30.0
    drain: float = 30.0
    retry: float = 60.0
    port_retry: float = 2.0


@dataclass(frozen=True)
class Surroundings:
    """What the services of one environment share."""

    repo: Repository
    environment: str
    places: Places
    events: Events
    limits: Limits
    numbers: Iterator[int]
    """Numbers for the private sockets."""
    changed: Callable[[], None]
    confirmed: Callable[[Release, str], None]
    """Told when a release (and the commit that states it) was confirmed serving."""
    stopped: Callable[[str], None]


async def bring_up(
    around: Surroundings,
    release: Release,
    door: Door,
    ended: Callable[[], None],
    predictions: Asked | None = None,
) -> ServingProcess:
    """Start a release's process; returns when it is ready and has answered its example.

    A process that does not get so far, or whose start is cancelled, is ended.

    Args:
        around: what the environment's services share.
        release: what to start.
        door: where it is going to accept.
        ended: called when the process has ended.
        predictions: how its answers are logged.

    Raises:
        NotServing: when it ends or is not ready in time.
        WrongAnswer: when it answers wrongly.
        BadInput: when the bento is missing or differs from its digest.
    """
    began = time.monotonic()
    service = release.service
    bento = await asyncio.to_thread(bentos.find, around.repo, service, release.bento)
    private = around.places.private / f"{next(around.numbers)}.sock"
    log = around.places.log(service, release.release)
    launch = Launch(release, bento, door, private, log, predictions)
    process = await ServingProcess.start(launch)
    process.when_ended(ended)
    try:
        await process.until("ready", within=around.limits.ready)
        await check(process)
    except BaseException:
        await process.kill()
        raise
    process.start_seconds = time.monotonic() - began
    return process


async def check(process: ServingProcess) -> None:
    """Ask for readiness and the example's prediction; raises like `probe.check_answers`."""
    launch = process.launch
    example = probe.example_of(launch.bento)
    await asyncio.to_thread(probe.check_answers, launch.private, launch.release, example)


async def confirm(process: ServingProcess, *, within: float) -> bool:
    """Whether the release answers at the public port, asked until it does."""
    wanted = str(process.release.release)
    deadline = time.monotonic() + within
    while process.alive and time.monotonic() < deadline:
        if await asyncio.to_thread(probe.release_at, process.door.port) == wanted:
            return True
        await asyncio.sleep(0.05)
    return False
