"""Scoring together what was asked together.

LightGBM costs 88 us for a call of one row and 10 us a row in a batch. Requests whose bodies
are complete in the same turn of the event loop are therefore scored in one call; nobody waits
for others to come.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Score = Callable[[Sequence[Any]], NDArray[np.float64]]
Waiting = tuple[Sequence[Any], "asyncio.Future[list[float]]"]


class Batcher:
    """Gathers the rows of one turn of the event loop and scores them in one call."""

    def __init__(self, score: Score) -> None:
        self._score = score
        self._waiting: list[Waiting] = []

    async def score(self, rows: Sequence[Any]) -> list[float]:
        """Predictions of these rows; raises what scoring these rows alone raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[float]] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((rows, future))
        return await future

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            predictions = self._score([row for rows, _ in waiting for row in rows]).tolist()
        except Exception:  # noqa: BLE001 - told below to the one whose rows it was
            self._each_alone(waiting)
            return
        start = 0
        for rows, future in waiting:
            end = start + len(rows)
            if not future.done():
                future.set_result(predictions[start:end])
            start = end

    def _each_alone(self, waiting: Sequence[Waiting]) -> None:
        for rows, future in waiting:
            if future.done():
                continue
            try:
                future.set_result(self._score(rows).tolist())
            except Exception as error:  # noqa: BLE001 - handed to the caller
                future.set_exception(error)
