"""The model that an environment serves, as its release pins it."""

from dataclasses import dataclass

from mlops.errors import bad_input
from mlops.graph import may_name
from mlops.repository import Layout, Repository, release_path
from mlops.scoring.scorer import Scorer
from mlops.specs.base import parse
from mlops.specs.release import Release


@dataclass(frozen=True)
class Champion:
    """A model of a release in an environment, ready to score."""

    environment: str
    release: Release
    scorer: Scorer


def release_with(layout: Layout, model: str, environment: str) -> Release | None:
    """The release that serves a model in an environment by the tree's files; None: nothing does.

    Raises:
        BadInput: when a release file that may name the model cannot be read.
    """
    paths = [release_path(environment, name) for name in layout.served_in(environment)]
    for path, content in layout.tree.read_many(paths).items():
        if not may_name(content, {model.encode()}):
            continue
        release = parse(content, path, Release)
        if any(pin.name == model for pin in release.models):
            return release
    return None


def champion_in(repo: Repository, layout: Layout, model: str, environment: str) -> Champion | None:
    """What serves a model in an environment by the tree's release files; None when nothing does.

    Raises:
        BadInput: when the environment is unknown or the bento is not what is pinned.
        NotHere: when there is no bento here and the model cannot be made again.
    """
    from mlops.training.reproduced import scorer_of_release

    layout.known(environment)
    release = release_with(layout, model, environment)
    if release is None:
        return None
    return Champion(environment, release, scorer_of_release(repo, release, model))


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
