"""What should serve, beside what Argo CD and the clusters say: rows of the same table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlops.cluster import pods
from mlops.cluster.findings import Case, Finding, findings, is_paused
from mlops.cluster.kubectl import Kubectl, Object, one_line
from mlops.cluster.seen import Seen, look
from mlops.environments.first_step import first_step
from mlops.environments.manifests import manifests_path
from mlops.errors import Problem
from mlops.follow.overview import Row, git_says, head_of_remote
from mlops.git import Git, GitFailed
from mlops.repository import Layout, Repository
from mlops.specs.release import Release

Reading = Callable[[str, str], str]
"""(path, commit) to how that file there compares with Git: current, behind or unfetched."""
DONE = ("Synced", "Healthy")


@dataclass(frozen=True)
class LiveRow(Row):
    """One service of one environment, as its cluster has it."""

    revision: str | None
    """The commit that Argo CD has read."""
    paused: bool
    also: tuple[str, ...]
    """What is wrong beside `message`."""

    def remarks(self) -> list[str]:
        """One line with the next step, then what else there is."""
        name = f"{self.environment}/{self.service}"
        first = [str(Finding(self.message, self.next))] if self.message else []
        return [f"{name}: {line}" for line in (*first, *self.also)]


def overview(repo: Repository, environments: list[str], argocd: Kubectl) -> list[Row]:
    """A row for each service that Git or Argo CD knows.

    Raises:
        ClusterError: when Argo CD's cluster does not answer, or has no Argo CD.
        BadInput: when release files are broken.
    """
    revision, layout = git_says(repo)
    reading = reading_of(repo.git, revision)
    now = datetime.now(UTC)
    found: list[Row] = []
    for environment in environments:
        found += rows(layout, look(layout, environment, argocd), reading, now)
    return found


def rows(layout: Layout, seen: Seen, reading: Reading, now: datetime) -> list[LiveRow]:
    """The rows of one environment, from its objects."""
    services = sorted({*layout.served_in(seen.environment), *seen.services()})
    return [_row(layout, seen, service, reading, now) for service in services]


def reading_of(git: Git, revision: str) -> Reading:
    """Compares with a revision of the clone."""

    def reading(path: str, commit: str) -> str:
        if git.commit_of(commit) is None:
            return "unfetched"
        if _blob(git, commit, path) == _blob(git, revision, path):
            return "current"
        return "behind" if git.is_ancestor(commit, revision) else "unfetched"

    return reading


def _blob(git: Git, commit: str, path: str) -> str | None:
    try:
        return git.text("rev-parse", "--verify", "--quiet", f"{commit}:{path}")
    except GitFailed:
        return None


def _row(layout: Layout, seen: Seen, service: str, reading: Reading, now: datetime) -> LiveRow:
    release = _release(layout, seen.environment, service)
    application = seen.application(service)
    desired = release.release if release else None
    if application is None:
        return _absent(layout, seen, service, release)
    status = application.get("status") or {}
    health, sync = status.get("health") or {}, status.get("sync") or {}
    revision = str(sync.get("revision") or "")
    path = manifests_path(seen.environment, service)
    read = reading(path, revision) if revision else "unread"
    served = pods.serving(seen.pods_of(service))
    if seen.blind and read == "current" and (sync.get("status"), health.get("status")) == DONE:
        served = desired  # every replica of it is there, says Argo CD
    case = Case(
        seen=seen,
        service=service,
        desired=desired,
        serving=served,
        reading=read,
        revision=revision,
        application=application,
        now=now,
    )
    first, *others = findings(case) or [Finding("", "")]
    said = str(sync.get("status", "Unknown"))
    return LiveRow(
        environment=seen.environment,
        service=service,
        desired=desired,
        serving=served,
        health=str(health.get("status") or "Unknown"),
        sync=said if read == "current" or said != "Synced" else "OutOfSync",
        since=health.get("lastTransitionTime"),
        url=None,
        warm=None,
        restarts=pods.restarts(seen.pods_of(service)),
        message=first.what,
        next=first.next,
        revision=revision or None,
        paused=is_paused(application),
        also=tuple(str(one) for one in others),
    )


def _release(layout: Layout, environment: str, service: str) -> Release | None:
    if service not in layout.served_in(environment):
        return None
    return layout.release(environment, service)


def _absent(layout: Layout, seen: Seen, service: str, release: Release | None) -> LiveRow:
    """A service that Argo CD does not know."""
    served = pods.serving(seen.pods_of(service))
    finding = _why_absent(layout, seen, service, release)
    nothing = release is None or release.image is None
    return LiveRow(
        environment=seen.environment,
        service=service,
        desired=release.release if release else None,
        serving=served,
        health="Missing",
        sync="Synced" if nothing and served is None else "OutOfSync",
        since=None,
        url=None,
        warm=None,
        restarts=0,
        message=finding.what,
        next=finding.next,
        revision=None,
        paused=False,
        also=(),
    )


def _why_absent(layout: Layout, seen: Seen, service: str, release: Release | None) -> Finding:
    if release is None:
        return Finding("no release yet", first_step(layout, seen.environment, service))
    if release.image is None:
        what = f"release {release.release} has no image, so a cluster runs nothing of it"
        return Finding(what, f"mlops build {service} --image REGISTRY, then release it")
    if seen.application_set is None:
        what = f"Argo CD has no ApplicationSet {seen.environment}"
        return Finding(what, "mlops doctor --cluster")
    said = _complaint(seen.application_set)
    what = f"Argo CD has no Application for it ({said or 'not made yet'})"
    look_at = f"{seen.kubectl} describe applicationset {seen.environment}"
    return Finding(what, f"wait some seconds; if it stays, {look_at}")


def _complaint(application_set: Object) -> str:
    conditions: list[Any] = (application_set.get("status") or {}).get("conditions") or []
    errors = [
        one_line(str(one.get("message", "")))
        for one in conditions
        if one.get("type") == "ErrorOccurred" and one.get("status") == "True"
    ]
    return next(iter(errors), "")


# Waiting


def fetched_head(repo: Repository) -> str:
    """The commit that the forge's main is at now, fetched into this clone.

    Raises:
        BadInput: when the forge cannot be asked.
    """
    commit = head_of_remote(repo)
    if repo.git.commit_of(commit) is None:
        forge = repo.project.forge
        repo.git.run("fetch", "--quiet", "--no-tags", forge.remote, forge.main)
    return commit


def unmet(repo: Repository, environments: list[str], argocd: Kubectl, commit: str) -> list[Problem]:
    """What is missing until the clusters serve what a commit of this clone says.

    Raises:
        ClusterError: when Argo CD's cluster does not answer, or has no Argo CD.
        BadInput: when release files are broken.
    """
    layout, reading = repo.commit(commit), reading_of(repo.git, commit)
    now = datetime.now(UTC)
    found: list[Problem] = []
    for environment in environments:
        seen = look(layout, environment, argocd)
        found += [_missing(row) for row in rows(layout, seen, reading, now) if not is_met(row)]
    return found


def is_met(row: LiveRow) -> bool:
    """Whether the cluster serves what Git says."""
    return row.is_good and (row.desired == row.serving or row.desired is None)


def _missing(row: LiveRow) -> Problem:
    what = f"{row.health}, {row.sync}, Git says release {row.desired}, {row.serving} serves"
    said = f"{what}: {row.message}" if row.message else what
    return Problem(f"{row.environment}/{row.service}", said, row.next or "look at Argo CD")
