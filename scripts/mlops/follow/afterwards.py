"""What follows a confirmation, off the path of a switch: a record, and the registry's aliases."""

import asyncio
from collections.abc import Awaitable, Callable

from mlops.follow import confirmed
from mlops.follow.events import Events
from mlops.follow.lifeline import HelperFailed, call
from mlops.follow.places import Places
from mlops.records import Record
from mlops.repository import Repository
from mlops.specs.release import Release

FIRST_RETRY, LAST_RETRY = 2.0, 60.0
WAITING = "waiting"


class Job:
    """Something that is done again whenever it is asked for, and retried until it works."""

    def __init__(self, name: str, events: Events, changed: Callable[[], None]) -> None:
        self.problem = ""
        self._name = name
        self._events = events
        self._changed = changed
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Do it (again) soon."""
        self._asked.set()
        self._set(self.problem or WAITING)

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work at each asking; never ends."""
        retry = FIRST_RETRY
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await work()
            except HelperFailed as error:
                self._fail(str(error))
                await asyncio.sleep(retry)
                retry = min(LAST_RETRY, 2 * retry)
                self._asked.set()
            else:
                retry = FIRST_RETRY
                self._set(WAITING if self._asked.is_set() else "")

    def _fail(self, reason: str) -> None:
        if reason != self.problem:
            self._events.say(f"{self._name}-failed", f"{self._name}: {reason} (tried again)")
        self._set(reason)

    def _set(self, problem: str) -> None:
        self.problem = problem
        self._changed()


class Afterwards:
    """Keeps confirmed.json, and has its records appended and its aliases set."""

    def __init__(
        self,
        repo: Repository,
        url: str,
        events: Events,
        changed: Callable[[], None],
    ) -> None:
        self._root = repo.root
        self._environment = events.environment
        self._places = places = Places.of(repo.stores, events.environment)
        self._url = url
        self._events = events
        self._confirmed = confirmed.read(places.confirmed)
        self.records = Job("records", events, changed)
        self.aliases = Job("aliases", events, changed)

    def confirm(self, release: Release, record: Record) -> None:
        """A release serves for certain."""
        self._keep(self._confirmed.with_release(release, record))

    def forget(self, service: str) -> None:
        """A service is not in the environment any more."""
        self._keep(self._confirmed.without_service(service))

    def forget_others(self, services: set[str]) -> None:
        """Only these are in the environment: others left while no follower ran."""
        for service in set(self._confirmed.services) - services:
            self.forget(service)

    def _keep(self, now: confirmed.Confirmed) -> None:
        before, self._confirmed = self._confirmed, now
        if now == before:
            return
        confirmed.write(self._places.confirmed, now)
        self.aliases.ask()
        if now.pending:
            self.records.ask()

    async def run(self) -> None:
        """Do what is asked for; never ends. What a killed follower left undone comes first."""
        if self._confirmed.pending:
            self.records.ask()
        if self._places.confirmed.is_file():
            self.aliases.ask()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.records.run(self._append))
            group.create_task(self.aliases.run(self._reconcile))

    async def _append(self) -> None:
        count = await call(self._root, "mlops.follow.appending", self._environment, self._url)
        done = self._confirmed.pending[: int(count)]
        self._confirmed = self._confirmed.without_records(done)
        confirmed.write(self._places.confirmed, self._confirmed)
        for record in done:
            text = f"release {record.release} recorded as serving"
            self._events.say("recorded", text, record.service, release=record.release)

    async def _reconcile(self) -> None:
        await call(self._root, "mlops.follow.aliases")
        self._events.say("aliases", "the registry's aliases are what serves")
