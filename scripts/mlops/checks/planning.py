"""The plan of a change: where it starts, what it reaches, and the shares of its checks."""

import re
from dataclasses import dataclass

from mlops.checks.context import Share
from mlops.checks.shares import shares
from mlops.errors import BadInput, bad_input
from mlops.git import MISSING, NOTHING
from mlops.graph import Affected, affected
from mlops.repository import Repository

PARENT = re.compile(r"(HEAD|@)(\^1?|~1?)")


@dataclass(frozen=True)
class Planned:
    """A change from `base` (a commit, or `git.NOTHING`) to the commit `head`.

    Attributes:
        changed: paths that differ, sorted; names that are not UTF-8 hold surrogates.
        uncommitted: paths that differ from `head` in the work tree; none when left out.
    """

    base: str
    head: str
    changed: tuple[str, ...]
    affected: Affected
    shares: tuple[Share, ...]
    uncommitted: tuple[str, ...] = ()


def planned(repo: Repository, base: str | None = None, *, uncommitted: bool = True) -> Planned:
    """The plan of what changed since `base` (default: the remote's main branch).

    Args:
        uncommitted: count files of the work tree that are not committed. Jobs of one plan
            leave them out: each has to come to the same plan.

    Raises:
        BadInput: when there is no such base here, or mlops.toml is wrong.
    """
    head = repo.git.head()
    start = start_of(repo, base or default_base(repo))
    pending = repo.git.uncommitted() if uncommitted else []
    changed = repo.git.differing(start, pending) if uncommitted else repo.git.changed(start, head)
    reached = affected(repo, changed, repo.commit(start))
    parts = shares(repo, reached, changed)
    return Planned(start, head, tuple(changed), reached, parts, tuple(pending))


def default_base(repo: Repository) -> str:
    """The remote's main branch; in a clone without one, the commit checked out."""
    forge = repo.project.forge
    name = f"{forge.remote}/{forge.main}"
    return name if repo.git.commit_of(name) else "HEAD"


def start_of(repo: Repository, base: str) -> str:
    """The commit a change that goes into `base` started from.

    It is the newest commit both have in their history. A first commit starts from
    `git.NOTHING`, and so does what a forge says is new by a base of zeros.

    Raises:
        BadInput: when the base is not known here, or a shallow clone lacks it.
    """
    git = repo.git
    if base == MISSING:
        return NOTHING
    commit = None if base.startswith("-") else git.commit_of(base)
    if commit is None:
        return _without(repo, base)
    start = git.merge_base(commit, "HEAD")
    if start is None and git.is_shallow():
        raise _shallow(base)
    return start or commit


def _without(repo: Repository, base: str) -> str:
    if repo.git.is_shallow():
        raise _shallow(base)
    if PARENT.fullmatch(base):
        return NOTHING
    raise bad_input(base, "is not a commit of this repository", "git fetch, or correct the name")


def _shallow(base: str) -> BadInput:
    return bad_input(
        base,
        "is not in the history of this shallow clone",
        "git fetch --unshallow, or check out with fetch-depth: 0",
    )
