"""`mlops follow`: one environment's folder, as the followed branch has it, made real."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from mlops.errors import Exit, MlopsError
from mlops.follow import leftovers, status
from mlops.follow.afterwards import Afterwards
from mlops.follow.desired import Seen, read_environment
from mlops.follow.events import Events
from mlops.follow.places import Places
from mlops.follow.service import ServiceReconciler
from mlops.follow.starting import Limits, Surroundings
from mlops.follow.status import FollowerStatus, moment
from mlops.follow.watch import Mirror, Source, Unreachable, heads
from mlops.git import GitFailed
from mlops.lock import only_one
from mlops.records import Record
from mlops.repository import Repository
from mlops.specs.release import Release

GENTLY = {signal.SIGTERM: Exit.DONE, signal.SIGHUP: Exit.DONE, signal.SIGINT: Exit.INTERRUPTED}


def run(
    repo: Repository,
    source: Source,
    events: Events,
    *,
    interval: float | None = None,
    limits: Limits | None = None,
) -> Exit:
    """Follow until a signal says to end; returns the exit code.

    Args:
        repo: the clone whose stores hold the bentos and the follower's own things.
        source: the branch.
        events: where what happens in the environment is told.
        interval: seconds between looks at the branch; None: by where it lies.
        limits: how long things may take.

    Raises:
        BadInput: when another follower of this environment runs in this clone.
    """
    places = Places.of(repo.stores, repo.known(events.environment))
    with only_one(places.folder, f"mlops follow {events.environment}"), _private(places):
        follower = Follower(repo, source, events, limits or Limits(), interval=interval)
        return asyncio.run(follower.run())


@contextmanager
def _private(places: Places) -> Iterator[None]:
    # A killed follower's last words are not ours.
    places.status.unlink(missing_ok=True)
    leftovers.make_private(places.private)
    try:
        yield
    finally:
        leftovers.clear_private(places.private)


class Follower:
    """The services of one environment and the tasks that keep them."""

    def __init__(
        self,
        repo: Repository,
        source: Source,
        events: Events,
        limits: Limits,
        *,
        interval: float | None,
    ) -> None:
        self._environment = environment = events.environment
        self._source = source
        self._events = events
        self._interval = interval
        self._places = Places.of(repo.stores, environment)
        self._mirror = Mirror(self._places.mirror, source)
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        self._code = Exit.DONE
        self._started = moment()
        self._commit: str | None = None
        self._problem = ""
        self._seen: dict[str, Seen] = {}
        self._services: dict[str, ServiceReconciler] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._afterwards = Afterwards(repo, source.url, events, self._changed.set)
        self._around = Surroundings(
            repo=repo,
            environment=environment,
            places=self._places,
            events=events,
            limits=limits,
            numbers=count(1),
            changed=self._changed.set,
            confirmed=self._confirm,
            stopped=self._afterwards.forget,
        )

    async def run(self) -> Exit:
        """Follow until told to end."""
        self._listen_to_signals()
        self._events.say("following", f"follows {self._source.ref} of {self._source.url}")
        tasks = [
            asyncio.create_task(work)
            for work in (self._watch(), self._write_status(), self._afterwards.run())
        ]
        over = asyncio.create_task(self._over.wait())
        try:
            # None of the tasks ends by itself: one that does has failed.
            await asyncio.wait([*tasks, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, over):
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await self._end_services()
            # A status that is being written would come back.
            await asyncio.get_running_loop().shutdown_default_executor()
            self._places.status.unlink(missing_ok=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        self._events.say("ended", "ended, everything is stopped")
        return self._code

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number, code in GENTLY.items():
            loop.add_signal_handler(number, self._end, code)

    def _end(self, code: Exit) -> None:
        if self._over.is_set():
            self._events.say("ending", "told to end again: kills what still runs")
            self._leave(asyncio.create_task(self._kill_services()))
            return
        self._code = code
        self._events.say("ending", "drains and ends")
        self._over.set()

    async def _end_services(self) -> None:
        for service in self._services.values():
            service.finish()
        await asyncio.gather(*self._running.values(), *self._leaving)

    async def _kill_services(self) -> None:
        for service in list(self._services.values()):
            await service.kill()

    # Git

    async def _watch(self) -> None:
        await self._mirror.prepare()
        async for head in heads(self._source, self._interval):
            if isinstance(head, Unreachable):
                self._set_problem(head.reason)
            elif head != self._commit or self._problem:
                await self._take_in()

    async def _take_in(self) -> None:
        try:
            commit = await self._mirror.fetch()
        except GitFailed as error:
            self._set_problem(error.text)
            return
        seen = await asyncio.to_thread(
            read_environment, self._mirror.git, commit, self._environment, self._seen
        )
        self._set_problem("")
        if not self._services and not seen:
            self._events.say("empty", f"no service at commit {commit[:12]}")
        self._commit = commit
        self._apply(seen, commit)

    def _set_problem(self, problem: str) -> None:
        if problem and problem != self._problem:
            text = f"{self._source.ref} of {self._source.url} cannot be read: {problem}"
            self._events.say("unreachable", f"{text}; what serves goes on, tried again")
        self._problem = problem
        self._changed.set()

    def _apply(self, seen: dict[str, Seen], commit: str) -> None:
        before, self._seen = self._seen, seen
        for service in set(self._services) - set(seen):
            self._remove(service)
        for service, now in seen.items():
            if service not in self._services:
                self._add(service)
            if before.get(service) != now:
                self._services[service].want(now.says, commit)
        self._afterwards.forget_others(set(seen))
        self._changed.set()

    def _add(self, service: str) -> None:
        reconciler = ServiceReconciler(self._around, service)
        self._services[service] = reconciler
        self._running[service] = asyncio.create_task(reconciler.run())
        self._running[service].add_done_callback(self._notice)

    def _remove(self, service: str) -> None:
        reconciler, task = self._services.pop(service), self._running.pop(service)
        reconciler.finish()
        self._leave(task)
        task.add_done_callback(
            lambda _: self._events.say("removed", "is not in Git any more: stopped", service)
        )

    def _leave(self, task: "asyncio.Task[None]") -> None:
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _notice(self, task: "asyncio.Task[None]") -> None:
        """A reconciler that fails is an error of the follower, which ends with it."""
        if not task.cancelled() and task.exception() is not None:
            self._over.set()

    # Telling

    def _confirm(self, release: Release, commit: str) -> None:
        record = Record(
            kind="serving",
            environment=self._environment,
            service=release.service,
            release=release.release,
            at=moment(),
            commit=commit,
        )
        self._afterwards.confirm(release, record)

    async def _write_status(self) -> None:
        while True:
            self._changed.clear()
            # A full disk must not end what serves; the heartbeat then shows that it is old.
            with suppress(MlopsError):
                await asyncio.to_thread(status.write, self._places.status, self._status())
            with suppress(TimeoutError):
                async with asyncio.timeout(status.HEARTBEAT):
                    await self._changed.wait()

    def _status(self) -> FollowerStatus:
        return FollowerStatus(
            environment=self._environment,
            pid=os.getpid(),
            started=self._started,
            heartbeat=moment(),
            source=f"{self._source.url} {self._source.ref}",
            commit=self._commit,
            problem=self._problem,
            records=self._afterwards.records.problem,
            aliases=self._afterwards.aliases.problem,
            services=tuple(service.status() for service in self._services.values()),
        )
