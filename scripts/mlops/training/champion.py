"""The model that an environment serves, as its release pins it."""

from collections.abc import Iterable, Mapping
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


def release_with(
    layout: Layout, model: str, environment: str, likely: Iterable[str] = ()
) -> Release | None:
    """The release that serves a model in an environment by the tree's files; None: nothing does.

    Args:
        likely: services to look at first; the others are read only when none of these serves it.

    Raises:
        BadInput: when a release file that may name the model cannot be read.
    """
    tree = layout.tree
    given = ((name, tree.read(release_path(environment, name))) for name in likely)
    first = {name: content for name, content in given if content is not None}
    if found := _serving(first, model, environment):
        return found
    every = tree.read_each(f"environments/{environment}", "release.yaml")
    return _serving(every, model, environment)


def _serving(releases: Mapping[str, bytes], model: str, environment: str) -> Release | None:
    for service, content in releases.items():
        if not may_name(content, {model.encode()}):
            continue
        release = parse(content, release_path(environment, service), Release)
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
