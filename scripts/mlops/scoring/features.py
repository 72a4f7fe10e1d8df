"""A model's feature code, loaded from its folder in the source tree or in a bento."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlops import digests
from mlops.errors import bad_input


@dataclass(frozen=True)
class Features:
    """What `models/<model>/features.py` defines.

    Attributes:
        record: pydantic model of one row, as a request carries it and the dataset holds it.
        columns: names of the features, in order.
        row: one record as its feature values, in the order of `columns`.
        digest: content digest of the file.
    """

    record: type[BaseModel]
    columns: tuple[str, ...]
    row: Callable[[Any], tuple[float, ...]]
    digest: str


def load(file: Path) -> Features:
    """Load a features.py.

    Raises:
        BadInput: when it is missing or does not define Record, COLUMNS and features.
    """
    if not file.is_file():
        raise bad_input(file, "file is missing", "add it; it defines Record, COLUMNS and features")
    digest = digests.of_file(file)
    # Named by content, so that a champion's and a challenger's code live side by side.
    name = f"mlops_features_{digests.short(digest)}"
    module = sys.modules.get(name) or _imported(name, file)
    missing = [part for part in ("Record", "COLUMNS", "features") if not hasattr(module, part)]
    if missing:
        raise bad_input(file, f"does not define {', '.join(missing)}", "define it")
    return Features(module.Record, tuple(module.COLUMNS), module.features, digest)


def _imported(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise bad_input(file, "is not a Python file", "correct it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
