"""How a service is, in Argo CD's words, from what is wanted and what serves."""

from dataclasses import dataclass

from mlops.follow.desired import Broken, Wanted
from mlops.follow.process import key_of
from mlops.follow.status import Health
from mlops.specs.release import Release


@dataclass(frozen=True)
class Situation:
    """All that decides a service's health."""

    environment: str
    service: str
    goal: Wanted | None
    broken: Broken | None
    port_problem: str
    failure: str
    starting: Release | None
    serving: Release | None
    port: int | None

    @property
    def wanted(self) -> Release | None:
        """The release that Git states."""
        return self.goal.release if self.goal else None

    @property
    def in_sync(self) -> bool:
        """Whether exactly what Git states serves, where Git states it."""
        if self.broken or self.goal is None:
            return False
        if self.wanted is None or self.serving is None:
            return self.wanted is None and self.serving is None
        same_port = self.port == self.goal.settings.local_port
        return same_port and key_of(self.serving) == key_of(self.wanted)

    @property
    def health(self) -> Health:
        """Healthy, Progressing, Degraded or Missing."""
        if self.broken or self.port_problem or self.failure:
            return "Degraded"
        if self.goal is not None and self.wanted is None:
            return "Missing"
        return "Healthy" if self.in_sync else "Progressing"

    @property
    def message(self) -> str:
        """Why it is so."""
        if self.broken:
            return "\n".join(str(problem) for problem in self.broken.problems)
        if self.port_problem or self.failure:
            return self.port_problem or self.failure
        if self.starting:
            return f"release {self.starting.release} is starting"
        if self.health == "Missing":
            return "no release in Git yet"
        if self.goal and self.goal.experiment:
            return "experiment.yaml is read, but `mlops follow` does not serve experiments yet"
        return ""

    @property
    def next_step(self) -> str:
        """What a person does about a degraded service; empty otherwise."""
        if self.broken:
            return "correct the file, or revert the commit that broke it"
        if self.port_problem:
            return "end that process or change local_port"
        if self.failure:
            rollback = f"mlops rollback {self.service} --env {self.environment}"
            return f"`{rollback}`, or release a corrected one"
        return ""
