"""A model's feature code, loaded from its file in a source tree, a commit or a bento."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlops import digests
from mlops.errors import bad_input
from mlops.scoring.source import module_of

DEFINES = ("Record", "COLUMNS", "features")


@dataclass(frozen=True)
class Features:
    """What `models/<model>/features.py` defines.

    Attributes:
        record: pydantic model of one row, as a request carries it and the dataset holds it.
        columns: names of the features, in order.
        row: one record as its feature values, in the order of `columns`.
        digest: content digest of the file.
        path: where it was read from, for messages.
    """

    record: type[BaseModel]
    columns: tuple[str, ...]
    row: Callable[[Any], tuple[float, ...]]
    digest: str
    path: str


def load(file: Path) -> Features:
    """Load a features.py from disk; raises like `from_source`."""
    return from_source(file.read_bytes() if file.is_file() else None, str(file))


def from_source(content: bytes | None, path: str) -> Features:
    """Load a features.py from its bytes (None: there is no such file).

    Raises:
        BadInput: when it is missing, does not run or does not define all of `DEFINES`.
    """
    if content is None:
        raise bad_input(path, "file is missing", f"add it; it defines {', '.join(DEFINES)}")
    module = module_of(content, path)
    missing = [part for part in DEFINES if not hasattr(module, part)]
    if missing:
        raise bad_input(path, f"does not define {', '.join(missing)}", "define it")
    columns = tuple(module.COLUMNS)
    return Features(module.Record, columns, module.features, digests.of_bytes(content), path)
