"""A change under judgement: what the rules look at, and what they find."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mlops.environments.kinds import Change
from mlops.environments.timeline import Entry, timeline
from mlops.errors import Problem
from mlops.repository import Layout, Repository, folder_of, release_path
from mlops.specs.decision import Decision
from mlops.specs.environment import Environment
from mlops.specs.evidence import GateResult
from mlops.specs.release import Release


@dataclass(frozen=True)
class Finding:
    """What one rule found; it is met when there are no problems."""

    rule: str
    detail: str
    problems: tuple[Problem, ...] = ()

    @property
    def result(self) -> GateResult:
        """As it stands in a decision or a table."""
        return GateResult(gate=self.rule, passed=not self.problems, detail=self.detail)


def met(rule: str, detail: str) -> Finding:
    """A rule that is met."""
    return Finding(rule, detail)


def broken(rule: str, problems: Sequence[Problem]) -> Finding:
    """A rule that is not met."""
    return Finding(rule, "; ".join(problem.what for problem in problems), tuple(problems))


@dataclass(frozen=True)
class Case:
    """A change from the commit `base` to the commit `head`, judged at the moment `now` (UTC)."""

    repo: Repository
    base: str
    head: str
    change: Change
    now: datetime

    @cached_property
    def before(self) -> Layout:
        """The files at the base."""
        return self.repo.commit(self.base)

    @cached_property
    def after(self) -> Layout:
        """The files at the head."""
        return self.repo.commit(self.head)

    @property
    def environment(self) -> str:
        """The name of the environment that changes."""
        return self.change.environment

    @property
    def service(self) -> str:
        """The service that changes; empty for a whole environment."""
        return self.change.service or ""

    @cached_property
    def env(self) -> Environment:
        """The environment's rules as they are after the change; of one taken away as they were."""
        layout = self.before if self.is_gone else self.after
        return layout.environment(self.environment)

    @property
    def is_gone(self) -> bool:
        """Whether the change takes the whole environment away."""
        return self.environment not in self.after.order

    @property
    def folder(self) -> str:
        """Where the service's files of this environment lie."""
        return folder_of(self.environment, self.service)

    @property
    def path(self) -> str:
        """The release file."""
        return release_path(self.environment, self.service)

    @cached_property
    def release(self) -> Release:
        """What is to serve; only asked by rules of kinds that have one."""
        release = self.after.release(self.environment, self.service)
        assert release is not None  # noqa: S101 - the kind says so
        return release

    @cached_property
    def content(self) -> bytes:
        """The bytes of the release file after the change."""
        return self.after.tree.read(self.path) or b""

    @cached_property
    def replaced(self) -> Release | None:
        """What serves now: the champion. None when nothing does, or its file cannot be read."""
        return next((entry.release for entry in reversed(self.entries)), None)

    @cached_property
    def decision(self) -> Decision | None:
        """Why the release is there."""
        return self.after.decision(self.environment, self.service)

    @cached_property
    def entries(self) -> list[Entry]:
        """What this environment has held up to the base, oldest first."""
        return timeline(self.repo.git, self.base, self.environment, self.service)
