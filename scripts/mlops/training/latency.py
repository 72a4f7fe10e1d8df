"""How long one scoring call of one row works on this machine."""

import time
from typing import Any

import numpy as np

from mlops.scoring.scorer import Scorer

WARM_UP = 50
CALLS = 300
BATCHES = 3


def one_row_ms(scorer: Scorer, record: Any) -> float:
    """99th percentile of the processor time of one-row calls, milliseconds, in process.

    A call waits for nothing but the processor, and what others do with that is not the model's:
    on a busy machine a clock on the wall would tell of them. The best of a few batches, because
    they also empty its caches.
    """
    _times(scorer, record, WARM_UP)
    return min(float(np.quantile(_times(scorer, record, CALLS), 0.99)) for _ in range(BATCHES))


def _times(scorer: Scorer, record: Any, calls: int) -> list[float]:
    times = []
    for _ in range(calls):
        start = time.process_time_ns()
        scorer.score([record])
        times.append((time.process_time_ns() - start) / 1e6)
    return times
