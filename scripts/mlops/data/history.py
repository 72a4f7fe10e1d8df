"""The versions of a dataset that Git has pinned."""

from dataclasses import dataclass
from datetime import datetime

from mlops.data.pin import Pin, Remote, parsed_pin, pin_path, stored
from mlops.errors import MlopsError
from mlops.git import GitFailed
from mlops.repository import Repository


@dataclass(frozen=True)
class Pinned:
    """A version, and the commit that pinned it.

    Attributes:
        at: when that was committed, with the committer's zone.
    """

    commit: str
    at: datetime
    pin: Pin


def pinned_versions(repo: Repository, dataset: str) -> list[Pinned]:
    """What the first-parent history of HEAD has pinned, the newest first.

    Pins that cannot be read are left out: history is not refused because of them.
    """
    path = pin_path(dataset)
    try:
        told = repo.git.names(
            "log", "--first-parent", "-z", "--format=%H %cI", "HEAD", "--", path
        )  # fmt: skip
    except GitFailed:
        return []  # no commit yet
    commits = [line.split(" ", 1) for line in told]
    contents = repo.git.contents([f"{commit}:{path}" for commit, _ in commits])
    return [
        Pinned(commit, datetime.fromisoformat(at), pin)
        for (commit, at), content in zip(commits, contents, strict=True)
        if content is not None and (pin := _pin(content, dataset))
    ]


def _pin(content: bytes, dataset: str) -> Pin | None:
    try:
        return parsed_pin(content, dataset)
    except MlopsError:
        return None


def changed_at(repo: Repository, *paths: str) -> datetime | None:
    """When one of the files was last changed by a commit; None when they differ from HEAD."""
    try:
        if repo.git.uncommitted(*paths):
            return None
        told = repo.git.text("log", "-1", "--format=%cI", "HEAD", "--", *paths)
    except GitFailed:
        return None
    return datetime.fromisoformat(told) if told else None


def lost(repo: Repository, versions: list[Pin]) -> list[Pin]:
    """Those that cannot be had any more: not here, not in the DVC remote, no raw files in Git.

    Raises:
        NotHere: when the remote cannot be read.
    """
    elsewhere = [pin for pin in versions if not stored(repo, pin).is_file() and not pin.raw]
    if not elsewhere or Remote(repo).is_missing:
        return elsewhere
    with Remote(repo) as remote:
        return [pin for pin in elsewhere if not remote.holds(pin.md5)]
