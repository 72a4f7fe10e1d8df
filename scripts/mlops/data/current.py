"""The version of a dataset that is pinned now, with its rows."""

from dataclasses import dataclass

import pandas as pd

from mlops.data import pin as pins
from mlops.data import table
from mlops.data.contract import Contract
from mlops.data.pin import Pin
from mlops.data.typed import conformed
from mlops.repository import Repository


@dataclass(frozen=True)
class Current:
    """The version that is pinned now: its rows as the contract has them, and as they are."""

    pin: Pin
    content: bytes
    columns: tuple[str, ...]
    rows: pd.DataFrame


def current(repo: Repository, contract: Contract) -> Current | None:
    """The pinned version; None when there is none yet."""
    if not (repo.root / pins.pin_path(contract.dataset)).is_file():
        return None
    pin = pins.read_pin(repo, contract.dataset)
    path = pins.fetch(repo, pin)
    loaded = table.load(path)
    rows = conformed(contract, loaded)
    return Current(pin, path.read_bytes(), tuple(loaded.columns), rows)
