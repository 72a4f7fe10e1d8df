"""A dataset made of others: its step run on their pinned versions, and what came of it pinned."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from mlops import digests
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.contract import Contract, read_contract
from mlops.data.currency import apart
from mlops.data.derivation import PROPERTY, sources_of, step_path
from mlops.data.pin import Pin, SourceVersion
from mlops.data.typed import conformed
from mlops.data.validated import remember
from mlops.data.validation import Report, validate
from mlops.errors import BadInput, NotGood, Problem, bad_input
from mlops.repository import Layout, Repository
from mlops.scoring.source import module_of

Step = Callable[[Mapping[str, pd.DataFrame]], pd.DataFrame]
"""A dataset's `derive(sources)`: the sources' rows by name, in their types, to its own; pure."""


@dataclass(frozen=True)
class Derived:
    """What was made.

    Attributes:
        old: the version before, or None.
        new: the version now; the same as `old` when nothing changed.
        sources: the versions it was made of.
        warnings: broken rules of severity warning.
    """

    old: Pin | None
    new: Pin
    sources: tuple[Pin, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is something to commit."""
        return self.new != self.old


@dataclass(frozen=True)
class Made:
    """A version that holds to its contract: its pin, its bytes, and the versions it is made of."""

    pin: Pin
    content: bytes
    sources: tuple[Pin, ...]
    report: Report


def derive(
    repo: Repository, dataset: str, *, progress: Callable[[str], None] = lambda _: None
) -> Derived:
    """Make a dataset of the versions that its sources are pinned at, and pin it.

    All or nothing, and safe to repeat: the same sources give the same version.

    Args:
        repo: the clone, held by the caller (`repo.exclusive`).
        dataset: its name.
        progress: told what is being done.

    Raises:
        BadInput: when it is not made of others, a source has no version, or the step fails.
        NotGood: when what came of it breaks the contract.
    """
    made = made_in(repo, repo, dataset, progress=progress)
    old = pins.read_pin(repo, dataset) if repo.tree.read(pins.pin_path(dataset)) else None
    if made.pin != old:
        progress("storing the version and pushing it to the DVC remote")
        pins.publish(repo, made.pin, made.content)
        remember(repo, repo, made.pin, made.report.summary(made.pin.digest))
    return Derived(old, made.pin, made.sources, made.report.warnings)


def made_in(
    repo: Repository,
    layout: Layout,
    dataset: str,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Made:
    """A dataset made of the versions that a tree pins, by its step and contract; not stored.

    Raises:
        BadInput: when it is not made of others, a source has no version, or the step fails.
        NotGood: when what came of it breaks the contract.
    """
    contract = read_contract(layout, dataset)
    sources = _pinned(layout, dataset)
    progress(f"making {dataset} of {', '.join(each.dataset for each in sources)}")
    rows = _made(repo, layout, contract, sources)
    progress("checking the new version")
    report = validate(contract, rows, subject=f"the new version of {dataset}")
    if not report.passed:
        raise NotGood(report.problems)
    content = table.encode(contract, report.typed)
    recorded = tuple(_version(each) for each in sources)
    pin = pins.pin_of(dataset, content, len(rows), contract.version, sources=recorded)
    return Made(pin, content, sources, report)


def derived_again(repo: Repository, layout: Layout, pin: Pin) -> bytes:
    """A version's bytes, made by a tree's step and contract of the versions that the pin names.

    Raises:
        BadInput: when the tree pins other versions of its sources, or they cannot be had.
    """
    sources = [pins.read_pin(layout, each.dataset) for each in pin.sources]
    if problems := apart(pin, sources):
        raise BadInput(problems)
    contract = read_contract(layout, pin.dataset)
    return table.encode(contract, conformed(contract, _made(repo, layout, contract, sources)))


def _version(pin: Pin) -> SourceVersion:
    return SourceVersion(dataset=pin.dataset, sha256=pin.digest.removeprefix(digests.PREFIX))


def _pinned(layout: Layout, dataset: str) -> tuple[Pin, ...]:
    """The versions of its sources; all that lack one are told."""
    names = sources_of(layout, dataset)
    if not names:
        what = f"names no `{PROPERTY}`: it is not made of other datasets"
        fix = f"mlops data ingest {dataset} FILE..."
        raise bad_input(f"data-contracts/{dataset}.odcs.yaml", what, fix)
    found: list[Pin] = []
    problems: list[Problem] = []
    for name in names:
        try:
            found.append(pins.read_pin(layout, name))
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return tuple(found)


def _made(
    repo: Repository, layout: Layout, contract: Contract, sources: Iterable[Pin]
) -> pd.DataFrame:
    """The step's rows in the order of the primary key, numbered from 1."""
    path = step_path(contract.dataset)
    step = _step(layout, path)
    rows = {each.dataset: table.load(pins.fetch(repo, each)) for each in sources}
    try:
        made = step(rows)
    except Exception as error:  # the fork's own code may raise anything
        what = f"derive(sources) failed with {type(error).__name__}: {error}"
        raise bad_input(path, what, "correct it") from error
    key = [name for name in contract.primary_key if name in made.columns]
    ordered = made.sort_values(key, kind="stable") if key else made
    return ordered.set_axis(pd.RangeIndex(1, len(made) + 1))


def _step(layout: Layout, path: str) -> Step:
    content = layout.tree.read(path)
    if content is None:
        raise bad_input(path, "file is missing", "add it; it defines derive(sources)")
    step: Step | None = getattr(module_of(content, path), "derive", None)
    if step is None:
        raise bad_input(path, "does not define derive", "define it")
    return step
