"""The files of infra/workflows: each model's pipeline for Argo Workflows, held to be current."""

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from mlops import manifest_text
from mlops.data.derivation import ingested_of, with_derived
from mlops.errors import BadInput, Problem
from mlops.graph import learning_from
from mlops.manifest_text import text_of
from mlops.pipelines.graph import pipeline_of
from mlops.pipelines.names import ACCESS, ALL, RAW, SETTINGS, name_of
from mlops.repository import PROJECT_FILE, Layout

if TYPE_CHECKING:
    from mlops.pipelines.names import Document

FOLDER = "infra/workflows"
TOOL = "scripts/mlops/pipelines/"
CODE = ("access.py", "graph.py", "names.py", "pods.py", "rendered.py", "workflows.py")
SPEC = re.compile(r"models/[^/]+/model\.yaml")
SOURCES = re.compile(r"data-contracts/([^/]+)(?:\.odcs\.yaml|/derive\.py)")
"""The files that say what a dataset is made of."""


def is_rendered(path: str) -> bool:
    """Whether a file is one of a pipeline, or stands where these do."""
    return path.startswith(f"{FOLDER}/") and path.endswith((".yaml", ".yml"))


def concerns(path: str) -> bool:
    """Whether pipelines on a cluster are made of a file, or are it."""
    of_one = SPEC.fullmatch(path) or SOURCES.fullmatch(path)
    return is_rendered(path) or _is_shared(path) or of_one is not None


def stale(layout: Layout, changed: Collection[str] | None = None) -> dict[str, str | None]:
    """The files that are not current, with what they have to hold (None: removed).

    Args:
        changed: paths that differ from a state in which all were current; only what these reach
            is looked at. None looks at all.

    Raises:
        BadInput: with everything that is wrong with a model.yaml.
    """
    names = layout.models() if layout.project.watched else []
    reached = names if changed is None else _reached(layout, names, changed)
    wanted = _expected(layout, names, reached)
    given = layout.tree.read_many(wanted)
    found: dict[str, str | None] = {
        path: text for path, text in wanted.items() if given.get(path) != text.encode()
    }
    there = {path for path in layout.tree.files(FOLDER) if is_rendered(path)}
    left = there.difference(_path(name_of(name)) for name in names).difference(wanted)
    return {**found, **dict.fromkeys(sorted(left))}


def stale_problem(_layout: Layout, path: str, text: str | None) -> Problem:
    """What is wrong with a file that is not current; `text` is what it has to hold."""
    what = (
        "belongs to no model" if text is None else f"is not what {PROJECT_FILE} and model.yaml give"
    )
    return Problem(path, what, "run `mlops render` and commit the result, never edit it by hand")


def _reached(layout: Layout, names: Sequence[str], changed: Collection[str]) -> list[str]:
    """The models whose files are made of what changed."""
    datasets = {found[1] for path in changed if (found := SOURCES.fullmatch(path))}
    learning = learning_from(layout, with_derived(layout, datasets))
    return [name for name in names if name in learning or _reaches(name, changed)]


def _reaches(model: str, changed: Collection[str]) -> bool:
    own = (f"models/{model}/model.yaml", _path(name_of(model)))
    return any(path in own or _is_shared(path) for path in changed)


def _is_shared(path: str) -> bool:
    """Whether the files of all models are made of this one."""
    part = path.removeprefix(TOOL)
    return path in {PROJECT_FILE, manifest_text.PATH} or (part != path and part in CODE)


def _expected(layout: Layout, names: Sequence[str], reached: Sequence[str]) -> dict[str, str]:
    repository, settings = layout.project.watched, layout.project.workflows
    if repository is None or not names:
        return {}
    from mlops.pipelines import access, workflows

    documents = {
        ACCESS: access.access(settings),
        ALL: workflows.of_all(layout.project, repository),
    }
    problems: list[Problem] = []
    for name in reached:
        try:
            documents[name_of(name)] = _of_model(layout, repository, name)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    if settings.image:
        documents[SETTINGS] = access.settings(settings, settings.image)
    return {
        _path(name): text_of(found, f"{PROJECT_FILE} and model.yaml")
        for name, found in documents.items()
    }


def _of_model(layout: Layout, repository: str, name: str) -> "list[Document]":
    from mlops.pipelines import workflows

    spec = layout.model(name)
    raw = {each: [RAW] for each in ingested_of(layout, spec.data.dataset)}
    pipeline = pipeline_of(layout, name, raw, propose=True, tune=True)
    return workflows.of_model(layout.project, repository, spec, pipeline)


def _path(name: str) -> str:
    return f"{FOLDER}/{name}.yaml"
