"""The files that a change reaches, read so that all that is wrong with them is told at once."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from mlops.environments.kinds import ENV, SERVICE_FILES
from mlops.errors import MlopsError, Problem
from mlops.repository import PROJECT_FILE, Layout, folder_of
from mlops.tree import Overlay

Read = Callable[[], object]
FILES_CAN_BE_READ = "files can be read"
"""Name of the check that a change's files are what their specs say."""
FILES_ARE_TEXT = "files are text"
"""Name of the check that no file is binary where text is expected."""


def _contract(layout: Layout, dataset: str) -> object:
    from mlops.data.contract import read_contract

    return read_contract(layout, dataset)


# Which file is which spec; the groups after the first are what the reader is given.
SPECS: dict[str, Callable[..., object]] = {
    r"(?P<top>models)/([^/]+)/model\.yaml": Layout.model,
    r"(?P<top>apps)/([^/]+)/service\.yaml": Layout.service,
    r"(?P<top>apps)/([^/]+)/evidence/([^/]+)\.json": Layout.evidence,
    r"(?P<top>data-contracts)/([^/]+)\.odcs\.yaml": _contract,
    r"(?P<top>environments)/([^/]+)/env\.yaml": Layout.environment,
    r"(?P<top>environments)/([^/]+)/([^/]+)/settings\.yaml": Layout.settings,
    r"(?P<top>environments)/([^/]+)/([^/]+)/release\.yaml": Layout.release,
    r"(?P<top>environments)/([^/]+)/([^/]+)/decision\.yaml": Layout.decision,
    r"(?P<top>environments)/([^/]+)/([^/]+)/experiment\.yaml": Layout.experiment,
}


def unreadable(layout: Layout, changed: Iterable[str]) -> list[Problem]:
    """What is wrong with mlops.toml and the files that go with changed ones of environments.

    The files of a service are read together, and env.yaml with them. Those of other services
    are not: what is wrong with one stops nobody else.

    Args:
        layout: the files as they are now.
        changed: paths that differ; others than those of environments have no say.
    """
    if problems := _tried(lambda: layout.project):
        return problems
    touched = _touched(layout, changed)
    wanted = [path for name, services in touched.items() for path in _files(name, services)]
    found = layout.tree.read_many(wanted)
    at_once = Layout(Overlay(layout.tree, {path: found.get(path) for path in wanted}))
    reads = (
        read
        for name in layout.order
        if name in touched
        for read in _of(at_once, name, touched[name])
    )
    return [*_strange(layout), *(each for read in reads for each in _tried(read))]


def _touched(layout: Layout, changed: Iterable[str]) -> dict[str, set[str]]:
    """The services with changed files of each environment that has such files."""
    found: dict[str, set[str]] = {}
    for path in changed:
        match path.split("/"):
            case [name] if name == PROJECT_FILE:
                found |= {each: found.get(each, set()) for each in layout.order}
            case ["environments", environment, _]:
                found.setdefault(environment, set())
            case ["environments", environment, service, _, *_]:
                found.setdefault(environment, set()).add(service)
    return found


def _files(environment: str, services: Iterable[str]) -> Iterator[str]:
    yield f"environments/{environment}/{ENV}"
    for service in services:
        yield from (f"{folder_of(environment, service)}/{name}" for name in SERVICE_FILES)


def unreadable_among(layout: Layout, paths: Iterable[str]) -> list[Problem]:
    """What is wrong with those of the paths that are files of the project with a spec."""
    reads = (read for path in paths if (read := _reader(layout, path)))
    return [each for read in reads for each in _tried(read)]


def _reader(layout: Layout, path: str) -> Read | None:
    """What reads a file as its spec; None when it has none or is not there."""
    if layout.tree.read(path) is None:
        return None
    for pattern, read in SPECS.items():
        named = re.fullmatch(pattern, path)
        if named and (named["top"] != "environments" or named[2] in layout.order):
            return partial(read, layout, *named.groups()[1:])
    return None


def _tried(read: Read) -> list[Problem]:
    try:
        read()
    except MlopsError as error:
        return list(error.problems)
    return []


def _strange(layout: Layout) -> list[Problem]:
    """Folders of environments that are not in the order."""
    return [
        Problem(
            f"environments/{name}",
            "is not in `order` of mlops.toml",
            "add it there, or remove the folder",
        )
        for name in layout.tree.names("environments")
        if name not in layout.order
    ]


def _of(layout: Layout, environment: str, services: Iterable[str]) -> Iterator[Read]:
    yield partial(layout.environment, environment)
    for service in sorted(services):
        folder = folder_of(environment, service)
        if any(layout.tree.read(f"{folder}/{name}") is not None for name in SERVICE_FILES):
            yield partial(layout.settings, environment, service)
            yield partial(layout.release, environment, service)
            yield partial(layout.decision, environment, service)
            yield partial(layout.experiment, environment, service)
