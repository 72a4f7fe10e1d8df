"""Where the answers of a service in an environment are logged, for those who write and who ask.

Below `<to>/<environment>/<service>` in both: pods write to `predictions.to` of settings.yaml,
`mlops follow` into `<stores>/predictions`.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mlops.errors import MlopsError
from mlops.lineage.sending import backend_of
from mlops.repository import Repository
from mlops.serving.predictions.asked import PREDICTIONS, Asked
from mlops.specs.release import Release
from mlops.specs.settings import Predictions, Settings

FOLDER = "predictions"


def of_follower(
    repo: Repository, environment: str, release: Release, settings: Settings
) -> Asked | None:
    """What a process of `mlops follow` is told; None: nothing is logged."""
    if settings.predictions is None:
        return None
    below = f"{FOLDER}/{environment}/{release.service}"
    return _asked(
        repo.project.project.name,
        environment,
        release,
        settings.predictions,
        to=str(repo.stores / below),
        shown=f"<stores>/{below}",
        events=str(repo.stores / "lineage"),
        sent=backend_of(repo) is not None,
    )


def of_pods(project: str, environment: str, release: Release, settings: Settings) -> Asked | None:
    """What the pods of a service are told; None: nothing is logged."""
    wanted = settings.predictions
    if wanted is None or wanted.to is None:
        return None
    to = address(wanted.to, environment, release.service)
    return _asked(project, environment, release, wanted, to=to, shown=to)


def variables(asked: Asked | None) -> dict[str, str]:
    """The environment variables that tell it."""
    return {PREDICTIONS: asked.variable()} if asked else {}


def address(to: str, environment: str, service: str) -> str:
    """Where below `to` a service's files lie."""
    return f"{to.rstrip('/')}/{environment}/{service}"


@dataclass(frozen=True)
class Log:
    """A log that may be there."""

    environment: str
    service: str
    address: str

    @property
    def is_folder(self) -> bool:
        """Whether it is no address of object storage."""
        return self.address.startswith("/")


def logs(repo: Repository) -> Iterator[Log]:
    """Those in the stores, and those that the settings name."""
    for environment in repo.order:
        for service in repo.served_in(environment):
            places = [str(repo.stores / FOLDER)]
            # What is wrong in the file is told by those who need the rest of it, too.
            with suppress(MlopsError):
                wanted = repo.settings(environment, service).predictions
                places += [wanted.to] if wanted and wanted.to else []
            for place in places:
                yield Log(environment, service, address(place, environment, service))


def _asked(
    project: str, environment: str, release: Release, wanted: Predictions, **place: Any
) -> Asked:
    return Asked(
        project=project,
        environment=environment,
        service=release.service,
        bento=release.bento,
        share=wanted.share,
        without=frozenset(wanted.without),
        rows=wanted.rows,
        seconds=wanted.seconds,
        **place,
    )
