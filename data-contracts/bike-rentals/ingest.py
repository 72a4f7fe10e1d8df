"""Raw hourly bike rentals to the table of the contract."""

import pandas as pd

YEAR = pd.Timestamp("2011-01-01")
PASSED_ON = (
    "season",
    "mnth",
    "day",
    "hr",
    "holiday",
    "weekday",
    "workingday",
    "weathersit",
    "temp",
    "atemp",
    "hum",
    "windspeed",
    "bikers",
)
COLUMNS = PASSED_ON
"""Raw columns that are needed. `casual` and `registered` are left out on purpose: they add up
to `bikers`, so a model that saw them would be told the answer."""


def ingest(raw: pd.DataFrame) -> pd.DataFrame:
    """The contract's table: `hour_at` made from the day of the year and the hour.

    Values stay text as they came, and the caller reads them as the contract's types; where
    day or hour is no number in its range, `hour_at` is missing.
    """
    day = pd.to_numeric(raw["day"], errors="coerce")
    hour = pd.to_numeric(raw["hr"], errors="coerce")
    days = pd.to_timedelta(day.where(day.between(1, 365)) - 1, unit="D")
    hours = pd.to_timedelta(hour.where(hour.between(0, 23)), unit="h")
    table = raw.loc[:, list(PASSED_ON)]
    table.insert(0, "hour_at", YEAR + days + hours)
    return table
