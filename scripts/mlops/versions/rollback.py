"""Rollback of a dataset: the pin of an earlier version, and who learned from what came after it."""

from collections.abc import Callable
from dataclasses import dataclass

from mlops.checks.planning import default_base
from mlops.data.pin import Pin, fetch, pin_path
from mlops.errors import not_good
from mlops.files import write_whole
from mlops.lineage.step import recorded
from mlops.repository import Repository
from mlops.versions.consumers import Consumer, WayBack, consumers, ways_back
from mlops.versions.history import Pinned, Version, named, nothing_before, pinned, taken_back


@dataclass(frozen=True)
class RolledBack:
    """A pin that went back in the work tree.

    Attributes:
        target: the version pinned now.
        taken_back: the versions pinned since, oldest first; the last one was pinned by HEAD.
        consumers: the releases that hold one of them.
        ways_back: the places where one of these serves.
        ref: whose environments were looked at.
    """

    target: Version
    taken_back: tuple[Pin, ...]
    consumers: tuple[Consumer, ...]
    ways_back: tuple[WayBack, ...]
    ref: str

    @property
    def models(self) -> list[str]:
        """Names of the models that learned from what was taken back and serve somewhere."""
        return sorted({pin.name for one in self.consumers if one.serves for pin in one.models})

    @property
    def other_contract(self) -> str | None:
        """The contract's version that the newest was held to, when that is not the target's."""
        newest = self.taken_back[-1].contract if self.taken_back else self.target.pin.contract
        return newest if newest != self.target.pin.contract else None


@recorded("data.rollback")
def roll_back(
    repo: Repository,
    dataset: str,
    to: str | None = None,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> RolledBack:
    """Pin an earlier version again, with the bytes that its DVC file had.

    The version's content is here and verified before the pin is touched. Run again it says the
    same.

    Args:
        repo: the clone, held by the caller (`repo.exclusive`).
        dataset: its name.
        to: which version; None takes the one that HEAD's took the place of.
        progress: told what is being done.

    Raises:
        NotGood: when there is nothing to go back to, or the pin differs from HEAD's.
        BadInput: when the call or files are wrong, or nobody has the version's content.
    """
    now = pinned(repo, dataset)
    target = _target(repo, now, to)
    progress(f"looking for {target.text}")
    fetch(repo, target.pin)
    if now.content != target.content:
        write_whole(repo.root / pin_path(dataset), target.content)
    progress("looking for what learned from the versions taken back")
    gone = taken_back(now.versions, target)
    ref = default_base(repo)
    holding = consumers(repo, ref, dataset)
    found = tuple(one for pin in gone for one in holding.get(pin.digest, ()))
    return RolledBack(target, gone, found, tuple(ways_back(repo, ref, found)), ref)


def _target(repo: Repository, now: Pinned, to: str | None) -> Version:
    target = named(repo, now.dataset, to) if to else now.before
    if target is None:
        raise nothing_before(repo, now.dataset)
    path = pin_path(now.dataset)
    if not now.is_committed and now.content != target.content:
        raise not_good(
            path,
            "is not the one of HEAD",
            f"commit it, or take it back: git restore --source=HEAD --staged --worktree {path}",
        )
    last = now.committed
    if isinstance(last, Version) and last.pin.digest == target.pin.digest:
        raise not_good(
            path, f"pins {target.text} already", f"name another: mlops data log {now.dataset}"
        )
    return target
