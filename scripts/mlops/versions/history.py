"""The versions of a dataset: Git's history of its pin, and the names a version goes by."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops import digests
from mlops.checks.planning import default_base
from mlops.data.contract import known_dataset
from mlops.data.pin import Pin, not_pinned, parsed_pin, pin_path, read_pin
from mlops.environments.timeline import before_last
from mlops.errors import MlopsError, NotGood, bad_input, not_good
from mlops.git import Change, Git
from mlops.repository import Repository

BEGINNING = re.compile(r"(sha256:)?[0-9a-f]{4,64}")
"""How a version is named by its digest; fewer digits are taken for a revision, as in Git."""
REMOVED = "the pin was taken away"
SHOWN = 8
"""Versions that are named when one of them is meant."""


@dataclass(frozen=True)
class Version:
    """A pin of a dataset, and the change that put it there.

    Attributes:
        change: the commit, and the bytes of the DVC file.
        pin: what it pins; None when it was removed or cannot be read.
        note: why there is no pin; empty otherwise.
    """

    change: Change
    pin: Pin | None
    note: str = ""


@dataclass(frozen=True)
class Named:
    """A version that somebody asked for: its pin, and the change that made it.

    Attributes:
        change: None for what the work tree pins and no commit does.
    """

    pin: Pin
    change: Change | None

    @property
    def text(self) -> str:
        """The short digest and where it is pinned, for people."""
        where = f"pinned by {self.change.commit[:12]}" if self.change else "in the work tree"
        return f"{digests.short(self.pin.digest)} ({where})"


def history(git: Git, ref: str, dataset: str) -> list[Version]:
    """Every change of a dataset's pin on the first-parent history, oldest first.

    Pins of old commits that cannot be read are told with a note: history is not refused because
    of them.
    """
    return [_version(dataset, change) for change in git.changes(ref, pin_path(dataset))]


def _version(dataset: str, change: Change) -> Version:
    if change.content is None:
        return Version(change, None, REMOVED)
    try:
        return Version(change, parsed_pin(change.content, dataset))
    except (MlopsError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Version(change, None, f"cannot be read: {first}")


def readable(versions: Iterable[Version]) -> list[Named]:
    """Those that can be read, since the pin was last taken away."""
    found: list[Named] = []
    for one in versions:
        if one.change.content is None:
            found = []
        elif one.pin is not None:
            found.append(Named(one.pin, one.change))
    return found


def previous(versions: Sequence[Named]) -> Named | None:
    """What the newest version took the place of; what was taken back is left out."""
    place = before_last([one.pin.digest for one in versions])
    return None if place is None else versions[place]


def named(repo: Repository, dataset: str, text: str) -> Named:
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
    return at(repo, dataset, commit)


def _beginning(repo: Repository, dataset: str, text: str) -> dict[str, Named]:
    """Versions by digest, of each the newest pin, on the main branch where it is there."""
    wanted = digests.PREFIX + text.removeprefix(digests.PREFIX)
    refs = dict.fromkeys((repo.git.head(), repo.commit_id(default_base(repo))))
    pinned = (one for ref in refs for one in history(repo.git, ref, dataset))
    return {
        one.pin.digest: Named(one.pin, one.change)
        for one in pinned
        if one.pin and one.pin.digest.startswith(wanted)
    }


def at(repo: Repository, dataset: str, commit: str) -> Named:
    """The version that a commit pins.

    Raises:
        BadInput: when it pins none, or its pin is broken.
    """
    changes = repo.git.changes(commit, pin_path(dataset))
    content = changes[-1].content if changes else None
    if content is None:
        raise bad_input(
            pin_path(dataset),
            f"commit {commit[:12]} pins no version",
            f"name one that `mlops data log {dataset}` lists",
        )
    return Named(parsed_pin(content, dataset), changes[-1])


def in_work_tree(repo: Repository, dataset: str) -> Named:
    """The version that the work tree pins; raises like `read_pin`."""
    pin = read_pin(repo, dataset)
    content = repo.tree.read(pin_path(dataset))
    changes = repo.git.changes(repo.git.head(), pin_path(dataset))
    newest = changes[-1] if changes and changes[-1].content == content else None
    return Named(pin, newest)


def pair(
    repo: Repository, dataset: str, old: str | None = None, new: str | None = None
) -> tuple[Named, Named]:
    """The two versions to compare, the older one first.

    Without names: what the work tree pins, against the pin it started from (on the forge's main
    branch as last fetched); when that is the same, against the version before.

    Raises:
        BadInput: when there is no version, or a name fits none or several.
        NotGood: when there is nothing to compare with.
    """
    known_dataset(repo, dataset)
    if old is not None:
        after = in_work_tree(repo, dataset) if new is None else named(repo, dataset, new)
        return named(repo, dataset, old), after
    after = in_work_tree(repo, dataset)
    start = repo.git.merge_base(default_base(repo), "HEAD") or repo.git.head()
    for commit in (start, repo.git.head()):
        found = readable(history(repo.git, commit, dataset))
        if found and found[-1].pin.digest != after.pin.digest:
            return found[-1], after
    before = previous(readable(history(repo.git, repo.git.head(), dataset)))
    if before is None:
        raise only_version(dataset)
    return before, after


def only_version(dataset: str) -> NotGood:
    """That there is no version before, ready to raise."""
    return not_good(
        pin_path(dataset),
        "no version was pinned before the one that is pinned now",
        f"mlops data log {dataset}",
    )


def of_main(repo: Repository, main: str, dataset: str) -> list[Version]:
    """The history of the forge's main branch; raises `BadInput` when nothing was ever pinned."""
    known_dataset(repo, dataset)
    found = history(repo.git, main, dataset)
    if not found:
        raise not_pinned(dataset)
    return found
