"""Rows that come twice, and keys of nothing."""

import numpy as np
import pandas as pd

from benchmarks.faults.clean import DISTRICTS
from benchmarks.faults.kind import SHARES, STRICT, as_text, kind, some_rows, some_stations


@kind("repeated-rows", of="duplicated data (Kim)", group="duplicates", strengths=STRICT)
def _rows(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    return pd.concat([frame, frame[some_rows(frame, share, chance)]], ignore_index=True)


@kind(
    "repeated-keys", of="inconsistent duplicates (Oliveira)", group="duplicates", strengths=STRICT
)
def _keys(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    again = frame[some_rows(frame, share, chance)].copy()
    again["minutes"] += 5
    return pd.concat([frame, again], ignore_index=True)


@kind("unknown-station", of="dangling data (Kim)", group="relation", strengths=SHARES)
def _unknown(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_stations(frame, share, chance)
    as_text(frame, "station_id")
    number = frame.loc[rows, "station_id"].str[-4:].astype(int)
    frame.loc[rows, "station_id"] = "DC-" + (number % 3000 + 7000).astype("str")
    return frame


@kind(
    "key-spelt-otherwise",
    of="other form of the same entity (Kim)",
    group="duplicates",
    strengths=STRICT,
)
def _spelt(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_rows(frame, share, chance)
    as_text(frame, "station_id")
    frame.loc[rows, "station_id"] = frame.loc[rows, "station_id"].str.lower()
    return frame


@kind(
    "fan-out-join",
    of="duplicates by integration of sources (Rahm, Do)",
    group="duplicates",
    strengths=SHARES,
)
def _fan_out(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    again = frame[some_stations(frame, share, chance)].copy()
    again["district"] = DISTRICTS[int(chance.integers(len(DISTRICTS)))]
    as_text(frame, "district")
    return pd.concat([frame, again], ignore_index=True)
