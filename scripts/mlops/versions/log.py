"""The log of a dataset: each change of its pin, what was ingested, and what learned from it."""

from dataclasses import dataclass

from mlops.checks.planning import default_base
from mlops.data.pin import Pin
from mlops.git import Change
from mlops.repository import Repository
from mlops.versions.consumers import Consumer, consumers
from mlops.versions.history import Pinned, Unreadable, Version, pinned


@dataclass(frozen=True)
class Entry:
    """One change of the pin.

    Attributes:
        pin: what it pinned; None when that cannot be read.
        note: why there is no pin; empty otherwise.
        added: rows more than the version before had; None without one.
        files: raw files that the version before was not made of.
        late, duplicates: rows dropped of what the version before was not made of.
        back: whether this version was pinned before.
        consumers: releases that hold the version.
    """

    change: Change
    pin: Pin | None
    note: str
    added: int | None
    files: tuple[str, ...]
    back: bool
    consumers: tuple[Consumer, ...]
    late: int = 0
    duplicates: int = 0


@dataclass(frozen=True)
class Log:
    """What a dataset was.

    Attributes:
        now: what pins it now.
        entries: newest first.
        ref: whose environments were looked at.
    """

    now: Pinned
    entries: tuple[Entry, ...]
    ref: str


def log(repo: Repository, dataset: str) -> Log:
    """The changes of a dataset's pin in the history of HEAD; raises `BadInput` when unknown."""
    now, ref = pinned(repo, dataset), default_base(repo)
    holding = consumers(repo, ref, dataset)
    entries: list[Entry] = []
    before: list[Pin] = []
    for one in now.changes:
        if isinstance(one, Unreadable):
            entries.append(Entry(one.change, None, one.note, None, (), back=False, consumers=()))
            continue
        entries.append(_entry(one, before, tuple(holding.get(one.pin.digest, ()))))
        before.append(one.pin)
    return Log(now, tuple(reversed(entries)), ref)


def _entry(version: Version, before: list[Pin], held: tuple[Consumer, ...]) -> Entry:
    pin, last = version.pin, before[-1] if before else None
    known = set(last.raw) if last else set()
    before_it = set(last.deliveries.taken) if last else set()
    new = [each for each in pin.deliveries.taken if each not in before_it]
    return Entry(
        change=version.change,
        pin=pin,
        note="",
        added=pin.rows - last.rows if last else None,
        files=tuple(file.path for file in pin.raw if file not in known),
        back=any(other.digest == pin.digest for other in before[:-1]),
        consumers=held,
        late=sum(each.late for each in new),
        duplicates=sum(each.duplicates for each in new),
    )
