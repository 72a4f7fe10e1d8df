"""What a dataset is today, held to its contract: fresh, complete and valid, or since when not."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from mlops.errors import Problem
from mlops.service_levels.contacts import Contacts
from mlops.service_levels.promises import Phase

Verdict = Literal["good", "bad", "not asked", "unknown"]
CALLED = {"fresh": "late", "complete": "incomplete", "valid": "invalid"}
"""What a dataset is called that is not."""
UNKNOWN = "could not be looked at"


@dataclass(frozen=True)
class Aspect:
    """One thing that is asked of a dataset.

    Attributes:
        since: from when on it is bad; None when it is not, or nobody can tell.
        detail: what was found, in a few words.
        fix: what to do about it, when it is bad.
    """

    verdict: Verdict
    detail: str
    since: datetime | None = None
    fix: str = ""

    def told(self, called: str) -> str:
        """What is bad, and since when."""
        return f"{called}{f' since {shown(self.since)}' if self.since else ''}: {self.detail}"

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "verdict": self.verdict,
            "since": self.since.isoformat() if self.since else None,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Figures:
    """What was counted; None where it could not be, or is not asked.

    Attributes:
        rows: of the pinned version.
        pinned: when it was committed.
        newest: the newest moment of the element column (UTC), or when the version was
            committed when the contract has no such column.
        due: when newer rows have to be there.
        gaps: spans without the rows of a period.
        lost: versions pinned within the retention that cannot be had any more.
        broken: rules that the version breaks.
        waiting: batches in quarantine that nothing was decided of.
        waiting_since: when the oldest of them was kept aside.
    """

    rows: int | None = None
    pinned: datetime | None = None
    newest: datetime | None = None
    due: datetime | None = None
    gaps: int | None = None
    lost: int | None = None
    broken: int | None = None
    waiting: int | None = None
    waiting_since: datetime | None = None


@dataclass(frozen=True)
class Status:
    """A dataset today.

    Attributes:
        phase: where in its life it is, by the contract.
        version: content digest of the pinned version; None without one.
        not_measured: service levels that are promised and not looked at here.
        problems: what could not be looked at, and why; that is not known then.
    """

    dataset: str
    contract: str = ""
    phase: Phase = "active"
    contacts: Contacts = field(default_factory=Contacts)
    version: str | None = None
    figures: Figures = field(default_factory=Figures)
    fresh: Aspect = Aspect("unknown", UNKNOWN)
    complete: Aspect = Aspect("unknown", UNKNOWN)
    valid: Aspect = Aspect("unknown", UNKNOWN)
    not_measured: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def aspects(self) -> dict[str, Aspect]:
        """The three by name, as they are told."""
        return {"fresh": self.fresh, "complete": self.complete, "valid": self.valid}

    @property
    def is_good(self) -> bool:
        """Whether nothing is known to be bad."""
        return all(aspect.verdict != "bad" for aspect in self.aspects.values())

    @property
    def breaches(self) -> tuple[Problem, ...]:
        """Each thing that is bad: what, since when, what to do and whom to tell."""
        return tuple(
            Problem(self.dataset, aspect.told(CALLED[name]), f"{aspect.fix} (tell {self.contacts})")
            for name, aspect in self.aspects.items()
            if aspect.verdict == "bad"
        )

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        figures = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in vars(self.figures).items()
        }
        return {
            "dataset": self.dataset,
            "contract": self.contract,
            "phase": self.phase,
            "version": self.version,
            **figures,
            **{name: aspect.as_json() for name, aspect in self.aspects.items()},
            "not_measured": list(self.not_measured),
            "contact": self.contacts.as_json(),
            "problems": [str(problem) for problem in self.problems],
        }


def shown(moment: datetime) -> str:
    """A moment for people: `2011-03-31 23:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
