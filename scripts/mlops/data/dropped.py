"""Rows of a delivery that were dropped as its contract says: kept beside the quarantine.

They lie in `dropped/<dataset>/<first 12 of the delivery's SHA-256>/` in the stores, late rows apart
from duplicates, as raw rows: a file of them can be ingested when the contract has changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mlops import digests
from mlops.files import write_whole
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.repository import Repository


@dataclass(frozen=True)
class Dropped:
    """Rows of a file that were dropped, as the contract says of late or duplicate ones."""

    file: str
    late: int
    duplicates: int
    kept: str


def dropped_folder(repo: Repository, dataset: str, digest: str) -> Path:
    """Where rows of a delivery are kept; there when some were dropped."""
    return repo.stores / "dropped" / dataset / digests.short(digest)


def keep_dropped(
    repo: Repository, dataset: str, digest: str, raw: pd.DataFrame, rows: Mapping[str, pd.Index]
) -> None:
    """Write what is dropped of a delivery, each kind into a file of its name; nothing for none.

    Args:
        repo: the clone.
        dataset: its name.
        digest: the delivery's.
        raw: its raw rows; the index holds row numbers.
        rows: row numbers by kind: `late`, `duplicates`.
    """
    for kind, numbers in rows.items():
        if numbers.empty:
            continue
        content = raw[raw.index.isin(numbers)].to_csv(index=False).encode()
        path = dropped_folder(repo, dataset, digest) / f"{kind}.csv"
        write_whole(path, content)
        told.wrote(path, content, Thing("batch", dataset))
