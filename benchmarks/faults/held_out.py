"""Which kinds and seeds a detector may be tuned on, and which are kept for the report.

HELD_OUT was drawn and written down before any detector was. What tunes asks `for_tuning`, which
cannot give a kind or a seed of the report.
"""

import random

from benchmarks.faults.all_kinds import KINDS
from benchmarks.faults.kind import Kind

DRAW = 6
"""Seed of the draw."""
HELD_OUT = frozenset(
    {
        "broken-encoding",
        "cents-for-euros",
        "cut-text",
        "disguised-missing",
        "fahrenheit-for-celsius",
        "local-time-for-utc",
        "lost-counts",
        "metres-a-second",
        "missing-required",
        "noise",
        "off-by-one-join",
        "received-before-it-was",
        "renamed-columns",
        "shifted-columns",
        "swapped-columns",
        "truncated-batch",
        "unknown-station",
        "weekdays-from-monday",
    }
)
TUNING_SEEDS = range(1_000)
REPORT_SEEDS = range(4_000_000, 4_001_000)
REFERENCE_SEED = 2_000_000
"""Of the year that is learned from."""
if set(TUNING_SEEDS) & set(REPORT_SEEDS):
    raise AssertionError("a seed is the tuning's and the report's")


def drawn() -> frozenset[str]:
    """A third of the kinds, by the seed."""
    names = sorted(KINDS)
    return frozenset(random.Random(DRAW).sample(names, len(names) // 3))


def for_tuning(seed: int) -> dict[str, Kind]:
    """The kinds that are not held out.

    Raises:
        ValueError: for a seed that is not one of the tuning's.
    """
    if seed not in TUNING_SEEDS:
        raise ValueError(f"{seed} is no seed to tune with; take one of {TUNING_SEEDS}")
    return {name: each for name, each in KINDS.items() if name not in HELD_OUT}


def for_report(seed: int) -> dict[str, Kind]:
    """All kinds.

    Raises:
        ValueError: for a seed that somebody may have tuned with.
    """
    if seed not in REPORT_SEEDS:
        raise ValueError(f"{seed} is no seed of a report; take one of {REPORT_SEEDS}")
    return dict(KINDS)
