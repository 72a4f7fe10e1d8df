"""What should serve, beside what followers say serves."""

from dataclasses import asdict, dataclass
from datetime import datetime

from mlops.environments.first_step import first_step
from mlops.errors import Problem, bad_input
from mlops.follow import status
from mlops.follow.places import Places
from mlops.follow.status import FollowerStatus, ServiceStatus
from mlops.git import Git, GitFailed
from mlops.repository import Layout, Repository
from mlops.specs.release import Release

NOBODY = "no follower runs"


@dataclass(frozen=True)
class Row:
    """One service of one environment."""

    environment: str
    service: str
    desired: int | None
    serving: int | None
    health: str
    sync: str
    since: str | None
    url: str | None
    warm: int | None
    restarts: int
    message: str
    next: str

    @property
    def is_good(self) -> bool:
        """Healthy and in sync; an environment that Git puts nothing into is as it should be."""
        nothing = self.desired is None and self.serving is None
        return self.sync == "Synced" and (self.health == "Healthy" or nothing)

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        return (
            f"{self.environment}/{self.service}",
            _number(self.desired),
            _number(self.serving),
            self.health,
            self.sync,
            _clock(self.since),
        )

    def remarks(self) -> list[str]:
        """Lines below the table: why, and what next."""
        name = f"{self.environment}/{self.service}"
        lines = [f"{name}: answers at {self.url}/predict"] if self.url and self.serving else []
        lines += [f"{name}: {line}" for line in self.message.splitlines()]
        if self.warm is not None:
            lines.append(f"{name}: release {self.warm} is kept warm")
        if self.restarts:
            lines.append(f"{name}: its process ended by itself {self.restarts} times")
        return [*lines, f"{name}: next: {self.next}"] if self.next else lines

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return asdict(self)


def git_says(repo: Repository) -> tuple[str, Layout]:
    """What main says, as last fetched from the forge; in a clone without one, HEAD."""
    forge = repo.project.forge
    name = f"{forge.remote}/{forge.main}"
    revision = name if repo.git.commit_of(name) else "HEAD"
    return revision, repo.commit(revision)


def overview(repo: Repository, environments: list[str]) -> list[Row]:
    """A row for each service that Git or a follower knows.

    Raises:
        BadInput: when release files are broken.
    """
    _, layout = git_says(repo)
    rows: list[Row] = []
    for environment in environments:
        follower = follower_of(repo, environment)
        told = {entry.service: entry for entry in follower.services} if follower else {}
        services = sorted({*layout.served_in(environment), *told})
        rows += [_row(repo, layout, environment, service, follower) for service in services]
    return rows


def follower_of(repo: Repository, environment: str) -> FollowerStatus | None:
    """What the environment's follower says; None when none runs."""
    found = status.read(Places.of(repo.stores, environment).status)
    return found if found is not None and status.is_running(found) else None


def _row(
    repo: Repository,
    layout: Layout,
    environment: str,
    service: str,
    follower: FollowerStatus | None,
) -> Row:
    release = _release(layout, environment, service)
    told = _told(follower, service)
    message, step = _why(repo, layout, environment, service, follower)
    number = release.release if release else None
    return Row(
        environment=environment,
        service=service,
        desired=number,
        serving=told.serving if told else None,
        health=told.health if told else "Missing",
        sync=_sync(number, told),
        since=told.since if told else None,
        url=told.url if told else None,
        warm=told.warm.release if told and told.warm else None,
        restarts=told.restarts if told else 0,
        message=message,
        next=step,
    )


def _release(layout: Layout, environment: str, service: str) -> Release | None:
    if service not in layout.served_in(environment):
        return None
    return layout.release(environment, service)


def _told(follower: FollowerStatus | None, service: str) -> ServiceStatus | None:
    entries = follower.services if follower else ()
    return next((entry for entry in entries if entry.service == service), None)


def _sync(desired: int | None, told: ServiceStatus | None) -> str:
    if told is None:
        return "Synced" if desired is None else "OutOfSync"
    # The follower may have read another commit than this clone has fetched.
    return told.sync if told.desired == desired else "OutOfSync"


def _why(
    repo: Repository,
    layout: Layout,
    environment: str,
    service: str,
    follower: FollowerStatus | None,
) -> tuple[str, str]:
    """Message and next step."""
    told = _told(follower, service)
    release = _release(layout, environment, service)
    if release is None and (told is None or told.desired is None):
        return "no release yet", first_step(layout, environment, service)
    if follower is None:
        return NOBODY, f"mlops follow {environment}"
    if follower.problem:
        return f"its follower cannot read Git: {follower.problem}", "check the forge's address"
    if told is None or told.desired != (release.release if release else None):
        return "its follower and this clone know different commits", _fetch(repo)
    return told.message, told.next


def _fetch(repo: Repository) -> str:
    return f"git fetch {repo.project.forge.remote}, and look again"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _clock(moment: str | None) -> str:
    if moment is None:
        return "-"
    return f"{datetime.fromisoformat(moment).astimezone():%m-%d %H:%M:%S}"


# Waiting


def head_of_remote(repo: Repository) -> str:
    """The commit that the forge's main is at now.

    Raises:
        BadInput: when the forge cannot be asked.
    """
    forge = repo.project.forge
    try:
        listed = repo.git.text("ls-remote", forge.remote, f"refs/heads/{forge.main}")
    except GitFailed as error:
        what = f"cannot be read ({error.text.splitlines()[-1]})"
        raise bad_input(forge.remote, what, "check `git remote -v` and your access") from error
    if not listed:
        raise bad_input(f"{forge.remote}/{forge.main}", "is not there", "push it")
    return listed.split()[0]


def unmet(repo: Repository, environments: list[str], commit: str) -> list[Problem]:
    """What is missing until the followers serve what a commit (or a newer one) says."""
    problems: list[Problem] = []
    for environment in environments:
        follower = follower_of(repo, environment)
        if follower is None:
            problems.append(Problem(environment, NOBODY, f"mlops follow {environment}"))
        elif not _has_read(repo, environment, follower, commit):
            what = f"its follower has not read commit {commit[:12]}" + _because(follower.problem)
            problems.append(Problem(environment, what, "look at its output"))
        else:
            problems += [_missing(environment, told) for told in follower.services if _lacks(told)]
    return problems


def _has_read(repo: Repository, environment: str, follower: FollowerStatus, commit: str) -> bool:
    if follower.commit is None or follower.commit == commit:
        return follower.commit is not None
    mirror = Git(Places.of(repo.stores, environment).mirror)
    known = mirror.commit_of(commit)
    return known is not None and mirror.is_ancestor(commit, follower.commit)


def _because(problem: str) -> str:
    return f" ({problem})" if problem else ""


def _lacks(told: ServiceStatus) -> bool:
    return told.sync != "Synced" or told.health not in ("Healthy", "Missing")


def _missing(environment: str, told: ServiceStatus) -> Problem:
    wanted, now = _number(told.desired), _number(told.serving)
    message = f": {told.message}" if told.message else ""
    what = f"{told.health}, Git says release {wanted}, release {now} serves{message}"
    return Problem(f"{environment}/{told.service}", what, told.next or "look at its log")


# Aliases


def aliases_wait(repo: Repository, environments: list[str]) -> bool:
    """Whether a follower is about to set aliases."""
    from mlops.follow.afterwards import WAITING

    found = (follower_of(repo, environment) for environment in environments)
    return any(follower is not None and follower.aliases == WAITING for follower in found)


def aliases_of(repo: Repository, environments: list[str]) -> dict[str, dict[str, int]]:
    """Aliases of each model in the registry that belong to the environments."""
    from mlops.follow.aliases import environment_of
    from mlops.registry import Registry

    registry = Registry.of(repo)
    return {
        model: {
            alias: version
            for alias, version in registry.aliases(model).items()
            if environment_of(alias, repo.order) in environments
        }
        for model in repo.models()
    }
