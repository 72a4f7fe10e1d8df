"""Values that are each possible, and too many, too few, too high or too even together."""

import numpy as np
import pandas as pd

from benchmarks.faults.clean import DISTRICTS
from benchmarks.faults.kind import SHARES, STRICT, kind, some_rows, some_stations

COUNTS = ("casual", "registered", "rentals", "minutes", "revenue_eur")


@kind(
    "more-demand",
    of="shifted distribution of the target",
    group="distribution",
    strengths=(1.25, 1.5, 2),
)
def _demand(frame: pd.DataFrame, factor: float, chance: np.random.Generator) -> pd.DataFrame:
    """More rides than people make: each is counted again with this chance, all columns agree."""
    more = {n: chance.binomial(frame[n], factor - 1) for n in ("casual", "registered")}
    frame["casual"] += more["casual"]
    frame["registered"] += more["registered"]
    grown = (frame["casual"] + frame["registered"]) / frame["rentals"].clip(lower=1)
    frame["rentals"] = frame["casual"] + frame["registered"]
    frame["minutes"] = (frame["minutes"] * grown).round().astype("int64")
    frame["revenue_eur"] = (frame["revenue_eur"] * grown).round(2)
    return frame


@kind(
    "shifted-temperature",
    of="shifted distribution: a sensor off by degrees",
    group="distribution",
    strengths=(2, 5, 10),
)
def _temperature(frame: pd.DataFrame, degrees: float, _: np.random.Generator) -> pd.DataFrame:
    frame["temp_c"] = (frame["temp_c"] + degrees).round(1)
    return frame


@kind("noise", of="Gaussian noise (JENGA)", group="distribution", strengths=(0.5, 2, 5))
def _noise(frame: pd.DataFrame, degrees: float, chance: np.random.Generator) -> pd.DataFrame:
    frame["temp_c"] = (frame["temp_c"] + chance.normal(0, degrees, len(frame))).round(1)
    return frame


@kind("spikes", of="outliers (Abedjan)", group="outliers", strengths=STRICT)
def _spikes(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_rows(frame, share, chance)
    frame.loc[rows, "minutes"] = frame.loc[rows, "minutes"] * 20 + 200
    return frame


@kind(
    "saturated-counter",
    of="clipped values (Abedjan: outliers that are lost)",
    group="distribution",
    strengths=(12, 8, 4),
)
def _saturated(frame: pd.DataFrame, most: float, _: np.random.Generator) -> pd.DataFrame:
    frame["registered"] = frame["registered"].clip(upper=int(most))
    frame["rentals"] = frame["casual"] + frame["registered"]
    return frame


@kind(
    "lost-counts",
    of="dead source (Oliveira): zeros for what was not counted",
    group="distribution",
    strengths=SHARES,
)
def _lost(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    frame.loc[some_stations(frame, share, chance), list(COUNTS)] = 0
    return frame


@kind(
    "lost-nights",
    of="selection bias: rows missing not at random",
    group="rows",
    strengths=(0.1, 0.5, 1),
)
def _nights(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    night = (frame["local_hour"] < 5) & (chance.random(len(frame)) < share)
    return frame[~night]


@kind(
    "districts-in-place-of-others",
    of="selection bias: another population",
    group="distribution",
    strengths=(1, 2, 4),
)
def _districts(frame: pd.DataFrame, count: float, chance: np.random.Generator) -> pd.DataFrame:
    """Rows of some districts are lost; in their place are those of other districts' stations."""
    lost = chance.choice(DISTRICTS, int(count), replace=False)
    own = ["station_id", "station_name", "district", "capacity"]
    gone = frame["district"].isin(lost).to_numpy()
    there = np.flatnonzero(~gone)
    taken = frame.iloc[chance.choice(there, int(gone.sum()))][own]
    for name in own:
        frame.loc[gone, name] = taken[name].to_numpy()
    return frame


@kind("sign-turned", of="erroneous entry: a sign (Kim)", group="outliers", strengths=SHARES)
def _sign(frame: pd.DataFrame, share: float, chance: np.random.Generator) -> pd.DataFrame:
    rows = some_rows(frame, share, chance)
    frame.loc[rows, "temp_c"] = -frame.loc[rows, "temp_c"]
    return frame
