"""The optional parts of the platform: Applications in infra/platform that mlops.toml chooses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops.errors import BadInput, Problem
from mlops.files import load_yaml
from mlops.repository import PROJECT_FILE, Layout
from mlops.specs.environment import IN_CLUSTER

FOLDER = "infra/platform"
PROJECT = "platform"
"""AppProject of the parts, and the Application that reads those chosen."""
FILE = re.compile(rf"{FOLDER}/([a-z0-9-]+)/(application\.yaml|objects/[^/]+\.yaml)")
"""What a part consists of: its chart, and objects beside it."""
EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?")


@dataclass(frozen=True)
class Part:
    """One chart: where it comes from, its namespace, and whether objects stand beside it."""

    name: str
    repository: str
    namespace: str
    has_objects: bool

    @property
    def application(self) -> str:
        """Name of its Application."""
        return f"{PROJECT}-{self.name}"


def concerns(path: str) -> bool:
    """Whether a file is one of a part."""
    return FILE.fullmatch(path) is not None


def chosen(layout: Layout) -> list[Part]:
    """The parts that mlops.toml names, by name.

    Raises:
        BadInput: with every part that is not there, or whose file is not the Application of one
            chart by an exact version.
    """
    names = sorted(set(layout.project.argocd.platform))
    paths = [path for path in layout.tree.files(FOLDER) if concerns(path)] if names else []
    texts = layout.tree.read_many([path for path in paths if path.endswith("/application.yaml")])
    parts, problems = [], []
    for name in names:
        path = f"{FOLDER}/{name}/application.yaml"
        if path not in texts:
            problems.append(_missing(name, sorted(texts)))
            continue
        found = load_yaml(texts[path], path)
        has_objects = any(each.startswith(f"{FOLDER}/{name}/objects/") for each in paths)
        part = _part(name, found, has_objects=has_objects)
        if part is None:
            problems.append(_not_a_part(name, path))
        else:
            parts.append(part)
    if problems:
        raise BadInput(problems)
    return parts


def _part(name: str, found: Any, *, has_objects: bool) -> Part | None:
    match found:
        case {
            "kind": "Application",
            "metadata": {"name": str(own)},
            "spec": {
                "project": "platform",
                "source": {
                    "repoURL": str(repository),
                    "chart": str(),
                    "targetRevision": str(version),
                },
                "destination": {"server": server, "namespace": str(namespace)},
            },
        } if server == IN_CLUSTER and EXACT.fullmatch(version):
            part = Part(name, repository, namespace, has_objects)
            return part if own == part.application else None
    return None


def _missing(name: str, there: Sequence[str]) -> Problem:
    names = ", ".join(path.split("/")[2] for path in there)
    what = f"`platform` below [argocd] names {name}, but {FOLDER}/{name} has no application.yaml"
    return Problem(PROJECT_FILE, what, f"name one of {names}" if names else "write that file")


def _not_a_part(name: str, path: str) -> Problem:
    what = (
        f"is not one Application {PROJECT}-{name} of project {PROJECT} on {IN_CLUSTER}, "
        "of a chart by an exact version"
    )
    return Problem(path, what, "take another part's file as it is, and change what differs")
