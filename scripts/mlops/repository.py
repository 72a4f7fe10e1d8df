"""The project's layout: which file of a tree says what."""

import os
import tomllib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlops.errors import BadInput, bad_input
from mlops.files import not_text
from mlops.git import NOTHING, Git
from mlops.lock import only_one
from mlops.specs.base import SpecT, is_name, read, read_if_there, validated
from mlops.specs.decision import Decision
from mlops.specs.environment import Environment
from mlops.specs.evidence import Evidence
from mlops.specs.experiment import Experiment
from mlops.specs.model import Model
from mlops.specs.project import Project
from mlops.specs.release import Release
from mlops.specs.service import Service
from mlops.specs.settings import Settings
from mlops.tree import CommitTree, Tree, WorkTree

PROJECT_FILE = "mlops.toml"


def folder_of(environment: str, service: str) -> str:
    """`environments/<environment>/<service>`."""
    return f"environments/{environment}/{service}"


def release_path(environment: str, service: str) -> str:
    """Where the promoted file of a service lies in an environment."""
    return f"{folder_of(environment, service)}/release.yaml"


def evidence_path(service: str, digest: str) -> str:
    """Where evidence of that digest is committed."""
    return f"apps/{service}/evidence/{digest.removeprefix('sha256:')}.json"


@dataclass(frozen=True)
class Layout:
    """The files of one tree (the work tree or a commit), read as their specs."""

    tree: Tree

    @cached_property
    def project(self) -> Project:
        """mlops.toml.

        Raises:
            BadInput: when it is missing or wrong.
        """
        content = self.tree.read(PROJECT_FILE)
        if content is None:
            raise bad_input(PROJECT_FILE, "file is missing", "run this in a clone of the template")
        if binary := not_text(content, PROJECT_FILE):
            raise BadInput(binary)
        try:
            value = tomllib.loads(content.decode())
        except tomllib.TOMLDecodeError as error:
            raise bad_input(
                PROJECT_FILE, f"is not valid TOML ({error})", "correct that line"
            ) from error
        return validated(value, PROJECT_FILE, Project)

    @property
    def order(self) -> tuple[str, ...]:
        """Environments in the order of promotion."""
        return self.project.environments.order

    def previous(self, environment: str) -> str | None:
        """The environment a promotion into this one comes from; None for the first."""
        place = self.order.index(self.known(environment))
        return self.order[place - 1] if place else None

    def known(self, environment: str) -> str:
        """The name itself.

        Raises:
            BadInput: when no such environment is in mlops.toml.
        """
        if environment not in self.order:
            raise bad_input(
                f"environments/{environment}",
                "is not an environment of this project",
                f"name one of {', '.join(self.order)}, or add it to {PROJECT_FILE}",
            )
        return environment

    def services(self) -> list[str]:
        """Names of the folders in apps/."""
        return self.tree.names("apps")

    def models(self) -> list[str]:
        """Names of the folders in models/."""
        return self.tree.names("models")

    def datasets(self) -> list[str]:
        """Names of the datasets that have a contract."""
        suffix = ".odcs.yaml"
        files = (path.rpartition("/")[2] for path in self.tree.files("data-contracts"))
        return sorted(name.removesuffix(suffix) for name in files if name.endswith(suffix))

    def served_in(self, environment: str) -> list[str]:
        """Names of the services that have a folder in an environment."""
        return self.tree.names(f"environments/{environment}")

    def model(self, name: str) -> Model:
        """models/<name>/model.yaml."""
        return self._named(f"models/{name}/model.yaml", Model, "model", name)

    def service(self, name: str) -> Service:
        """apps/<name>/service.yaml."""
        return self._named(f"apps/{name}/service.yaml", Service, "service", name)

    def environment(self, name: str) -> Environment:
        """environments/<name>/env.yaml."""
        self.known(name)
        path = f"environments/{name}/env.yaml"
        try:
            return self._named(path, Environment, "name", name)
        except BadInput:
            if self.tree.read(path) is not None:
                raise
        what = f"file is missing, and {PROJECT_FILE} has {name} in `order`"
        raise bad_input(path, what, f"add it, or take {name} out of `order`")

    def release(self, environment: str, service: str) -> Release | None:
        """What an environment is to serve, or None."""
        return read_if_there(self.tree, release_path(environment, service), Release)

    def settings(self, environment: str, service: str) -> Settings:
        """settings.yaml of a service in an environment."""
        path = f"{folder_of(environment, service)}/settings.yaml"
        return self._named(path, Settings, "service", service)

    def decision(self, environment: str, service: str) -> Decision | None:
        """Why the release is there, or None."""
        return read_if_there(
            self.tree, f"{folder_of(environment, service)}/decision.yaml", Decision
        )

    def experiment(self, environment: str, service: str) -> Experiment | None:
        """The challenger that runs beside the release, or None."""
        path = f"{folder_of(environment, service)}/experiment.yaml"
        return read_if_there(self.tree, path, Experiment)

    def evidence(self, service: str, digest: str) -> Evidence:
        """Committed evidence; its own digest is checked by `mlops check`."""
        return read(self.tree, evidence_path(service, digest), Evidence)

    def _named(self, path: str, kind: type[SpecT], key: str, name: str) -> SpecT:
        """Read a file whose `key` has to repeat the name of its folder."""
        spec = read(self.tree, path, kind)
        said = getattr(spec, key)
        if said != name:
            right = f"write `{key}: {name}`" if is_name(name) else f"name the folder {said}"
            raise bad_input(path, f"`{key}` is {said!r} in the folder of {name!r}", right)
        return spec


@dataclass(frozen=True)
class Repository(Layout):
    """A clone on this machine: its work tree, its Git, its stores."""

    root: Path

    @classmethod
    def at(cls, start: Path | None = None) -> "Repository":
        """The clone that holds a folder (default: the current one).

        Raises:
            BadInput: when no folder above holds mlops.toml.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / PROJECT_FILE).is_file():
                return cls(WorkTree(folder), folder)
        raise bad_input(
            here, f"no {PROJECT_FILE} here or above", "run this in a clone of the template"
        )

    def exclusive(self, doing: str) -> AbstractContextManager[None]:
        """Hold this clone for a command that changes it; see `lock.only_one`."""
        return only_one(self.root / self.git.text("rev-parse", "--git-dir"), doing)

    @property
    def git(self) -> Git:
        """Git in this clone."""
        return Git(self.root)

    @property
    def stores(self) -> Path:
        """The folder of the embedded stores."""
        return (self.root / self.project.stores.root).resolve()

    def shown(self, path: Path) -> str:
        """A path for people: relative to the clone when that is near, else absolute."""
        relative = os.path.relpath(path, self.root)
        return str(path) if relative.startswith("../..") else relative

    def commit(self, revision: str) -> Layout:
        """The files of a commit, or of `git.NOTHING`; raises like `commit_id`."""
        commit = revision if revision == NOTHING else self.commit_id(revision)
        return Layout(CommitTree(self.git, commit))

    def commit_id(self, revision: str) -> str:
        """The full hash of a revision.

        Raises:
            BadInput: when the revision names no commit.
        """
        commit = self.git.commit_of(revision)
        if commit is None:
            raise bad_input(
                revision, "is not a commit of this repository", "git fetch, or correct the name"
            )
        return commit
