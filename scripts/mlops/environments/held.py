"""What each environment held, when and why, and since when that was confirmed serving."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlops.digests import short
from mlops.environments.timeline import Entry, kind_of, timeline, withdrawn
from mlops.errors import MlopsError
from mlops.git import Git
from mlops.records import Record
from mlops.repository import folder_of
from mlops.specs.base import parse
from mlops.specs.decision import Decision


@dataclass(frozen=True)
class Held:
    """One change of what an environment holds, as a person asks for it.

    Attributes:
        kind: release, promotion, rollback (by the tool), revert, removed or unreadable.
        release: the number; None when nothing is held or it cannot be read.
        at: when it was merged, ISO 8601.
        author: who.
        why: the reason in the decision, else the commit's subject.
        commit: the merged commit.
        data: dataset versions, short.
        confirmed: since when it was confirmed serving; None: intended, not confirmed.
        withdrawn: why this release may not come back just so; empty when it may.
    """

    kind: str
    release: int | None
    at: str
    author: str
    why: str
    commit: str
    data: tuple[str, ...]
    confirmed: str | None
    withdrawn: str


def held(
    git: Git, ref: str, environment: str, service: str, confirmed: Sequence[Record]
) -> list[Held]:
    """What an environment held of a service, newest first.

    Args:
        confirmed: records of releases confirmed serving, oldest first; those of other services
            and environments are passed over.
    """
    entries = timeline(git, ref, environment, service)
    decisions = _decisions(git, environment, service, entries)
    since = _since(
        git, ref, entries, [one for one in confirmed if _is_of(one, environment, service)]
    )
    taken_back = withdrawn(entries)
    told = [
        _held(entries, decisions, place, since.get(entry.commit), taken_back)
        for place, entry in enumerate(entries)
    ]
    return told[::-1]


def _held(
    entries: Sequence[Entry],
    decisions: Sequence[bytes | None],
    place: int,
    confirmed: str | None,
    taken_back: dict[int, str],
) -> Held:
    entry = entries[place]
    release = entry.release
    kind, reason = _kind(entries, decisions, place)
    return Held(
        kind=kind,
        release=release.release if release else None,
        at=entry.at,
        author=entry.author,
        why=reason or entry.note or entry.subject,
        commit=entry.commit,
        data=tuple(f"{pin.name} {short(pin.digest)}" for pin in release.datasets)
        if release
        else (),
        confirmed=confirmed,
        withdrawn=taken_back.get(release.release, "") if release else "",
    )


def _kind(
    entries: Sequence[Entry], decisions: Sequence[bytes | None], place: int
) -> tuple[str, str | None]:
    """What the change was, and the reason its decision gives.

    A plain revert brings back the release and its decision as they were; the tool writes a
    decision of its own.
    """
    told = kind_of(entries, place)
    if told in ("removed", "unreadable"):
        return told, None
    if told == "back" and decisions[place] in decisions[:place]:
        return "revert", None
    decision = _decision(decisions[place])
    return (decision.kind, decision.reason) if decision else ("change", None)


def _decision(content: bytes | None) -> Decision | None:
    try:
        return parse(content, "decision.yaml", Decision) if content else None
    except (MlopsError, ValueError):
        return None


def _decisions(
    git: Git, environment: str, service: str, entries: Sequence[Entry]
) -> list[bytes | None]:
    path = f"{folder_of(environment, service)}/decision.yaml"
    return git.contents([f"{entry.commit}:{path}" for entry in entries])


def _is_of(record: Record, environment: str, service: str) -> bool:
    wanted = ("serving", environment, service)
    return (record.kind, record.environment, record.service) == wanted


def _since(
    git: Git, ref: str, entries: Sequence[Entry], confirmed: Sequence[Record]
) -> dict[str, str]:
    """The first word of each entry's release serving while it was held, by the entry's commit."""
    order = git.text("rev-list", "--first-parent", "--reverse", ref).split()
    place = {commit: number for number, commit in enumerate(order)}
    found: dict[str, str] = {}
    for one in confirmed:
        before = [e for e in entries if place[e.commit] <= place.get(one.commit, -1)]
        if before and before[-1].release and before[-1].release.release == one.release:
            found.setdefault(before[-1].commit, one.at)
    return found
