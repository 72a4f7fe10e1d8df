"""Every file of the project read once, so that all that is wrong is told at once."""

from collections.abc import Callable, Iterator
from functools import partial

from mlops.environments.kinds import SERVICE_FILES
from mlops.errors import MlopsError, Problem
from mlops.repository import Layout, folder_of

Read = Callable[[], object]


def unreadable(layout: Layout) -> list[Problem]:
    """What is wrong with the files below environments/, and with mlops.toml."""
    if problems := _tried(lambda: layout.project):
        return problems
    return [*_strange(layout), *(each for read in _environments(layout) for each in _tried(read))]


def unreadable_sources(layout: Layout) -> list[Problem]:
    """What is wrong with the services', models' and contracts' own files and the evidence."""
    return [each for read in _sources(layout) for each in _tried(read)]


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
    from mlops.data.contract import read_contract

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
        yield partial(read_contract, layout, dataset)
