"""A dataset's pinned version, its history and its quarantine, held to the contract's promises."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from mlops import digests
from mlops.data import quarantine
from mlops.data.contract import Contract, known_dataset, read_contract
from mlops.data.currency import outdated
from mlops.data.pin import Pin, fetch, pin_path, read_pin
from mlops.data.quarantine import Batch
from mlops.errors import MlopsError, Problem
from mlops.repository import Repository
from mlops.service_levels.contacts import contacts
from mlops.service_levels.promises import Promises, promises
from mlops.service_levels.retention import changed_at, lost, pinned_between
from mlops.service_levels.status import UNKNOWN, Aspect, Figures, Status, shown

if TYPE_CHECKING:
    import pandas as pd

Found = TypeVar("Found")
NO_VERSION = "no version is pinned"
NAMED = 3
"""Gaps and versions that are named; of more it is told how many."""


def assess(repo: Repository, dataset: str, *, now: datetime) -> Status:
    """What a dataset is at a moment.

    What cannot be looked at is told in `problems`; everything else is judged all the same.

    Args:
        repo: the clone; contract and pin are those of its work tree.
        dataset: its name.
        now: the moment, UTC.

    Raises:
        BadInput: when no such dataset is known.
    """
    known_dataset(repo, dataset)
    try:
        contract = read_contract(repo, dataset)
        promised = promises(contract)
    except MlopsError as error:
        return Status(dataset, problems=error.problems)
    return _Look(repo, contract, promised, now).status()


class _Look:
    """One look at one dataset: each thing is looked at once, and what cannot be is gathered."""

    def __init__(
        self, repo: Repository, contract: Contract, promised: Promises, now: datetime
    ) -> None:
        self.repo, self.contract, self.promised, self.now = repo, contract, promised, now
        self.phase = promised.phase(contract.status, now)
        self.problems: list[Problem] = []

    def status(self) -> Status:
        """All that was found."""
        asked = self.phase != "retired"
        retired = Aspect("not asked", self._why_not())
        return Status(
            dataset=self.contract.dataset,
            contract=self.contract.version,
            phase=self.phase,
            contacts=contacts(self.contract),
            version=self.pin.digest if self.pin else None,
            fresh=self._fresh(),
            complete=self._complete() if asked else retired,
            valid=self._valid() if asked else retired,
            figures=self._figures() if asked else Figures(rows=self.pin.rows if self.pin else None),
            not_measured=self.promised.not_measured,
            problems=tuple(dict.fromkeys(self.problems)),
        )

    def _figures(self) -> Figures:
        return Figures(
            rows=self.pin.rows if self.pin else None,
            pinned=self.pinned,
            newest=self.newest,
            due=self.due,
            gaps=None if self.gaps is None else len(self.gaps),
            lost=None if self.lost is None else len(self.lost),
            broken=None if self.broken is None else len(self.broken),
            waiting=None if self.waiting is None else len(self.waiting),
            waiting_since=self._waiting_since(),
        )

    # What there is

    @cached_property
    def is_pinned(self) -> bool:
        """Whether there is a pin, be it a broken one."""
        return self.repo.tree.read(pin_path(self.contract.dataset)) is not None

    def _try(self, look: Callable[[], Found]) -> Found | None:
        """What a look gives; None when it could not be done, which is told."""
        try:
            return look()
        except MlopsError as error:
            self.problems += error.problems
            return None

    @cached_property
    def pin(self) -> Pin | None:
        """The version that is pinned now."""
        if not self.is_pinned:
            return None
        return self._try(lambda: read_pin(self.repo, self.contract.dataset))

    @cached_property
    def pinned(self) -> datetime | None:
        """When the pinned version was committed."""
        return changed_at(self.repo, pin_path(self.contract.dataset)) if self.pin else None

    @cached_property
    def moments(self) -> "pd.Series | None":
        """The element's values in the pinned version."""
        element, pin = self.promised.element, self.pin
        if element is None or pin is None:
            return None
        return self._try(lambda: self._column(pin, element))

    def _column(self, pin: Pin, element: str) -> "pd.Series":
        import pandas as pd

        from mlops.data.table import load

        # A version pinned under an older contract may lack the column: nothing is known of it.
        rows = load(fetch(self.repo, pin)).reindex(columns=[element])
        return pd.to_datetime(rows[element])

    @cached_property
    def newest(self) -> datetime | None:
        """The newest moment of the element, or when the version was committed."""
        if self.promised.element is None:
            return self.pinned
        if self.moments is None or self.moments.dropna().empty:
            return None
        newest: datetime = self.moments.max().to_pydatetime()
        return newest.replace(tzinfo=UTC)

    @cached_property
    def due(self) -> datetime | None:
        """When newer rows have to be there; None when nothing new is promised."""
        if self.phase != "active":
            return None
        if not self.is_pinned:
            return self.promised.available
        return self.promised.due(self.newest) if self.newest else None

    @cached_property
    def gaps(self) -> list[tuple[datetime, datetime]] | None:
        """Spans without the rows of a period; None when that is not asked or not known."""
        if self.promised.frequency is None or self.moments is None:
            return None
        return self.promised.gaps(self.moments)

    @cached_property
    def lost(self) -> list[Pin] | None:
        """Versions that were to be kept and cannot be had; None when that is not asked."""
        retention = self.promised.retention
        if retention is None:
            return None
        start = retention.before(self.now)
        pins = pinned_between(self.repo, self.contract.dataset, start, self.now)
        return self._try(lambda: lost(self.repo, pins))

    @cached_property
    def waiting(self) -> list[Batch] | None:
        """Batches in quarantine that nothing was decided of by then."""
        found = self._try(lambda: quarantine.batches(self.repo, self.contract.dataset))
        return None if found is None else quarantine.waiting(found, self.now)

    def _waiting_since(self) -> datetime | None:
        return self.waiting[0].kept if self.waiting else None

    @cached_property
    def broken(self) -> tuple[Problem, ...] | None:
        """The rules that the pinned version breaks."""
        from mlops.data.validated import validated

        pin = self.pin
        found = self._try(lambda: validated(self.repo, self.repo, pin)) if pin else None
        return found[1] if found else None

    # What it means

    def _fresh(self) -> Aspect:
        if self.phase != "active":
            return Aspect("not asked", self._why_not())
        if not self.is_pinned:
            return self._unpinned()
        if not self.promised.ask_for_new_rows:
            return Aspect("not asked", "the contract does not say how often rows come")
        if self.due is None or self.newest is None:
            return Aspect("unknown", "the moment of the newest row is not known")
        said = f"the newest row is of {shown(self.newest)}, newer ones"
        if self.now <= self.due:
            return Aspect("good", f"{said} are due by {shown(self.due)}")
        fix = f"`mlops data ingest {self.contract.dataset} FILE...` with what came since"
        return Aspect("bad", f"{said} were due by then", self.due, fix)

    def _unpinned(self) -> Aspect:
        if self.due is None:
            return Aspect("not asked", NO_VERSION)
        fix = f"`mlops data ingest {self.contract.dataset} FILE...`, then commit the pin"
        return Aspect("bad", NO_VERSION, self.due, fix)

    def _complete(self) -> Aspect:
        found = [
            *self._batches_wait(),
            *self._rows_lack(),
            *self._versions_lack(),
            *self._sources_moved(),
        ]
        if found:
            since = [each.since for each in found if each.since]
            return Aspect(
                "bad",
                "; ".join(each.detail for each in found),
                min(since) if since else None,
                ", ".join(dict.fromkeys(each.fix for each in found)),
            )
        if self.waiting is None or (self.is_pinned and self._is_blind()):
            return Aspect("unknown", UNKNOWN)
        return Aspect("good", "no batch waits" if self.gaps is None else "no gaps, no batch waits")

    def _is_blind(self) -> bool:
        """Whether something that is asked could not be counted."""
        asked = (
            (self.promised.frequency and self.promised.element, self.gaps),
            (self.promised.retention, self.lost),
        )
        return any(promise and found is None for promise, found in asked)

    def _batches_wait(self) -> Iterator[Aspect]:
        if self.waiting:
            names = _some([batch.name for batch in self.waiting])
            fix = f"`mlops data quarantine list {self.contract.dataset}`"
            yield Aspect("bad", f"in quarantine {names}", self._waiting_since(), fix)

    def _sources_moved(self) -> Iterator[Aspect]:
        pin = self.pin
        moved = self._try(lambda: outdated(self.repo, pin)) if pin else None
        if moved:
            fix = f"`mlops data derive {self.contract.dataset}`"
            yield Aspect("bad", "; ".join(problem.what for problem in moved), None, fix)

    def _rows_lack(self) -> Iterator[Aspect]:
        if self.gaps:
            detail = f"no rows of the time from {_some([shown(end) for end, _ in self.gaps])}"
            yield Aspect("bad", detail, self.gaps[0][1], "ingest the files that are missing")

    def _versions_lack(self) -> Iterator[Aspect]:
        if self.lost:
            names = _some([digests.short(pin.digest) for pin in self.lost])
            detail = f"lost {names}, to be kept for {self.promised.retention}"
            yield Aspect("bad", detail, fix="restore the DVC remote")

    def _valid(self) -> Aspect:
        pin = self.pin
        if not self.is_pinned:
            return Aspect("not asked", NO_VERSION)
        if pin is None or self.broken is None:
            return Aspect("unknown", UNKNOWN)
        if not self.broken:
            return Aspect("good", f"{pin.rows} rows hold to contract {self.contract.version}")
        path = self.contract.path
        said = "; ".join(problem.what for problem in self.broken)
        since = changed_at(self.repo, path, pin_path(pin.dataset))
        return Aspect("bad", said, since, f"correct the data, or {path} if the data is right")

    def _why_not(self) -> str:
        promised, phase = self.promised, self.phase
        moment, words = {
            "planned": (promised.available, "nothing is promised before"),
            "ended": (promised.support_ends, "support has ended, nothing new is promised since"),
            "retired": (promised.life_ends, "nothing is promised any more since"),
            "active": (None, ""),
        }[phase]
        if moment and (self.now < moment) == (phase == "planned"):
            return f"{words} {shown(moment)}"
        return f"the contract's status is {self.contract.status}"


def _some(names: Sequence[str]) -> str:
    """`a, b`; of many the first and how many more."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
