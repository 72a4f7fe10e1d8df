"""Moments that are not the right ones, and values of another moment."""

import numpy as np
import pandas as pd

from benchmarks.faults.clean import MEASURED, UTC_OFFSET
from benchmarks.faults.kind import SHARES, STRICT, kind, some_rows, some_stations


def _moved(frame: pd.DataFrame, rows: np.ndarray, column: str, by: pd.Timedelta) -> pd.DataFrame:
    frame.loc[rows, column] = frame.loc[rows, column] + by
    return frame


@kind(
    "local-time-for-utc",
    of="other representation of time (Kim)",
    group="relation",
    strengths=SHARES,
)
def _local(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _moved(frame, some_stations(frame, share, chance), "hour_at", UTC_OFFSET)


@kind("summer-time", of="other representation of time (Kim)", group="relation", strengths=SHARES)
def _summer(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _moved(frame, some_stations(frame, share, chance), "hour_at", pd.Timedelta(hours=1))


@kind("next-year", of="erroneous entry of a date (Kim)", group="outliers", strengths=STRICT)
def _next_year(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _moved(frame, some_rows(frame, share, chance), "hour_at", pd.Timedelta(days=364))


@kind("off-the-hour", of="clock of the source (Oliveira)", group="relation", strengths=SHARES)
def _off(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _moved(frame, some_stations(frame, share, chance), "hour_at", pd.Timedelta(minutes=7))


@kind(
    "received-before-it-was",
    of="mutually inconsistent data (Kim)",
    group="relation",
    strengths=STRICT,
)
def _before(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return _moved(frame, some_rows(frame, share, chance), "received_at", pd.Timedelta(hours=-3))


@kind("stale-days", of="outdated temporal data (Kim)", group="distribution", strengths=(1, 2, 4))
def _stale(frame: pd.DataFrame, days: float, _: np.random.Generator) -> pd.DataFrame:
    """The last days hold the values of the days before them, under their own dates."""
    back = pd.Timedelta(days=int(days) if days < 4 else 3)
    key = ["station_id", "hour_at"]
    since = frame["hour_at"].max() - pd.Timedelta(days=days)
    old = frame[[*key, *MEASURED]].assign(hour_at=frame["hour_at"] + back)
    late = frame[frame["hour_at"] > since].drop(columns=list(MEASURED))
    again = late.merge(old, on=key)[list(frame)]
    found: pd.DataFrame = pd.concat([frame[frame["hour_at"] <= since], again], ignore_index=True)
    return found


@kind("frozen-feed", of="outdated temporal data (Kim)", group="distribution", strengths=SHARES)
def _frozen(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    """From the third day on a station sends what it sent last."""
    since = frame["hour_at"].min() + pd.Timedelta(days=2)
    rows = some_stations(frame, share, chance) & (frame["hour_at"] >= since)
    last = frame[frame["hour_at"] < since].groupby("station_id", observed=True).last()
    for name in ("casual", "registered", "rentals", "minutes", "revenue_eur"):
        frozen = frame.loc[rows, "station_id"].map(last[name]).to_numpy(frame[name].dtype)
        frame.loc[rows, name] = frozen
    return frame


@kind(
    "late-batch",
    of="outdated temporal data (Kim): a whole batch of weeks ago, sent again",
    group="rows",
    strengths=(1, 4, 26),
)
def _late(frame: pd.DataFrame, weeks: float, _: np.random.Generator) -> pd.DataFrame:
    """As if it were of so many weeks ago; it arrives when the batch given would."""
    for name in ("hour_at", "received_at"):
        frame[name] = frame[name] - pd.Timedelta(weeks=int(weeks))
    return frame
