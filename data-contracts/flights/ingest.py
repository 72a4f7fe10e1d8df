"""Raw flights to the table of the contract."""

import pandas as pd

PASSED_ON = (
    "origin",
    "carrier",
    "flight",
    "tailnum",
    "dest",
    "distance",
    "month",
    "day",
    "hour",
    "sched_dep_time",
    "sched_arr_time",
    "dep_time",
    "arr_time",
    "dep_delay",
    "arr_delay",
    "air_time",
)
COLUMNS = (*PASSED_ON, "year", "minute", "time_hour")


def ingest(raw: pd.DataFrame) -> pd.DataFrame:
    """The contract's table: the planned departure in UTC, the day counted from 1 January.

    Values stay text as they came, the source's `NA` is missing; what cannot be read as a moment
    is missing, too.
    """
    known = raw.replace("NA", None)
    table = known.loc[:, list(PASSED_ON)]
    minutes = pd.to_timedelta(pd.to_numeric(known["minute"], errors="coerce"), unit="min")
    table.insert(0, "departs_at", _moment(known["time_hour"]) + minutes)
    date = known["year"] + "-" + known["month"] + "-" + known["day"]
    table["day"] = pd.to_datetime(date, format="%Y-%m-%d", errors="coerce").dt.dayofyear
    return table


def _moment(text: pd.Series) -> pd.Series:
    """UTC without zone, as the contract has it."""
    return pd.to_datetime(text, utc=True, errors="coerce").dt.tz_localize(None)
