"""What Git and the stores say of a dataset's versions: when they were pinned, which are lost."""

from collections.abc import Sequence
from datetime import datetime

from mlops.data.pin import Pin, stored
from mlops.data.remote import Remote
from mlops.git import GitFailed
from mlops.repository import Repository
from mlops.versions.history import changes, readable


def pinned_between(repo: Repository, dataset: str, start: datetime, end: datetime) -> list[Pin]:
    """Versions that the first-parent history of HEAD pinned between two moments, each once.

    Pins that cannot be read are left out: history is not refused because of them.
    """
    if repo.git.commit_of("HEAD") is None:
        return []
    found = readable(changes(repo.git, "HEAD", dataset))
    inside = (one for one in found if start <= datetime.fromisoformat(one.change.at) <= end)
    return list({one.pin.digest: one.pin for one in inside}.values())


def changed_at(repo: Repository, *paths: str) -> datetime | None:
    """When one of the files was last changed by a commit; None when they differ from HEAD."""
    try:
        if repo.git.uncommitted(*paths):
            return None
        told = repo.git.text("log", "-1", "--format=%cI", "HEAD", "--", *paths)
    except GitFailed:
        return None
    return datetime.fromisoformat(told) if told else None


def lost(repo: Repository, versions: Sequence[Pin]) -> list[Pin]:
    """Those that cannot be had any more: not here, not in the DVC remote, no raw files in Git.

    Raises:
        NotHere: when the remote cannot be read.
    """
    elsewhere = [pin for pin in versions if not stored(repo, pin).is_file() and not pin.raw]
    if not elsewhere or Remote(repo).is_missing:
        return elsewhere
    with Remote(repo) as remote:
        return [pin for pin in elsewhere if not remote.holds(pin.md5)]
