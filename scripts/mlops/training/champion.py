"""The model that an environment serves, as its release pins it."""

from dataclasses import dataclass

from mlops.errors import bad_input
from mlops.repository import Layout, Repository
from mlops.scoring.scorer import Scorer
from mlops.specs.release import Release


@dataclass(frozen=True)
class Champion:
    """A model of a release in an environment, opened from its bento."""

    environment: str
    release: Release
    scorer: Scorer


def champion_in(repo: Repository, layout: Layout, model: str, environment: str) -> Champion | None:
    """What serves a model in an environment by the tree's release files; None when nothing does.

    Raises:
        BadInput: when the environment is unknown or the bento is missing or not what is pinned.
    """
    from mlops import bento

    layout.known(environment)
    for service in layout.served_in(environment):
        release = layout.release(environment, service)
        pins = {pin.name: pin for pin in release.models} if release else {}
        if release is not None and model in pins:
            folder = bento.find(repo, service, release.bento)
            scorer = bento.scorer(folder, model, pins[model].digest)
            return Champion(environment, release, scorer)
    return None


def serving_in(repo: Repository, layout: Layout, model: str, environment: str) -> Champion:
    """Like `champion_in`; raises `BadInput` when nothing serves the model."""
    found = champion_in(repo, layout, model, environment)
    if found is None:
        raise bad_input(
            f"environments/{environment}",
            f"no release here serves {model}",
            "release or promote one first, or name another environment",
        )
    return found
