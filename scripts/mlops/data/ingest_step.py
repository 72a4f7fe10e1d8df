"""A dataset's own step from raw rows to its contract's table."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from mlops.data.contract import Contract
from mlops.data.derivation import is_derived, step_path
from mlops.errors import bad_input
from mlops.repository import Layout
from mlops.scoring.source import module_of


@dataclass(frozen=True)
class Step:
    """A dataset's `ingest.py`.

    Attributes:
        path: of the file, relative to the clone.
        columns: the raw columns it needs.
        ingest: raw rows (text as it stands in the file) to the contract's table; pure, and
            keeps the index, which holds the row numbers.
    """

    path: str
    columns: tuple[str, ...]
    ingest: Callable[[pd.DataFrame], pd.DataFrame]


def read_step(layout: Layout, dataset: str) -> Step:
    """Load a dataset's ingest step from a tree.

    Raises:
        BadInput: when it is missing, cannot be run or does not define COLUMNS and ingest.
    """
    path = f"data-contracts/{dataset}/ingest.py"
    content = layout.tree.read(path)
    if content is None and is_derived(layout, dataset):
        what = f"{dataset} is not ingested, it is made of other datasets"
        raise bad_input(step_path(dataset), what, f"mlops data derive {dataset}")
    if content is None:
        raise bad_input(path, "file is missing", "add it; it defines COLUMNS and ingest(raw)")
    module = module_of(content, path)
    missing = [part for part in ("COLUMNS", "ingest") if not hasattr(module, part)]
    if missing:
        raise bad_input(path, f"does not define {', '.join(missing)}", "define it")
    return Step(path, tuple(module.COLUMNS), module.ingest)


def run_step(step: Step, raw: pd.DataFrame) -> pd.DataFrame:
    """The step's table of raw rows; raises `BadInput` when it fails or loses row numbers."""
    try:
        frame = step.ingest(raw.copy())
    except Exception as error:  # the fork's own code may raise anything
        what = f"ingest(raw) failed with {type(error).__name__}: {error}"
        fix = "correct it; values are text, leave those that cannot be read as they are"
        raise bad_input(step.path, what, fix) from error
    if not frame.index.isin(raw.index).all():
        raise bad_input(step.path, "ingest(raw) lost the row numbers", "keep the index of `raw`")
    return frame


def passed_on(step: Step, contract: Contract, raw: pd.DataFrame) -> pd.DataFrame:
    """The step's table of raw rows, or what it would pass on of such that lack its columns."""
    if set(step.columns).issubset(raw.columns):
        return run_step(step, raw)
    return raw.loc[:, [name for name in raw.columns if name in contract.names]]
