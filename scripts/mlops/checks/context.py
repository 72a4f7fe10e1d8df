"""What a part of the checks is given: the change, and its share of it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlops.graph import Affected
from mlops.repository import Layout, Repository
from mlops.specs.result import Part


@dataclass(frozen=True)
class Share:
    """What one job does of one part: `names` of models, datasets, ...; `cost` in seconds."""

    part: Part
    names: tuple[str, ...] = ()
    shard: int = 1
    of: int = 1
    cost: float = 0.0


@dataclass(frozen=True)
class Context:
    """The change from `base` to `head` (full commit hashes), as the work tree holds it.

    Attributes:
        base: the commit the change started from (the merge base).
        head: the commit checked out; uncommitted files are read too.
        changed: paths that differ, sorted.
        affected: what the change reaches.
        share: what of it is to be done here.
        out: folder for pictures and other files beside the result; None: none are wanted.
        quick: whether this is a run of all parts on a laptop, which leaves out what takes long
            and is not installed by `scripts/setup` alone; CI runs it.
    """

    repo: Repository
    base: str
    head: str
    changed: tuple[str, ...]
    affected: Affected
    share: Share
    out: Path | None = None
    quick: bool = False

    @cached_property
    def before(self) -> Layout:
        """The files at the base."""
        return self.repo.commit(self.base)

    def before_below(self, folder: str) -> Layout:
        """The files at the base, to read only those below a folder from it.

        Those that the change leaves alone are on disk too, and are read from there sooner.
        """
        touched = any(path.startswith(f"{folder}/") for path in self.changed)
        return self.before if touched else self.repo
