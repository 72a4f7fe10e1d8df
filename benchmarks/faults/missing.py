"""Values, rows, hours, stations and columns that are not there, or look as if they were."""

import numpy as np
import pandas as pd

from benchmarks.faults.kind import SHARES, STRICT, hours, kind, some_rows, some_stations


@kind("missing-at-random", of="missing data, null allowed (Kim)", group="missing", strengths=SHARES)
def _at_random(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    frame.loc[some_rows(frame, share, chance), "wind_kmh"] = np.nan
    return frame


@kind(
    "missing-required", of="missing data, null not allowed (Kim)", group="missing", strengths=STRICT
)
def _required(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    frame["rentals"] = frame["rentals"].astype("Int64")
    frame.loc[some_rows(frame, share, chance), "rentals"] = pd.NA
    return frame


@kind(
    "missing-where-high",
    of="values missing not at random (JENGA)",
    group="missing",
    strengths=SHARES,
)
def _where_high(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    ranked = (frame["humidity_pct"] + chance.random(len(frame))).rank(pct=True)
    frame.loc[ranked > 1 - share, "humidity_pct"] = np.nan
    return frame


@kind(
    "disguised-missing",
    of="not missing but wrong: a stand-in for no value (Kim, Abedjan)",
    group="missing",
    strengths=SHARES,
)
def _disguised(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    frame.loc[some_rows(frame, share, chance), "humidity_pct"] = 0.0
    return frame


@kind("moment-of-zero", of="wrong default of a date (Rahm, Do)", group="missing", strengths=STRICT)
def _moment_of_zero(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    frame.loc[some_rows(frame, share, chance), "received_at"] = pd.Timestamp(0)
    return frame


@kind(
    "default-value",
    of="a default in place of the value (Rahm, Do)",
    group="missing",
    strengths=SHARES,
)
def _default(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    frame.loc[some_stations(frame, share, chance), "capacity"] = 19
    return frame


@kind("missing-hours", of="missing tuples in a row (Oliveira)", group="rows", strengths=SHARES)
def _hours(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    there = list(hours(frame))
    count = max(1, round(share * len(there)))
    start = int(chance.integers(0, len(there) - count))
    return frame[~frame["hour_at"].isin(there[start : start + count])]


@kind(
    "missing-stations", of="missing tuples of a source (Oliveira)", group="rows", strengths=SHARES
)
def _stations(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return frame[~some_stations(frame, share, chance)]


@kind("truncated-batch", of="lost transaction (Kim)", group="rows", strengths=SHARES)
def _truncated(frame: pd.DataFrame, share: float, _: np.random.Generator) -> pd.DataFrame:
    return frame.iloc[: round(len(frame) * (1 - share))]


@kind("dropped-columns", of="missing attribute (Rahm, Do)", group="schema", strengths=(1, 2, 4))
def _dropped(frame: pd.DataFrame, count: float, chance: np.random.Generator) -> pd.DataFrame:
    others = [str(name) for name in frame if name not in ("station_id", "hour_at")]
    return frame.drop(columns=list(chance.choice(others, int(count), replace=False)))
