"""The rendered files beside the manifests of services: of clusters, and of pipelines."""

from mlops.environments import clusters
from mlops.errors import BadInput, Problem
from mlops.pipelines import rendered as pipelines
from mlops.repository import Layout

PARTS = (clusters, pipelines)


def is_rendered(path: str) -> bool:
    """Whether a file is one of these, or stands where these do."""
    return any(part.is_rendered(path) for part in PARTS)


def stale(layout: Layout) -> dict[str, str | None]:
    """The files that are not current, with what they have to hold (None: removed).

    Raises:
        BadInput: with everything that is wrong with what they are made of.
    """
    found: dict[str, str | None] = {}
    problems: list[Problem] = []
    for part in PARTS:
        try:
            found |= part.stale(layout)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(dict.fromkeys(problems))
    return found


def stale_problem(layout: Layout, path: str, text: str | None) -> Problem:
    """What is wrong with a file that is not current; `text` is what it has to hold."""
    (told,) = (part.stale_problem for part in PARTS if part.is_rendered(path))
    problem: Problem = told(layout, path, text)
    return problem
