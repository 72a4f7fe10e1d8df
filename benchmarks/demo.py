"""How long the whole story takes, after set-up."""

import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.table import Figure
from mlops.demo.stage import Stage
from mlops.demo.story import tell

TEMPLATE = Path(__file__).parent.parent
GOAL = 180.0


def measure(*, small: bool) -> list[Figure]:
    """Wall seconds of the demo; told once, also in a small run."""
    del small
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder:
        stage = Stage(TEMPLATE, Path(folder) / "demo", Console(quiet=True))
        before = time.monotonic()
        with stage:
            tell(stage)
        seconds = time.monotonic() - before
    return [
        Figure(
            what="the demo, from its first line until everything it started has ended",
            value=seconds,
            unit="s",
            goal=GOAL,
            detail="once",
        )
    ]
