"""Flights, each with the weather that was known at its planned departure, and whether it was late.

A row is what a forecast at the planned departure may know. What happened to the flight after that
makes the target and is passed on by no other column.
"""

from collections.abc import Mapping

import pandas as pd

LATE = 15
"""Minutes after the planned arrival from which a flight is late (U.S. Department of
Transportation, 14 CFR 234.2: on time is less than 15 minutes after the published arrival)."""
HOUR = pd.Timedelta(hours=1)
OLDEST = pd.Timedelta(hours=3)
"""How long an hour of weather speaks for the next; where none is newer the weather is missing."""
PLANNED = (
    "departs_at",
    "origin",
    "carrier",
    "flight",
    "dest",
    "distance",
    "month",
    "day",
    "hour",
)
"""What a timetable says of a flight. The plane (`tailnum`) is not in it: it may change until the
departure, and cancelled flights have none."""


def derive(sources: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Flights that arrived where they were planned to, with the target `late` (0 or 1)."""
    flights = sources["flights"]
    arrived = flights[flights["arr_delay"].notna()]
    planned = arrived.loc[:, list(PLANNED)]
    planned["weekday"] = planned["day"] % 7  # 1 January 2013 was a Tuesday
    planned["late"] = (arrived["arr_delay"] >= LATE).astype("int64")
    return with_weather(planned, sources["weather"])


def with_weather(planned: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Each departure with the newest hour at its airport that was over by then.

    The row of an hour holds reports until its 51st minute, so it is known when the hour is over,
    not when it begins: the hour of the departure itself is the future.
    """
    known = weather.rename(columns={"hour_at": "weather_at"})
    known = known.assign(known_at=known["weather_at"] + HOUR)
    joined = pd.merge_asof(
        planned.sort_values("departs_at", kind="stable"),
        known.sort_values("known_at", kind="stable"),
        left_on="departs_at",
        right_on="known_at",
        by="origin",
        direction="backward",
        tolerance=OLDEST,
    )
    return joined.drop(columns="known_at")
