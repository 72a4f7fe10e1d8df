"""What Git says an environment is to serve, read from one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mlops.errors import BadInput, Problem
from mlops.git import Git
from mlops.repository import Layout, folder_of, release_path
from mlops.specs.base import read_if_there
from mlops.specs.experiment import Experiment
from mlops.specs.release import Release
from mlops.specs.settings import Settings
from mlops.tree import CommitTree

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """A service's files, in order."""

    settings: Settings
    release: Release | None
    experiment: Experiment | None


@dataclass(frozen=True)
class Broken:
    """A service's files, with what is wrong in them."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Seen:
    """A service's folder as it was read: its tree in Git, and what it says."""

    tree: str
    says: Wanted | Broken


def read_environment(
    git: Git, commit: str, environment: str, before: Mapping[str, Seen]
) -> dict[str, Seen]:
    """What each service of an environment is to be at a commit.

    Args:
        git: a repository that has the commit.
        commit: whose files are read.
        environment: its name.
        before: what was read last; a folder that is the same in Git is not read again.
    """
    layout = Layout(CommitTree(git, commit))
    entries = git.names("ls-tree", "-d", "-z", commit, f"environments/{environment}/")
    pairs = (entry.split("\t", 1) for entry in entries)
    trees = {path.rpartition("/")[2]: head.split()[2] for head, path in pairs}
    return {
        service: before[service]
        if service in before and before[service].tree == tree
        else Seen(tree, read_service(layout, environment, service))
        for service, tree in sorted(trees.items())
    }


def read_service(layout: Layout, environment: str, service: str) -> Wanted | Broken:
    """The three files a follower reads of a service, with all problems of all of them."""
    problems: list[Problem] = []
    settings = _tried(lambda: layout.settings(environment, service), problems)
    release = _tried(lambda: layout.release(environment, service), problems)
    experiment = _tried(lambda: _experiment(layout, environment, service), problems)
    if release is not None and release.service != service:
        path = release_path(environment, service)
        what = f"`service` is {release.service!r} in the folder of {service!r}"
        problems.append(Problem(path, what, f"put a release of {service} here"))
    if problems or settings is None:
        return Broken(tuple(problems))
    return Wanted(settings, release, experiment)


def _tried(read: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return read()
    except BadInput as error:
        problems += error.problems
        return None


def _experiment(layout: Layout, environment: str, service: str) -> Experiment | None:
    path = f"{folder_of(environment, service)}/experiment.yaml"
    return read_if_there(layout.tree, path, Experiment)
