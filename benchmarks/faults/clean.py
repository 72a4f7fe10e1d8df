"""Clean weeks: a network of stations by the hour, made from the real hourly bike rentals of 2011.

A week's days are real days, drawn from those of the same season (12 days about) and the same kind
(working day or not), so that weather, demand and their shape over the day stay together as they
came: a nearest-neighbour bootstrap of days. What the city rented is dealt to the stations by their
popularity, as Poisson counts. Scales are those of the source (UCI, hourly): -8 to 39 and -16 to
50 degrees Celsius, 100 % and 67 km/h.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RAW = Path(__file__).parents[2] / "data-contracts" / "bike-rentals" / "raw"
HOURS = 24 * 7
STATIONS = 5970
"""With HOURS, and at most 0.2 % of the rows lost on the way, 1,000,000 rows a week or some more."""
UTC_OFFSET = pd.Timedelta(hours=-5)
"""Of local time; the network keeps it all year."""
NEAR = 12
REAL_STATIONS = 100
"""About how many the city had: what it rented in an hour was rented at these."""
DISTRICTS = ("Adams", "Brightwood", "Capitol Hill", "Dupont", "Eckington", "Foggy Bottom",
             "Georgetown", "Hillcrest")  # fmt: skip
STREETS = ("Königsplatz", "Rue Général Foy", "Calle Peña", "Market Street", "Łazienki", "Harbour",
           "Mill Lane", "Station Road")  # fmt: skip
MEASURED = ("weather", "temp_c", "felt_c", "humidity_pct", "wind_kmh",
            "casual", "registered", "rentals", "minutes", "revenue_eur")  # fmt: skip
"""Columns that are neither key nor calendar nor a station's own."""


@dataclass(frozen=True)
class Real:
    """The real year: for each of its 365 days the hours, missing ones as the hour before.

    Attributes:
        measured: days on which every sensor worked; the others are no clean ones.
    """

    workingday: np.ndarray
    measured: np.ndarray
    holidays: frozenset[tuple[int, int]]
    columns: dict[str, np.ndarray]


@cache
def real() -> Real:
    """The raw files of the bike rentals as arrays of 365 days and 24 hours."""
    raw = pd.concat([pd.read_csv(file) for file in sorted(RAW.glob("*.csv"))])
    raw["hr"] = raw["hr"].astype(int)
    whole = pd.MultiIndex.from_product([range(1, 366), range(24)], names=["day", "hr"])
    by_hour = raw.set_index(["day", "hr"]).reindex(whole)
    counts = by_hour[["casual", "registered"]].fillna(0)
    weather = by_hour.drop(columns=["casual", "registered"]).ffill().bfill()
    weather["hum"] = weather["hum"].where(weather["hum"] > 0)  # 0 where the sensor was out
    columns = {
        "weather": weather["weathersit"],
        "temp_c": weather["temp"] * 47 - 8,
        "felt_c": weather["atemp"] * 66 - 16,
        "humidity_pct": weather["hum"] * 100,
        "wind_kmh": weather["windspeed"] * 67,
        "casual": counts["casual"] / REAL_STATIONS,
        "registered": counts["registered"] / REAL_STATIONS,
    }
    days = raw.drop_duplicates("day").sort_values("day")
    dates = pd.Timestamp("2011-01-01") + pd.to_timedelta(days["day"] - 1, unit="D")
    free = dates[days["holiday"].to_numpy() == 1]
    shaped = {name: values.to_numpy().reshape(365, 24) for name, values in columns.items()}
    return Real(
        workingday=days["workingday"].to_numpy(bool),
        measured=~np.isnan(shaped["humidity_pct"]).any(axis=1),
        holidays=frozenset((date.month, date.day) for date in free),
        columns=shaped,
    )


@cache
def network(stations: int) -> pd.DataFrame:
    """The stations, always the same: name, district, docks, and how popular they are."""
    chance = np.random.default_rng(2011)
    number = np.arange(1, stations + 1)
    return pd.DataFrame(
        {
            "station_id": [f"DC-{n:04d}" for n in number],
            "station_name": [f"{STREETS[n % len(STREETS)]} {n}" for n in number],
            "district": np.array(DISTRICTS)[chance.integers(0, len(DISTRICTS), stations)],
            "capacity": chance.choice([11, 15, 19, 23, 27, 31], stations),
            "popularity": chance.lognormal(-0.32, 0.8, stations),
        }
    )


def week(start: pd.Timestamp, seed: int, stations: int = STATIONS) -> pd.DataFrame:
    """The rows of a week, ordered by hour and station.

    Args:
        start: a Monday, 00:00 UTC.
        seed: of the days drawn, the counts and what is lost.
        stations: how many the network has.
    """
    chance = np.random.default_rng([seed, start.year, start.dayofyear])
    hour_at = pd.date_range(start, periods=HOURS, freq="h", unit="us")
    local = hour_at + UTC_OFFSET
    city, workingday = _city(local, chance)
    sites = network(stations)
    by_hour = {
        "hour_at": hour_at.to_numpy(),
        "local_hour": local.hour.to_numpy("int64"),
        "weekday": (local.dayofweek.to_numpy("int64") + 1) % 7,
        "workingday": workingday.astype("int64"),
        **{name: city[name] for name in ("temp_c", "felt_c", "humidity_pct", "wind_kmh")},
    }
    columns = {name: np.repeat(values, stations) for name, values in by_hour.items()}
    columns["weather"] = _repeated(city["weather"], stations)
    for name in ("station_id", "station_name", "district"):
        columns[name] = _tiled(sites[name], HOURS)
    columns["capacity"] = np.tile(sites["capacity"].to_numpy("int64"), HOURS)
    columns |= _rides(city, sites["popularity"].to_numpy(), chance)
    rows = HOURS * stations
    delay = np.minimum(chance.exponential(240, rows), 3000).astype("int64")
    columns["received_at"] = (
        columns["hour_at"] + np.timedelta64(1, "h") + delay.astype("timedelta64[s]")
    )
    frame = pd.DataFrame(columns)[list(COLUMNS)]
    unread = chance.random(rows) < chance.uniform(0.004, 0.006)
    frame.loc[unread, "wind_kmh"] = np.nan
    arrived = chance.random(rows) >= chance.uniform(0.001, 0.002)
    return frame[arrived].reset_index(drop=True)


COLUMNS = ("station_id", "station_name", "district", "capacity", "hour_at", "local_hour",
           "weekday", "workingday", *MEASURED, "received_at")  # fmt: skip


def _city(
    local: pd.DatetimeIndex, chance: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Weather and demand of the city by the hour, and which hours are of working days."""
    year = real()
    dates = local.normalize().unique()
    works = [d.dayofweek < 5 and (d.month, d.day) not in year.holidays for d in dates]
    drawn = [_alike(date, at_work, chance) for date, at_work in zip(dates, works, strict=True)]
    place = dates.get_indexer(local.normalize())
    found = {name: v[np.array(drawn)[place], local.hour] for name, v in year.columns.items()}
    jitter = chance.normal(0, 0.3, len(local))
    found["temp_c"] = np.round(found["temp_c"] + jitter, 1)
    found["felt_c"] = np.round(found["felt_c"] + jitter + chance.normal(0, 0.2, len(local)), 1)
    found["humidity_pct"] = np.round(found["humidity_pct"])
    found["wind_kmh"] = np.round(found["wind_kmh"], 1)
    return found, np.array(works)[place]


def _alike(date: pd.Timestamp, at_work: bool, chance: np.random.Generator) -> int:
    """A real day of the same season and the same kind, from 0."""
    near = (min(date.dayofyear, 365) - 1 + np.arange(-NEAR, NEAR + 1)) % 365
    alike = (real().workingday[near] == at_work) & real().measured[near]
    return int(chance.choice(near[alike]))


def _rides(
    city: dict[str, np.ndarray], popularity: np.ndarray, chance: np.random.Generator
) -> dict[str, np.ndarray]:
    """What is rented at each station in each hour, for how long, and what it brings."""
    casual = chance.poisson(np.outer(city["casual"], popularity)).ravel()
    registered = chance.poisson(np.outer(city["registered"], popularity)).ravel()
    rides = casual + registered
    spread = chance.gamma(np.maximum(2 * rides, 1)) / np.maximum(2 * rides, 1)
    minutes = np.round((26 * casual + 12 * registered) * spread).astype("int64")
    discount = 1 - 0.04 * chance.random(len(rides))
    revenue = np.round((1.0 * rides + 0.08 * minutes) * discount, 2)
    return {
        "casual": casual,
        "registered": registered,
        "rentals": rides,
        "minutes": minutes,
        "revenue_eur": revenue,
    }


def _repeated(values: np.ndarray, each: int) -> Any:
    codes, names = pd.factorize(values, sort=True)
    return pd.Categorical.from_codes(np.repeat(codes, each), pd.Index(names))


def _tiled(values: pd.Series, times: int) -> Any:
    codes, names = pd.factorize(values, sort=True)
    return pd.Categorical.from_codes(np.tile(codes, times), names)
