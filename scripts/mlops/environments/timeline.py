"""What an environment has held: the first-parent history of a service's release file."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from mlops.errors import MlopsError
from mlops.git import Change, Git
from mlops.repository import Layout, release_path
from mlops.specs.base import parse
from mlops.specs.release import Release

REMOVED = "the release was taken away"


@dataclass(frozen=True)
class Entry(Change):
    """One change of a release file on the first-parent history.

    Attributes:
        release: what the environment held from then on; None when nothing or not readable.
        note: why there is no release; empty otherwise.
    """

    release: Release | None
    note: str = ""


def timeline(git: Git, ref: str, environment: str, service: str) -> list[Entry]:
    """Every change of a service's release file in an environment, oldest first.

    Files of old commits that cannot be read are told as entries with a note: history
    is not refused because of them.

    Args:
        git: a clone or a bare repository.
        ref: whose history; first parents only, so a merged branch is one change.
    """
    path = release_path(environment, service)
    return [Entry(**vars(one), **_read(path, one.content)) for one in git.changes(ref, path)]


class _Read(TypedDict):
    release: Release | None
    note: str


def _read(path: str, content: bytes | None) -> _Read:
    if content is None:
        return {"release": None, "note": REMOVED}
    try:
        return {"release": parse(content, path, Release), "note": ""}
    except (MlopsError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return {"release": None, "note": f"cannot be read: {first}"}


def held_before(entries: Iterable[Entry], content: bytes) -> bool:
    """Whether the environment has held exactly these bytes at any time."""
    return any(entry.content == content for entry in entries)


def predecessor(entries: Iterable[Entry]) -> Entry | None:
    """What a rollback goes back to: the release that the one held now took the place of.

    What was rolled back before is left out: after 1, 2, 3 and back to 2 it is 1.
    """
    held: list[Entry] = []
    for entry in entries:
        if entry.content is None:
            held = []
        elif entry.release is not None:
            held.append(entry)
    place = before_last([entry.content for entry in held])
    return None if place is None else held[place]


def before_last(held: Sequence[Hashable]) -> int | None:
    """The place of what the last one took the place of; what was taken back is left out."""
    below: list[int] = []
    for place, one in enumerate(held):
        kept = next((n for n, other in enumerate(below) if held[other] == one), len(below))
        below = [*below[:kept], place]
    return below[-2] if len(below) > 1 else None


def withdrawn(entries: Iterable[Entry]) -> dict[int, str]:
    """Releases that were taken back, by number, with the reason in words.

    A release is withdrawn when one that the environment held before it (or nothing)
    took its place, until it is put there again. Entries that cannot be read change nothing.
    """
    first_held: dict[int, int] = {}
    taken_back: dict[int, str] = {}
    now: int | None = None
    for place, entry in enumerate(entries):
        if entry.release is None and entry.content is not None:
            continue
        after = entry.release.release if entry.release else None
        if now is not None and after != now and _goes_back(first_held, now, after):
            taken_back[now] = _reason(entry, after)
        if after is not None:
            first_held.setdefault(after, place)
            taken_back.pop(after, None)
        now = after
    return taken_back


def _goes_back(first_held: dict[int, int], now: int, after: int | None) -> bool:
    return after is None or (after in first_held and first_held[after] < first_held[now])


def _reason(entry: Entry, after: int | None) -> str:
    what = "nothing" if after is None else f"release {after}"
    return f"{what} took its place on {entry.at[:10]} ({entry.commit[:12]} {entry.subject})"


def kind_of(entries: Sequence[Entry], place: int) -> str:
    """What the entry at a place did: `first`, `new`, `back`, `removed`, `unreadable`.

    `back` puts something there that the environment held before.
    """
    entry = entries[place]
    if entry.content is None:
        return "removed"
    if entry.release is None:
        return "unreadable"
    earlier = entries[:place]
    if held_before(earlier, entry.content):
        return "back"
    return "new" if any(other.release for other in earlier) else "first"


def known_releases(git: Git, layout: Layout, ref: str, service: str) -> dict[int, Entry]:
    """Every release of a service that any environment has held, by number."""
    return {
        entry.release.release: entry
        for environment in reversed(layout.order)
        for entry in timeline(git, ref, environment, service)
        if entry.release is not None
    }


def same_content(known: dict[int, Entry], release: Release) -> Entry | None:
    """The release whose content is that of another: all but number and source commit."""
    return next(
        (one for one in known.values() if one.release and is_same_content(one.release, release)),
        None,
    )


def is_same_content(one: Release, other: Release) -> bool:
    """Whether two releases differ in nothing but number and source commit."""
    return _content(one) == _content(other)


def _content(release: Release) -> dict[str, object]:
    value: dict[str, object] = release.model_dump(exclude={"release"})
    value["source"] = release.source.tree
    return value


def next_number(known: dict[int, Entry]) -> int:
    """One above the highest number that any environment has ever held."""
    return max(known, default=0) + 1
