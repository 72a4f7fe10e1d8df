"""Packages that a service's image does not hold, made not importable in its process.

An image is installed from requirements/serve.txt. A machine that also trains holds more, and
LightGBM imports all of these when it finds them: 1.5 s of start-up for nothing. Refusing them
here also means that a service that needs one fails on the laptop, not first in its image.
"""

import sys

ABSENT = ("dask", "matplotlib", "mlflow", "pandas", "polars", "pyarrow", "sklearn")


def refuse() -> None:
    """Make an import of an absent package fail; call it before anything heavy is imported."""
    for name in ABSENT:
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it fails
