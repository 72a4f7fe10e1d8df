"""Batches as they arrive: a Parquet file, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.faults.clean import STATIONS, week
from benchmarks.faults.kind import Kind

CONTRACT = Path(__file__).parent / "station-hours.odcs.yaml"
SENT_AFTER = pd.Timedelta(hours=3)
"""The week's end that its batch arrives."""
LEARNED_YEAR, YEARS = 2011, range(2012, 2016)
"""What is learned from, and what comes after; all with the days of the one real year."""
WEEKS = 52


@dataclass(frozen=True)
class Batch:
    """A week's file.

    Attributes:
        arrived: when it came, UTC.
    """

    file: Path
    arrived: pd.Timestamp


def reference(file: Path, seed: int, stations: int = STATIONS, weeks: int = WEEKS) -> Path:
    """A clean year as one Parquet file, ordered by time: what is pinned when batches come."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for start in mondays(LEARNED_YEAR, weeks):
        table = pa.Table.from_pandas(plain(week(start, seed, stations)), preserve_index=False)
        writer = writer or pq.ParquetWriter(file, table.schema, store_schema=False)
        writer.write_table(table)
    if writer:
        writer.close()
    return file


def mondays(year: int, weeks: int = WEEKS) -> Iterator[pd.Timestamp]:
    """The first Mondays of weeks that lie whole in a year, spread evenly over it."""
    first = pd.Timestamp(year, 1, 1)
    first += pd.Timedelta(days=-first.dayofweek % 7)
    for number in range(weeks):
        yield first + pd.Timedelta(weeks=number * WEEKS // weeks)


def start_of(seed: int) -> pd.Timestamp:
    """The Monday of the week that a seed stands for."""
    chance = np.random.default_rng([seed, 7])
    year = int(chance.choice(YEARS))
    return list(mondays(year))[int(chance.integers(WEEKS))]


def clean(seed: int, stations: int = STATIONS) -> pd.DataFrame:
    """The clean week of a seed."""
    return week(start_of(seed), seed, stations)


def planted(kind: Kind, strength: float, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A clean week with a fault in it."""
    chance = np.random.default_rng([seed, kind.strengths.index(strength), *kind.name.encode()])
    return kind.plant(frame, strength, chance)


def sent(frame: pd.DataFrame, seed: int, file: Path) -> Batch:
    """Write a week's rows, as they arrive after the week of the seed."""
    plain(frame).to_parquet(file, index=False, store_schema=False)
    return Batch(file, start_of(seed) + pd.Timedelta(weeks=1) + SENT_AFTER)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without categories, which a file does not have."""
    kept = {name: "str" for name in frame if frame[name].dtype == "category"}
    return frame.astype(kept)
