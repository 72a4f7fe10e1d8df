"""The chapters of the story, in order."""

import time
from collections.abc import Callable

from mlops.demo import chapters
from mlops.demo.stage import Stage

CHAPTERS: dict[str, Callable[[Stage], None]] = {
    "forge and followers": chapters.forge_and_followers,
    "data": chapters.data,
    "model": chapters.model,
    "release to dev": chapters.first_release,
    "promotion to staging and prod": chapters.promotions,
    "refusals": chapters.refusals,
    "drift and retraining": chapters.drift_and_retraining,
    "rollback": chapters.rollback,
}


def tell(stage: Stage) -> None:
    """All chapters, then the summary."""
    for name, chapter in CHAPTERS.items():
        before = time.monotonic()
        chapter(stage)
        stage.result(f"time of {name}", f"{time.monotonic() - before:.0f} s")
    chapters.summary(stage)
