"""Processes that were replaced: drained, the newest of them kept warm for a while."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from mlops.follow.door import Door
from mlops.follow.process import NotServing, ServingProcess, key_of
from mlops.follow.status import Warm, moment
from mlops.serving.predictions.asked import Asked
from mlops.specs.release import Release


@dataclass(eq=False)
class _Kept:
    """A replaced process; `enough` ends the keeping early."""

    process: ServingProcess
    seconds: float
    until: float
    enough: asyncio.Event = field(default_factory=asyncio.Event)


class Retired:
    """The predecessor of what serves, and earlier ones that are still being ended."""

    def __init__(self, changed: Callable[[], None], drain_limit: float) -> None:
        self._changed = changed
        self._drain_limit = drain_limit
        self._warm: _Kept | None = None
        self._ending: dict[_Kept, asyncio.Task[None]] = {}

    def add(self, process: ServingProcess, seconds: float) -> None:
        """Keep a process that was told to drain, for so long; the one kept before is ended."""
        if self._warm is not None:
            self._warm.enough.set()
        kept = _Kept(process, seconds, time.time() + seconds)
        task = asyncio.create_task(self._end(kept))
        self._ending[kept] = task
        task.add_done_callback(lambda _: self._ending.pop(kept, None))
        self._warm = kept if seconds > 0 else None

    def take(
        self, release: Release, door: Door, predictions: Asked | None
    ) -> ServingProcess | None:
        """The kept process, when it is of exactly this release and logs so; not kept any more."""
        kept = self._warm
        if kept is None or not kept.process.alive or kept.process.door is not door:
            return None
        if key_of(kept.process.release) != key_of(release):
            return None
        if kept.process.launch.predictions != predictions:
            return None
        self._warm = None
        self._ending[kept].cancel()
        return kept.process

    def keep_at_most(self, seconds: float) -> None:
        """The settings say another time: it counts for what is kept now, too, when shorter."""
        kept = self._warm
        if kept is not None and seconds < kept.seconds:
            end = kept.until - kept.seconds + seconds
            kept.until, kept.seconds = end, seconds
            asyncio.get_running_loop().call_later(max(0.0, end - time.time()), kept.enough.set)

    async def end_all(self) -> None:
        """End them all now."""
        self._warm = None
        ending = dict(self._ending)
        for kept in ending:
            kept.enough.set()
        await asyncio.gather(*(kept.process.stop() for kept in ending), *ending.values())

    def processes(self) -> Iterator[ServingProcess]:
        """All of them that may still run."""
        yield from [kept.process for kept in self._ending]

    def status(self) -> Warm | None:
        """What is kept warm, and what it costs."""
        from mlops.follow.leftovers import memory_mb

        kept = self._warm
        if kept is None or not kept.process.alive:
            return None
        process = kept.process
        return Warm(
            release=process.release.release,
            bento=process.release.bento,
            pid=process.pid,
            memory_mb=memory_mb(process.pid),
            until=moment(kept.until),
        )

    async def _end(self, kept: _Kept) -> None:
        # A kept connection that its client leaves idle would get an answer of the withdrawn
        # release whenever it comes back: after the limit the process ends, warm or not.
        with suppress(NotServing, TimeoutError):
            await kept.process.until("drained", within=self._drain_limit)
            async with asyncio.timeout(kept.seconds):
                await kept.enough.wait()
        if self._warm is kept:
            self._warm = None
        await kept.process.stop()
        self._changed()
