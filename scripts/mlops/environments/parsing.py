"""Every file of the project read once, so that all that is wrong is told at once."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from mlops.environments.kinds import SERVICE_FILES
from mlops.errors import MlopsError, Problem
from mlops.repository import Layout, folder_of

Read = Callable[[], object]
FILES_CAN_BE_READ = "files can be read"
"""Name of the check that a change's files are what their specs say."""


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


def unreadable(layout: Layout) -> list[Problem]:
    """What is wrong with the files below environments/, and with mlops.toml."""
    if problems := _tried(lambda: layout.project):
        return problems
    return [*_strange(layout), *(each for read in _environments(layout) for each in _tried(read))]


def unreadable_sources(layout: Layout) -> list[Problem]:
    """What is wrong with the services', models' and contracts' own files and the evidence."""
    return [each for read in _sources(layout) for each in _tried(read)]


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


def _environments(layout: Layout) -> Iterator[Read]:
    for environment in layout.order:
        yield partial(layout.environment, environment)
        for service in layout.served_in(environment):
            yield from _service(layout, environment, service)


def _service(layout: Layout, environment: str, service: str) -> Iterator[Read]:
    folder = folder_of(environment, service)
    present = {path.rpartition("/")[2] for path in layout.tree.files(folder)}
    if not present.intersection(SERVICE_FILES):
        return
    yield partial(layout.settings, environment, service)
    yield partial(layout.release, environment, service)
    yield partial(layout.decision, environment, service)
    yield partial(layout.experiment, environment, service)


def _sources(layout: Layout) -> Iterator[Read]:
    for service in layout.services():
        yield partial(layout.service, service)
        folder = f"apps/{service}/evidence"
        for path in layout.tree.files(folder):
            name = path.removeprefix(f"{folder}/")
            if name.endswith(".json"):
                yield partial(layout.evidence, service, name.removesuffix(".json"))
    for model in layout.models():
        yield partial(layout.model, model)
    for dataset in layout.datasets():
        yield partial(_contract, layout, dataset)
