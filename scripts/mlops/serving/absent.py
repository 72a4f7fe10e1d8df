"""Packages that a service does not import, made not importable in its process.

An image is installed from requirements/serve.txt. A machine that also trains holds more, and
LightGBM imports all of these when it finds them: 1.5 s of start-up for nothing. Refusing them
here also means that a service that needs one fails on the laptop, not first in its image.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder

ABSENT = ("dask", "matplotlib", "mlflow", "pandas", "polars", "sklearn")
"""Not in the image."""
OF_THE_LOG = "pyarrow"
"""In the image for the prediction log alone, which imports it when all else is loaded."""


class _Refusing(MetaPathFinder):
    """Asked before all others; an import of what it refuses fails as of what is not installed."""

    def __init__(self) -> None:
        self.refused = {*ABSENT, OF_THE_LOG}

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: object = None) -> None:
        """Raise for what is refused; the others are left to those who know them."""
        del path, target
        if fullname in self.refused:
            why = f"No module named {fullname!r}"
            if fullname == OF_THE_LOG:
                why = f"{fullname} is the prediction log's alone, it would slow each start down"
            raise ModuleNotFoundError(why, name=fullname)


_REFUSING = _Refusing()


def refuse() -> None:
    """Make an import of these packages fail; call it before anything heavy is imported."""
    if _REFUSING not in sys.meta_path:
        sys.meta_path.insert(0, _REFUSING)


def allow_log() -> None:
    """Let the prediction log import what is its own."""
    _REFUSING.refused.discard(OF_THE_LOG)
