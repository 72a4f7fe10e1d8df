"""One service of an environment, made what Git says: started beside, switched, drained."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from mlops.environments.prediction_log import of_follower
from mlops.errors import MlopsError
from mlops.follow import starting
from mlops.follow.desired import Broken, Wanted
from mlops.follow.door import Door, PortInUse
from mlops.follow.health import Situation
from mlops.follow.probe import WrongAnswer
from mlops.follow.process import NotServing, ServingProcess, key_of
from mlops.follow.retired import Retired
from mlops.follow.starting import Surroundings
from mlops.follow.status import ServiceStatus, moment
from mlops.repository import folder_of
from mlops.serving.predictions.asked import Asked
from mlops.specs.release import Release

STEADY = 60.0
"""Seconds of serving after which a process that ends by itself is restarted at once again."""
CONFIRM_LIMIT = 5.0
END_LIMIT = 2.0
PORT_TRIES = 5


@dataclass(frozen=True)
class Failure:
    """A release that could not be brought up, and when (monotonic) to try again."""

    key: object
    reason: str
    attempts: int
    retry_at: float


class ServiceReconciler:
    """Makes one service what is wanted; one step at a time, always towards the newest wish."""

    def __init__(self, around: Surroundings, service: str) -> None:
        self.service = service
        self._around = around
        self._goal: Wanted | None = None
        self._commit: str | None = None
        self._broken: Broken | None = None
        self._over = False
        self._door: Door | None = None
        self._port_problem = ""
        self._serving: ServingProcess | None = None
        self._served: Release | None = None
        self._served_at = 0.0
        self._starting: Release | None = None
        self._retired = Retired(self._news, around.limits.drain)
        self._failure: Failure | None = None
        self._restart_at = 0.0
        self._restarts = 0
        self._crashes = 0
        self._wake = asyncio.Event()
        self._shown: tuple[object, ...] = ()
        self._since = moment()
        self._confirming: asyncio.Task[None] | None = None

    # What is wanted

    def want(self, wanted: Wanted | Broken, commit: str) -> None:
        """Take in what Git says now. Broken files change nothing of what serves."""
        self._commit = commit
        self._broken = wanted if isinstance(wanted, Broken) else None
        if isinstance(wanted, Wanted) and wanted != self._goal:
            self._goal, self._failure = wanted, None
            self._retired.keep_at_most(wanted.settings.keep_warm_seconds)
        if self._broken:
            for problem in self._broken.problems:
                self._say("broken", str(problem))
        self._news()

    def finish(self) -> None:
        """Drain, stop and let `run` return: the service was removed, or the follower ends."""
        self._over = True
        self._news()

    def _news(self) -> None:
        self._wake.set()
        self._around.changed()

    # The loop

    async def run(self) -> None:
        """Reconcile until `finish`."""
        while not self._over:
            self._wake.clear()
            await self._step()
            self._around.changed()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
        await self._end_all()

    async def _step(self) -> None:
        self._reap()
        if self._goal is None:
            return
        if self._goal.release is None:
            await self._empty()
            return
        target = self._target()
        if target is None or self._waits_to_restart(target) or self._serves_as_wanted(target):
            return
        door = await self._door_for(self._goal.settings.local_port)
        if door is None or self._serves_at(target, door):
            return
        process = await self._take_warm(target, door) or await self._bring_up(target, door)
        if process is not None:
            await self._switch(process)

    def _pause(self) -> float | None:
        """Seconds until something is due; None: nothing before the next news."""
        due = [self._failure.retry_at] if self._failure else []
        due += [self._restart_at] if self._serving is None and self._restart_at else []
        due += [time.monotonic() + self._around.limits.port_retry] if self._port_problem else []
        return max(0.05, min(due) - time.monotonic()) if due else None

    # Deciding

    def _target(self) -> Release | None:
        """What to serve now: what Git says, or what served before while that fails."""
        wanted = self._goal.release if self._goal else None
        failure = self._failure
        if wanted is None or failure is None or failure.key != key_of(wanted):
            return wanted
        if time.monotonic() >= failure.retry_at:
            return wanted
        return None if self._has_served(wanted) else self._served

    def _has_served(self, release: Release) -> bool:
        return self._served is not None and key_of(self._served) == key_of(release)

    def _waits_to_restart(self, target: Release) -> bool:
        return time.monotonic() < self._restart_at and self._has_served(target)

    def _serves_as_wanted(self, release: Release) -> bool:
        if self._door is None or self._goal is None:
            return False
        if self._door.port != self._goal.settings.local_port:
            return False
        self._port_problem = ""
        return self._serves_at(release, self._door)

    def _serves_at(self, release: Release, door: Door) -> bool:
        serving = self._serving
        if serving is None or not serving.alive or serving.door is not door:
            return False
        same_log = serving.launch.predictions == self._predictions(release)
        return same_log and key_of(serving.release) == key_of(release)

    def _predictions(self, release: Release) -> Asked | None:
        """How its answers are to be logged."""
        if self._goal is None:
            return None
        around = self._around
        return of_follower(around.repo, around.environment, release, self._goal.settings)

    async def _door_for(self, port: int) -> Door | None:
        """The door to serve at; the one there is when the wanted one cannot be opened."""
        if self._door is not None and self._door.port == port:
            return self._door
        settings = f"{folder_of(self._around.environment, self.service)}/settings.yaml"
        try:
            door = await _bound(port, settings)
        except PortInUse as error:
            self._refuse_port(error)
            return self._door
        self._port_problem = ""
        if self._serving is None:
            self._close_door()
            self._door = door
        return door

    def _refuse_port(self, error: PortInUse) -> None:
        if str(error) != self._port_problem:
            self._port_problem = str(error)
            self._say("port-in-use", self._port_problem)

    # Bringing up

    async def _take_warm(self, release: Release, door: Door) -> ServingProcess | None:
        """The kept predecessor, when it is exactly this release and still answers right."""
        process = self._retired.take(release, door, self._predictions(release))
        if process is None:
            return None
        try:
            await starting.check(process)
        except (WrongAnswer, MlopsError):
            await process.kill()
            return None
        return process

    async def _bring_up(self, release: Release, door: Door) -> ServingProcess | None:
        """A new process, ready and checked; None when it failed or something else is wanted."""
        self._starting = release
        self._say("starting", f"release {release.release} starting", release=release.release)
        self._around.changed()
        predictions = self._predictions(release)
        task = asyncio.create_task(
            starting.bring_up(self._around, release, door, self._news, predictions)
        )
        try:
            await self._done_or_unwanted(task, release, door)
            return task.result() if task.done() else None
        except (NotServing, WrongAnswer, MlopsError, OSError) as error:
            self._fail(release, error)
            return None
        finally:
            self._starting = None
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            self._close_unused(door, kept=not task.cancelled() and task.exception() is None)
            # What happened meanwhile is looked at in the next step.
            self._wake.set()

    async def _done_or_unwanted(
        self, task: asyncio.Task[ServingProcess], release: Release, door: Door
    ) -> None:
        while not task.done() and self._is_wanted(release, door):
            self._wake.clear()
            waking = asyncio.create_task(self._wake.wait())
            await asyncio.wait({task, waking}, return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()

    def _is_wanted(self, release: Release, door: Door) -> bool:
        target = self._target()
        if self._over or target is None or self._goal is None:
            return False
        port_stays = door is self._door or door.port == self._goal.settings.local_port
        return port_stays and key_of(target) == key_of(release)

    def _fail(self, release: Release, error: Exception) -> None:
        before = self._failure
        again = before is not None and before.key == key_of(release)
        attempts = before.attempts + 1 if before is not None and again else 1
        # What has served before is tried sooner: most likely the machine is at fault.
        limit = self._around.limits.retry
        wait = min(limit, 2.0**attempts) if self._has_served(release) else limit
        how = "" if isinstance(error, WrongAnswer) else "did not become ready: "
        reason = f"release {release.release} {how}{error}"
        self._failure = Failure(key_of(release), reason, attempts, time.monotonic() + wait)
        serving = self._serving.release.release if self._serving else None
        rest = f"release {serving} goes on serving" if serving else "nothing serves"
        text = f"Degraded: {reason}; {rest}, next: {self._situation().next_step}"
        self._say("failed", text, release=release.release, reason=reason)

    def _close_unused(self, door: Door, *, kept: bool) -> None:
        """A door that nobody serves at is closed: clients are refused at once, not left waiting."""
        if kept or (self._serving is not None and self._serving.door is door):
            return
        door.close()
        if self._door is door:
            self._door = None

    def _close_door(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None

    # Switching

    async def _switch(self, process: ServingProcess) -> None:
        """New connections go to the process; the one before drains and is kept warm."""
        began = time.monotonic()
        try:
            process.door.listen()
            await process.accept()
        except (PortInUse, NotServing) as error:
            await self._not_switched(process, error)
            return
        before, self._serving = self._serving, process
        if before is not None:
            with suppress(NotServing):
                await before.drain()
        switched = time.monotonic() - began
        self._tell_serving(process, switched)
        self._settle(process, before)

    async def _not_switched(self, process: ServingProcess, error: Exception) -> None:
        await process.kill()
        self._close_unused(process.door, kept=False)
        if isinstance(error, PortInUse):
            self._refuse_port(error)
        elif process.start_seconds is not None:
            self._fail(process.release, error)
        self._wake.set()

    def _settle(self, process: ServingProcess, before: ServingProcess | None) -> None:
        if not self._has_served(process.release):
            self._crashes = 0
        self._served, self._served_at = process.release, time.monotonic()
        self._restart_at = 0.0
        if self._goal and self._goal.release and self._has_served(self._goal.release):
            self._failure = None
        if before is not None:
            self._retired.add(before, self._keep_warm_seconds(before, process))
        if self._door is not process.door:
            self._close_door()
        self._door = process.door
        process.start_seconds = None
        self._confirming = asyncio.create_task(self._confirm(process))
        self._news()

    def _keep_warm_seconds(self, before: ServingProcess, after: ServingProcess) -> float:
        same = key_of(before.release) == key_of(after.release)
        if same or before.door is not after.door or self._goal is None:
            return 0.0
        return float(self._goal.settings.keep_warm_seconds)

    def _tell_serving(self, process: ServingProcess, switched: float) -> None:
        started = process.start_seconds
        how = "was kept warm" if started is None else f"start {started:.1f} s"
        how += f", switch {1000 * switched:.1f} ms"
        release = process.release.release
        self._say(
            "serving",
            f"release {release} serving at {process.door.url} ({how})",
            release=release,
            url=process.door.url,
            start_seconds=started,
            switch_seconds=switched,
        )

    async def _confirm(self, process: ServingProcess) -> None:
        confirmed = await starting.confirm(process, within=CONFIRM_LIMIT)
        if confirmed and self._serving is process and self._commit is not None:
            self._around.confirmed(process.release, self._commit)

    # Ending

    def _reap(self) -> None:
        """Notice a serving process that ended by itself."""
        process = self._serving
        if process is None or process.alive:
            return
        self._serving = None
        self._restarts += 1
        steady = time.monotonic() - self._served_at > STEADY
        self._crashes = 1 if steady else self._crashes + 1
        wait = 0.0 if self._crashes == 1 else min(30.0, 2.0 ** (self._crashes - 2))
        self._restart_at = time.monotonic() + wait
        text = f"release {process.release.release} ended by itself: {process.how_it_ended()}"
        self._say("ended", f"{text}; started again in {wait:g} s", release=process.release.release)
        process.close()

    async def _empty(self) -> None:
        """Git states no release here."""
        if self._serving is not None:
            await self._end_all()
            self._say("stopped", "stopped, Git states no release here")
        self._around.stopped(self.service)

    async def _end_all(self) -> None:
        process, self._serving, self._served = self._serving, None, None
        if self._confirming is not None:
            self._confirming.cancel()
        self._close_door()
        endings = [self._retired.end_all()]
        if process is not None:
            endings.append(_drain_and_stop(process))
        await asyncio.gather(*endings)
        self._around.changed()

    async def kill(self) -> None:
        """End every process at once; the follower was told to end twice."""
        for process in (self._serving, *self._retired.processes()):
            if process is not None:
                await process.kill()

    # Telling

    def _situation(self) -> Situation:
        serving = self._serving if self._serving is not None and self._serving.alive else None
        return Situation(
            environment=self._around.environment,
            service=self.service,
            goal=self._goal,
            broken=self._broken,
            port_problem=self._port_problem,
            failure=self._failure.reason if self._failure else "",
            starting=self._starting,
            serving=serving.release if serving else None,
            port=serving.door.port if serving else None,
        )

    def status(self) -> ServiceStatus:
        """The service as it is now."""
        now = self._situation()
        serving = self._serving if now.serving else None
        shown = (now.health, serving.pid if serving else None)
        if shown != self._shown:
            self._shown, self._since = shown, moment()
        return ServiceStatus(
            service=self.service,
            health=now.health,
            sync="Synced" if now.in_sync else "OutOfSync",
            desired=now.wanted.release if now.wanted else None,
            serving=now.serving.release if now.serving else None,
            bento=now.serving.bento if now.serving else None,
            message=now.message,
            next=now.next_step,
            since=self._since,
            pid=serving.pid if serving else None,
            port=now.port,
            url=serving.door.url if serving else None,
            warm=self._retired.status(),
            restarts=self._restarts,
            commit=self._commit,
        )

    def _say(self, event: str, text: str, **facts: str | float | None) -> None:
        self._around.events.say(event, text, self.service, **facts)


async def _drain_and_stop(process: ServingProcess) -> None:
    """End a process; kept connections get a moment to learn that they are to close."""
    with suppress(NotServing):
        await process.drain()
        await process.until("drained", within=END_LIMIT)
    await process.stop()


async def _bound(port: int, settings: str) -> Door:
    """A door at the port; a process that is just ending may hold it a moment longer."""
    for _ in range(PORT_TRIES - 1):
        with suppress(PortInUse):
            return Door.bind(port, settings)
        await asyncio.sleep(0.1)
    return Door.bind(port, settings)
