"""What the step under way reads and writes, told by the code that opens the files.

Where no step is under way nothing is kept, and nothing is hashed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlops import digests

if TYPE_CHECKING:
    from mlops.lineage.events import AssertionsFacet, SchemaFacet, StatisticsFacet

Kind = Literal[
    "raw", "batch", "dataset", "rows", "model", "predictions",
    "bento", "image", "evidence", "release", "file",
]  # fmt: skip
"""What a thing is; `file` is any that has no name of its own: code, settings, kept results."""


@dataclass(frozen=True)
class Thing:
    """A version of something that steps read and write.

    Attributes:
        name: unique among its kind; None: its path, as of raw files, rows and files.
        version: of a release its number, else its content's digest; None: that which was told.
        label: what people call the version (a number), no part of what it is.
    """

    kind: Kind
    name: str | None = None
    version: str | None = None
    label: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class About:
    """What is known of the content: columns, rules that were checked, rows and bytes."""

    schema: "SchemaFacet | None" = None
    quality: "AssertionsFacet | None" = None
    statistics: "StatisticsFacet | None" = None

    def with_(self, more: "About") -> "About":
        """This, and what another knows in its place."""
        return About(
            more.schema or self.schema,
            more.quality or self.quality,
            more.statistics or self.statistics,
        )


@dataclass(frozen=True)
class Entry:
    """What was told of one place.

    Attributes:
        digest: of its content.
        thing: what it is.
    """

    digest: str
    thing: Thing
    about: About = About()


@dataclass(frozen=True)
class Told:
    """What one step was told of, by place: a path, or see IN_COMMIT."""

    reads: dict[str, Entry] = field(default_factory=dict)
    writes: dict[str, Entry] = field(default_factory=dict)


IN_COMMIT = "@commit:"
"""What stands between the path and the digest of a file of a commit."""

FILE = Thing("file")

_now: ContextVar[Told | None] = ContextVar("mlops_lineage", default=None)


@contextmanager
def listening(told: Told | None) -> Iterator[None]:
    """Until it ends, what is told in this context is kept in `told` alone; None: nowhere."""
    token = _now.set(told)
    try:
        yield
    finally:
        _now.reset(token)


def read(place: Path | str, content: bytes | str, thing: Thing = FILE) -> None:
    """Tell that a place was read; what the step itself has written there is no input of it.

    Args:
        place: an absolute path; a folder stands for all below it.
        content: its bytes, or their digest.
        thing: what it is.
    """
    told = _now.get()
    if told is not None and str(place) not in told.writes:
        _keep(told.reads, str(place), content, thing)


def wrote(place: Path | str, content: bytes | str, thing: Thing = FILE) -> None:
    """Tell that a place was written; the arguments are those of `read`."""
    told = _now.get()
    if told is not None:
        _keep(told.writes, str(place), content, thing)


def read_in_commit(path: Path | str, content: bytes, thing: Thing = FILE) -> None:
    """Tell that a file of a commit was read: `path` is where a work tree would have it."""
    if _now.get() is not None:
        read(_in_commit(path, content), content, thing)


def wrote_in_commit(path: Path | str, content: bytes, thing: Thing = FILE) -> None:
    """Tell that a file was written into a commit, see `read_in_commit`."""
    if _now.get() is not None:
        wrote(_in_commit(path, content), content, thing)


def _in_commit(path: Path | str, content: bytes) -> str:
    return f"{path}{IN_COMMIT}{digests.of_bytes(content)}"


def read_file(place: Path, thing: Thing = FILE) -> None:
    """Tell that a file was read, by code that does not have its bytes at hand."""
    if _now.get() is not None:
        read(place, digests.of_file(place), thing)


def wrote_file(place: Path, file: Path) -> None:
    """Tell that a place is written with the content that a file has now."""
    if _now.get() is not None:
        wrote(place, digests.of_file(file))


def name(content: bytes, thing: Thing) -> None:
    """Say what files are that were read as such: those with this content."""
    told = _now.get()
    if told is None:
        return
    digest = digests.of_bytes(content)
    for place, entry in told.reads.items():
        if entry.digest == digest and entry.thing == FILE:
            told.reads[place] = replace(entry, thing=thing)


def describe(place: Path | str, about: About) -> None:
    """Add what is known of the content of what was read or written at a place."""
    told = _now.get()
    for entries in (told.reads, told.writes) if told else ():
        if found := entries.get(str(place)):
            entries[str(place)] = replace(found, about=found.about.with_(about))


def _keep(entries: dict[str, Entry], place: str, content: bytes | str, thing: Thing) -> None:
    known = entries.get(place)
    # What was named for what it is stays that when its place is told of again as a file.
    if known is not None and known.thing != FILE and thing == FILE:
        return
    digest = content if isinstance(content, str) else digests.of_bytes(content)
    entries[place] = Entry(digest, thing, known.about if known else About())
