"""Which datasets are made of others: `derivedFrom` among a contract's custom properties."""

from collections.abc import Collection
from typing import Any

from mlops.data.contract import contract_path, known_dataset
from mlops.errors import BadInput, MlopsError, Problem, bad_input
from mlops.files import load_yaml
from mlops.repository import Layout

PROPERTY = "derivedFrom"
STEP = "derive.py"


def step_path(dataset: str) -> str:
    """`data-contracts/<dataset>/derive.py`."""
    return f"data-contracts/{dataset}/{STEP}"


def is_derived(layout: Layout, dataset: str) -> bool:
    """Whether a dataset is made of others, not ingested."""
    return layout.tree.read(step_path(dataset)) is not None


def sources_of(layout: Layout, dataset: str) -> tuple[str, ...]:
    """The datasets that a dataset is made of, as its contract names them; none when ingested.

    Raises:
        BadInput: when it is not known, or what the contract names cannot be its sources.
    """
    named = _named(layout, dataset)
    problems = [
        Problem(
            contract_path(dataset),
            f"`{PROPERTY}` names {name!r}, which is no dataset",
            f"name some of {', '.join(layout.datasets())}",
        )
        for name in named
        if name not in layout.datasets()
    ]
    if problems:
        raise BadInput(problems)
    if dataset in _all_sources(layout, named):
        what = f"`{PROPERTY}` leads back to {dataset} itself"
        raise bad_input(contract_path(dataset), what, "make it of other datasets")
    return named


def chain_of(layout: Layout, dataset: str) -> tuple[str, ...]:
    """A dataset and all that it is made of, directly or through others; each after its sources.

    Raises:
        BadInput: like `sources_of`, for each of them.
    """
    found: dict[str, None] = {}
    for source in sources_of(layout, dataset) if is_derived(layout, dataset) else ():
        found |= dict.fromkeys(chain_of(layout, source))
    return (*found, dataset)


def ingested_of(layout: Layout, dataset: str) -> tuple[str, ...]:
    """Those of `chain_of` that raw files go into: itself alone when it is ingested."""
    return tuple(name for name in chain_of(layout, dataset) if not is_derived(layout, name))


def with_derived(layout: Layout, datasets: Collection[str]) -> set[str]:
    """The datasets, and those made of them, directly or through others.

    One whose contract cannot be read counts as made of any: its own check tells what is wrong.
    """
    found = set(datasets)
    steps = layout.tree.read_each("data-contracts", STEP) if found else {}
    left = {name: _named_or_any(layout, name, datasets) for name in steps}
    while more := {name for name, named in left.items() if not found.isdisjoint(named)} - found:
        found |= more
    return found


def _named(layout: Layout, dataset: str) -> tuple[str, ...]:
    known_dataset(layout, dataset)
    path = contract_path(dataset)
    content: Any = load_yaml(layout.tree.read(path) or b"", path)
    given = (content.get("customProperties") or ()) if isinstance(content, dict) else ()
    value = next((each["value"] for each in given if each.get("property") == PROPERTY), None)
    if value is None and is_derived(layout, dataset):
        fix = f"name them below `customProperties`: {{property: {PROPERTY}, value: [...]}}"
        raise bad_input(path, f"names no datasets that {STEP} makes it of", fix)
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise bad_input(path, f"`{PROPERTY}` is {value!r}", "write a list of datasets")
    return tuple(dict.fromkeys(value))


def _named_or_any(layout: Layout, dataset: str, any_of: Collection[str]) -> Collection[str]:
    try:
        return _named(layout, dataset)
    except MlopsError:
        return any_of


def _all_sources(layout: Layout, named: Collection[str]) -> set[str]:
    """What these are, and what they are made of."""
    found: set[str] = set()
    left = list(named)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _named(layout, name) if name in layout.datasets() else ()
    return found
