"""How long one record is held to a contract: the bike rentals', whose rules SQL is among."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import Figure, quantile
from mlops.data.contract import read_contract
from mlops.data.records import Checker
from mlops.data.stream import judged
from mlops.repository import Repository

TEMPLATE = Path(__file__).parent.parent
DATASET = "bike-rentals"
PUBLISHED = 150.0
"""Milliseconds for a record, as published for streaming validation."""
GOAL = 1.0
SHARE = 0.99
BATCHES = 3


def measure(*, small: bool) -> list[Figure]:
    """The 99th percentile of a line's time, from its bytes to its verdict, and lines a second.

    The clock is the processor's, as for a model's call (`training.latency`): nothing is waited
    for, and how busy the machine is with other work is not the checker's. The wall's is told, too.
    """
    checker = Checker(read_contract(Repository.at(TEMPLATE), DATASET))
    lines = _lines(300 if small else 5000)
    _times(checker, lines[:50])
    batches = [_times(checker, lines) for _ in range(BATCHES)]
    busy = min(quantile([each for each, _ in batch], SHARE) for batch in batches)
    wall = min(quantile([each for _, each in batch], SHARE) for batch in batches)
    half = min(quantile([each for each, _ in batch], 0.5) for batch in batches)
    rules = (
        f"{len(checker.judged)} rules, one of them SQL; best of {BATCHES} x {len(lines):,} lines"
    )
    seconds = min(sum(each for each, _ in batch) for batch in batches) / 1000
    return [
        Figure(
            what="a record held to its contract, 99th percentile of processor time",
            value=busy,
            unit="ms",
            goal=GOAL,
            detail=f"{rules}; {PUBLISHED / busy:.0f} times faster than {PUBLISHED:g} ms published; "
            f"median {half:.2f} ms, by the wall {wall:.2f} ms",
        ),
        Figure(
            what="records a second, one processor",
            value=len(lines) / seconds,
            unit="a second",
            goal=1000 / GOAL,
            detail=rules,
            bound="at least",
        ),
    ]


def _times(checker: Checker, lines: Sequence[bytes]) -> list[tuple[float, float]]:
    """Milliseconds of each line: of the processor, and of the wall."""
    found = []
    stream = _Lines(iter(lines))
    verdicts = judged(checker, stream)  # type: ignore[arg-type]  # what is read of it is there
    for _ in lines:
        busy, wall = time.process_time_ns(), time.perf_counter_ns()
        json.dumps(next(verdicts).as_json(checker.contract))
        found.append((time.process_time_ns() - busy, time.perf_counter_ns() - wall))
    return [(busy / 1e6, wall / 1e6) for busy, wall in found]


class _Lines:
    """A stream that has each line at hand when it is asked for."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def readline(self, _: int) -> bytes:
        """The next line."""
        return next(self._lines)


def _lines(count: int) -> list[bytes]:
    """Hours of January as JSON; in every tenth the weather is unknown."""
    return [json.dumps(_record(number)).encode() + b"\n" for number in range(count)]


def _record(number: int) -> dict[str, Any]:
    hour, day = number % 24, number // 24 % 31
    return {
        "hour_at": f"2011-01-{day + 1:02d}T{hour:02d}:00:00",
        "season": 1,
        "mnth": "Jan",
        "day": day + 1,
        "hr": hour,
        "holiday": 0,
        "weekday": (day + 6) % 7,
        "workingday": int((day + 6) % 7 not in (0, 6)),
        "weathersit": "hail" if number % 10 == 0 else "clear",
        "temp": 0.3,
        "atemp": 0.28,
        "hum": 0.5,
        "windspeed": 0.1,
        "bikers": 1 + number % 600,
    }
