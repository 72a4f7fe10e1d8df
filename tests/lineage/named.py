"""What events name, and what was opened beside that."""

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops.lineage.kept import Kept
from tests.lineage.opened import Opened
from tests.team import Team

LEFT_OUT = {
    "Git's own storage; what is read and written there is named by path and digest": (
        "team/.git/*",
        "forge.git/*",
        "team/.gitignore",
        "team/*/.gitignore",
    ),
    "DVC's settings, indexes and locks": ("team/.dvc/*", "team/.dvcignore", "stores/dvc-index/*"),
    "the registry's database, in which a model's digest has its number": (
        "stores/mlflow.db*",
        "stores/mlflow-facts.json",
    ),
    "locks": ("*/mlops.lock", "*/.lock", "stores/registry.lock"),
    "the tool's own code, which the commit names, and what Python makes of code": (
        "team/scripts/mlops/*",
        "*/__pycache__/*",
    ),
    "the events themselves": ("stores/lineage/*",),
}
"""Below the clone, its forge and its stores: all that no event has to name, and why."""


def events(team: Team) -> list[dict[str, Any]]:
    """All events of a clone's stores, in the order in which they happened."""
    lines = [line for file in Kept(team.stores).files() for line in file.read_text().splitlines()]
    return sorted((json.loads(line) for line in lines), key=lambda event: event["eventTime"])


def untold(team: Team, opened: Opened, told: list[dict[str, Any]]) -> list[str]:
    """What was read or written below the clone, forge and stores and is named by none of these."""
    named = {path for event in told for path in _places(team, event)}
    top = team.root.parent
    return sorted(
        f"{verb} {path.relative_to(top)}"
        for verb, paths in (("read", opened.read), ("wrote", opened.written))
        for path in paths
        if path.is_relative_to(top) and not _left_out(path.relative_to(top).as_posix())
        if named.isdisjoint((path, *path.parents))
    )


def _left_out(path: str) -> bool:
    patterns = (pattern for group in LEFT_OUT.values() for pattern in group)
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


def _places(team: Team, event: dict[str, Any]) -> Iterator[Path]:
    for dataset in (*event["inputs"], *event["outputs"]):
        yield _path(team, dataset["name"].partition("/")[2])
        for other in dataset["facets"].get("symlinks", {}).get("identifiers", ()):
            yield _path(team, other["name"])


def _path(team: Team, name: str) -> Path:
    inside = name.removeprefix("<stores>/")
    return (team.stores if inside != name else team.root) / inside
