"""The versions of a dataset: Git's history of its pin, and the names a version goes by."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from mlops import digests
from mlops.checks.planning import default_base
from mlops.data.contract import known_dataset
from mlops.data.pin import Pin, not_pinned, parsed_pin, pin_path
from mlops.environments.timeline import before_last
from mlops.errors import MlopsError, NotGood, bad_input, not_good
from mlops.git import Change, Git
from mlops.repository import Layout, Repository

BEGINNING = re.compile(r"(sha256:)?[0-9a-f]{4,64}")
"""How a version is named by its digest; fewer digits are taken for a revision, as in Git."""
REMOVED = "the pin was taken away"
SHOWN = 8
"""Versions that are named when one of them is meant."""
HERE = "in the work tree, in no commit"


@dataclass(frozen=True)
class Version:
    """A version, and the change of the DVC file that pinned it."""

    change: Change
    pin: Pin

    @property
    def content(self) -> bytes:
        """The bytes of the DVC file."""
        assert self.change.content is not None  # noqa: S101 - it has been parsed
        return self.change.content

    @property
    def text(self) -> str:
        """The short digest and where it is pinned, for people."""
        day, commit = self.change.at[:10], self.change.commit[:12]
        return f"{digests.short(self.pin.digest)} (pinned on {day} by {commit})"


@dataclass(frozen=True)
class Unreadable:
    """A change of the DVC file after which no version can be read from it, and why."""

    change: Change
    note: str


def changes(git: Git, ref: str, dataset: str) -> list[Version | Unreadable]:
    """Every change of a dataset's pin on the first-parent history, oldest first.

    Pins of old commits that cannot be read are told with a note: history is not refused because
    of them.
    """
    return [_read(dataset, change) for change in git.changes(ref, pin_path(dataset))]


def _read(dataset: str, change: Change) -> Version | Unreadable:
    if change.content is None:
        return Unreadable(change, REMOVED)
    try:
        return Version(change, parsed_pin(change.content, dataset))
    except (MlopsError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Unreadable(change, f"cannot be read: {first}")


def readable(found: Iterable[Version | Unreadable]) -> list[Version]:
    """Those that pin a version."""
    return [one for one in found if isinstance(one, Version)]


@dataclass(frozen=True)
class Pinned:
    """What pins a dataset's version now: the work tree, and the history it stands on.

    Attributes:
        layout: the work tree.
        content: the bytes of the work tree's DVC file; None when there is none.
        changes: of the history of HEAD, oldest first.
    """

    layout: Layout
    dataset: str
    content: bytes | None
    changes: tuple[Version | Unreadable, ...]

    @cached_property
    def versions(self) -> list[Version]:
        """Those of the changes that pin a version."""
        return readable(self.changes)

    @property
    def committed(self) -> Version | Unreadable | None:
        """The newest change; None when no commit has a pin."""
        return self.changes[-1] if self.changes else None

    @property
    def is_committed(self) -> bool:
        """Whether the work tree's file is the one of HEAD."""
        last = self.committed.change.content if self.committed else None
        return self.content == last

    @property
    def pin(self) -> Pin:
        """What the work tree pins; raises `BadInput` when it pins nothing, or is broken."""
        if self.content is None:
            raise not_pinned(self.layout, self.dataset)
        return parsed_pin(self.content, self.dataset)

    @property
    def before(self) -> Version | None:
        """The version that the one of HEAD took the place of; what was taken back is left out.

        When HEAD's pin cannot be read, the newest that can.
        """
        if isinstance(self.committed, Unreadable):
            return self.versions[-1] if self.versions else None
        place = before_last([one.pin.digest for one in self.versions])
        return None if place is None else self.versions[place]


def pinned(repo: Repository, dataset: str) -> Pinned:
    """The pins of a dataset; raises `BadInput` for one that is not known."""
    known_dataset(repo, dataset)
    head = repo.git.head()
    content = repo.tree.read(pin_path(dataset))
    return Pinned(repo, dataset, content, tuple(changes(repo.git, head, dataset)))


def nothing_before(repo: Repository, dataset: str) -> NotGood:
    """That there is no version before, ready to raise."""
    fix = "git fetch --unshallow" if repo.git.is_shallow() else f"mlops data log {dataset}"
    what = "no version was pinned before this one, or each of them was taken back"
    return not_good(pin_path(dataset), what, fix)


def named(repo: Repository, dataset: str, text: str) -> Version:
    """The version that the beginning of a digest, a commit or a revision names.

    Digests are looked for in the history of HEAD and of the forge's main branch as last fetched,
    and come first.

    Raises:
        BadInput: when it names none, or several.
    """
    known_dataset(repo, dataset)
    found = _beginning(repo, dataset, text) if BEGINNING.fullmatch(text) else {}
    if len(found) > 1:
        shown = ", ".join(digests.short(digest) for digest in sorted(found)[:SHOWN])
        raise bad_input(
            pin_path(dataset),
            f"{len(found)} versions begin with {text!r}",
            f"write more of one: {shown}",
        )
    if found:
        return next(iter(found.values()))
    commit = None if text.startswith("-") else repo.git.commit_of(text)
    if commit is None:
        more = ", or git fetch --unshallow for older ones" if repo.git.is_shallow() else ""
        raise bad_input(
            pin_path(dataset),
            f"{text!r} is neither the beginning of a version's digest nor a commit",
            f"name one that `mlops data log {dataset}` lists{more}",
        )
    return _at(repo, dataset, commit)


def _beginning(repo: Repository, dataset: str, text: str) -> dict[str, Version]:
    """Versions by digest, of each the newest pin, on the main branch where it is there."""
    wanted = digests.PREFIX + text.removeprefix(digests.PREFIX)
    refs = dict.fromkeys((repo.git.head(), repo.commit_id(default_base(repo))))
    found = (one for ref in refs for one in readable(changes(repo.git, ref, dataset)))
    return {one.pin.digest: one for one in found if one.pin.digest.startswith(wanted)}


def _at(repo: Repository, dataset: str, commit: str) -> Version:
    last = repo.git.changes(commit, pin_path(dataset))[-1:]
    if not last or last[0].content is None:
        raise bad_input(
            pin_path(dataset),
            f"commit {commit[:12]} pins no version",
            f"name one that `mlops data log {dataset}` lists",
        )
    return Version(last[0], parsed_pin(last[0].content, dataset))


@dataclass(frozen=True)
class Named:
    """A version to compare: what people call it, and its pin."""

    name: str
    pin: Pin


def pair(
    repo: Repository, dataset: str, old: str | None = None, new: str | None = None
) -> tuple[Named, Named]:
    """The two versions to compare, the older one first.

    Without names: HEAD's against the work tree's; when that is the same, the version before
    against it. With one name: it against the work tree's.

    Raises:
        BadInput: when there is no version, or a name fits none or several.
        NotGood: when there is nothing to compare with.
    """
    now = pinned(repo, dataset)
    after = _now(now) if new is None else _named(named(repo, dataset, new))
    if old is not None:
        return _named(named(repo, dataset, old)), after
    committed = now.versions[-1:]
    uncommitted = committed and committed[0].pin.digest != after.pin.digest
    before = committed[0] if uncommitted else now.before
    if before is None:
        raise nothing_before(repo, dataset)
    return _named(before), after


def _named(version: Version) -> Named:
    return Named(version.text, version.pin)


def _now(now: Pinned) -> Named:
    if now.is_committed and isinstance(now.committed, Version):
        return _named(now.committed)
    pin = now.pin
    return Named(f"{digests.short(pin.digest)} ({HERE})", pin)


def taken_back(versions: Sequence[Version], target: Version) -> tuple[Pin, ...]:
    """The versions pinned since a target was, each once, oldest first.

    The newest alone when the target is of another history.
    """
    places = [n for n, one in enumerate(versions) if one.change.commit == target.change.commit]
    since = versions[places[-1] + 1 :] if places else versions[-1:]
    found = {one.pin.digest: one.pin for one in since}
    return tuple(pin for digest, pin in found.items() if digest != target.pin.digest)
