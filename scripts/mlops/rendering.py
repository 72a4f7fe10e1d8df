"""The rendered files beside the manifests of services: of clusters, pipelines and alerts."""

from collections.abc import Collection
from typing import Protocol

from mlops.environments import clusters
from mlops.errors import BadInput, Problem
from mlops.pipelines import rendered as pipelines
from mlops.repository import Layout
from mlops.service_levels import alerts


class Part(Protocol):
    """A module that renders files from others."""

    def is_rendered(self, path: str) -> bool:
        """Whether a file is one of these, or stands where these do."""
        ...

    def concerns(self, path: str) -> bool:
        """Whether the files are made of this one, or it is one of them."""
        ...

    def stale(
        self, layout: Layout, changed: Collection[str] | None = None, /
    ) -> dict[str, str | None]:
        """The files that are not current, with what they have to hold (None: removed).

        Args:
            layout: the tree.
            changed: paths that differ from a state in which all were current; None: look at all.
        """
        ...

    def stale_problem(self, layout: Layout, path: str, text: str | None, /) -> Problem:
        """What is wrong with a file that is not current."""
        ...


PARTS: tuple[Part, ...] = (clusters, pipelines, alerts)


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
    (part,) = (part for part in PARTS if part.is_rendered(path))
    return part.stale_problem(layout, path, text)
