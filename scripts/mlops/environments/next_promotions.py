"""The promotions that environments ask for by themselves, and that may be opened now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops.environments.entry_rules import serving_since
from mlops.environments.promotion import Wanted, branch_of, what_to_promote
from mlops.errors import NotGood
from mlops.repository import Layout, Repository, release_path


@dataclass(frozen=True)
class Next:
    """A promotion that is due."""

    service: str
    environment: str
    release: int


def next_promotions(repo: Repository, ref: str = "HEAD") -> tuple[Next, ...]:
    """Promotions that may be opened, in the order of the environments.

    Of the environments that set `open_promotions`: what the previous one holds, was never taken
    back, has soaked, meets no freeze, and has no branch of its own on the forge (as last fetched)
    that waits for approval. Only services that two neighbours hold differently are looked into.

    Raises:
        BadInput: when an env.yaml or a release that is to be promoted cannot be read.
    """
    commit = repo.commit_id(ref)
    layout = repo.commit(commit)
    asking = [name for name in layout.order[1:] if layout.environment(name).open_promotions]
    wanted = (
        found
        for environment in asking
        for service in _differing(layout, environment)
        if (found := _wanted(repo, commit, service, environment))
    )
    return tuple(
        Next(one.service, one.environment, one.release.release)
        for one in wanted
        if _soaked(repo, layout, one) and not _waits(repo, one)
    )


def _differing(layout: Layout, environment: str) -> Iterator[str]:
    """Services of which the previous environment holds other bytes."""
    previous = layout.previous(environment) or ""
    services = layout.served_in(previous)
    there = [release_path(previous, service) for service in services]
    here = [release_path(environment, service) for service in services]
    found = layout.tree.read_many([*there, *here])
    for service, one, other in zip(services, there, here, strict=True):
        if found.get(one) and found.get(one) != found.get(other):
            yield service


def _wanted(repo: Repository, commit: str, service: str, environment: str) -> Wanted | None:
    """What would be promoted; None when a rule that needs no measuring says no."""
    try:
        return what_to_promote(repo, commit, service, environment)
    except NotGood:
        return None


def _soaked(repo: Repository, layout: Layout, wanted: Wanted) -> bool:
    asked = layout.environment(wanted.environment).soak
    if not asked:
        return True
    since = serving_since(repo, wanted.came_from, wanted.service, wanted.release.release)
    return since is not None and datetime.now(UTC) - since >= asked


def _waits(repo: Repository, wanted: Wanted) -> bool:
    branch = branch_of(wanted.service, wanted.release.release, wanted.environment)
    return repo.git.commit_of(f"refs/remotes/{repo.project.forge.remote}/{branch}") is not None
