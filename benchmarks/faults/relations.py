"""Values that are each possible, and do not belong together."""

import numpy as np
import pandas as pd

from benchmarks.faults.clean import DISTRICTS
from benchmarks.faults.kind import SHARES, STRICT, kind, some_rows, some_stations

BY_HOUR = ("weather", "temp_c", "felt_c", "humidity_pct")


@kind(
    "swapped-columns",
    of="entry into wrong fields (Kim), swapped columns (JENGA)",
    group="relation",
    strengths=SHARES,
)
def _swapped(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_stations(frame, share, chance)
    pair = ["casual", "registered"]
    frame.loc[rows, pair] = frame.loc[rows, pair[::-1]].to_numpy()
    return frame


@kind("shifted-columns", of="entry into wrong fields (Kim)", group="relation", strengths=SHARES)
def _shifted(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    """A field was left out, so that those after it stand one to the left."""
    rows = some_rows(frame, share, chance)
    names = ["temp_c", "felt_c", "humidity_pct", "wind_kmh"]
    frame.loc[rows, names] = frame.loc[rows, [*names[1:], names[-1]]].to_numpy()
    return frame


@kind("off-by-one-join", of="wrong reference (Oliveira)", group="relation", strengths=SHARES)
def _off_by_one(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    """The weather of the hour before."""
    rows = some_stations(frame, share, chance)
    by_hour = frame.drop_duplicates("hour_at").set_index("hour_at").sort_index()
    before = frame.loc[rows, "hour_at"] - pd.Timedelta(hours=1)
    before = before.where(before >= by_hour.index[0], by_hour.index[0])
    for name in BY_HOUR:
        frame.loc[rows, name] = by_hour[name].loc[before].to_numpy()
    return frame


@kind(
    "permuted-column",
    of="wrong derived field (Kim): of another row",
    group="relation",
    strengths=SHARES,
)
def _permuted(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_rows(frame, share, chance)
    frame.loc[rows, "minutes"] = chance.permutation(frame.loc[rows, "minutes"].to_numpy())
    return frame


@kind("wrong-sum", of="mutually inconsistent data (Kim)", group="relation", strengths=STRICT)
def _sum(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    frame.loc[some_rows(frame, share, chance), "rentals"] += 1
    return frame


@kind(
    "wrong-parent",
    of="violated functional dependency (Oliveira)",
    group="relation",
    strengths=STRICT,
)
def _parent(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_rows(frame, share, chance)
    other = (frame.loc[rows, "district"].cat.codes + 1) % len(DISTRICTS)
    frame.loc[rows, "district"] = frame["district"].cat.categories[other].to_numpy()
    return frame


@kind(
    "hours-from-one", of="off by one (Rahm, Do: other coding)", group="relation", strengths=SHARES
)
def _hours(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    """The hour of the day counted from 1, and 24 taken for 0."""
    rows = some_stations(frame, share, chance)
    frame.loc[rows, "local_hour"] = (frame.loc[rows, "local_hour"] + 1) % 24
    return frame


@kind("weekdays-from-monday", of="other coding (Rahm, Do)", group="relation", strengths=SHARES)
def _weekdays(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_stations(frame, share, chance)
    frame.loc[rows, "weekday"] = (frame.loc[rows, "weekday"] - 1) % 7
    return frame


@kind("wrong-flag", of="wrong categorical data (Kim)", group="relation", strengths=SHARES)
def _flag(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_rows(frame, share, chance)
    frame.loc[rows, "workingday"] = 1 - frame.loc[rows, "workingday"]
    return frame
