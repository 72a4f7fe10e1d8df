"""Raw hourly weather to the table of the contract."""

import pandas as pd

PASSED_ON = (
    "origin",
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)
COLUMNS = (*PASSED_ON, "time_hour")
# 1,048 mph: an error of the source, known by its place. Any other such value is refused.
KNOWN_ERROR = ("EWR", pd.Timestamp("2013-02-12T08:00"), "1048.36058")


def ingest(raw: pd.DataFrame) -> pd.DataFrame:
    """The contract's table: the hour in UTC without zone, and one known error taken out.

    Values stay text as they came, the source's `NA` is missing; what cannot be read as a moment
    is missing, too.
    """
    known = raw.replace("NA", None)
    table = known.loc[:, list(PASSED_ON)]
    moments = pd.to_datetime(known["time_hour"], utc=True, errors="coerce").dt.tz_localize(None)
    table.insert(1, "hour_at", moments)
    place, hour, speed = KNOWN_ERROR
    wrong = (table["origin"] == place) & (table["hour_at"] == hour) & (table["wind_speed"] == speed)
    table["wind_speed"] = table["wind_speed"].mask(wrong)
    return table
