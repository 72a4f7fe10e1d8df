"""The prediction log as the serving thread sees it: an answer is added, or it is not."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import random
from time import time_ns
from typing import Any

from mlops.serving.predictions.asked import Asked
from mlops.serving.predictions.backlog import Backlog
from mlops.serving.predictions.columns import Answer, Rows
from mlops.serving.predictions.identity import identity_at
from mlops.serving.predictions.writer import Writer

FLUSH_SECONDS = 5.0
"""How long the last rows may take to be written when the process ends."""


class Log:
    """Takes answers in without waiting for anything.

    Args:
        asked: what is wanted.
        rows: what of its records.
        release: its number.
        models: digest by name.
    """

    def __init__(self, asked: Asked, rows: Rows, release: int, models: Mapping[str, str]) -> None:
        self._share = asked.share
        self._backlog = Backlog()
        self._writer = Writer(asked, self._backlog, rows, release, models)

    def take(
        self, rows: Sequence[Any], predictions: Sequence[float], size: int, seconds: float
    ) -> str | None:
        """Log an answer; returns its identity, None when it is not logged.

        Args:
            rows: the records.
            predictions: one for each.
            size: bytes of the request.
            seconds: that they took.
        """
        if self._share < 1 and random() >= self._share:  # noqa: S311 - a sample, no secret
            return None
        if not self._backlog.has_room(len(rows), size):
            return None
        at = time_ns()
        identity = identity_at(at)
        self._backlog.add(Answer(identity, at, rows, predictions, seconds, size))
        return identity

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write until the block ends, then what is left."""
        self._writer.start()
        try:
            yield
        finally:
            self._writer.end(FLUSH_SECONDS)
