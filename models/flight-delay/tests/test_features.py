"""Features of flight-delay: a value a column, weather that is not known, flights that can be."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlops.scoring.features import load

CODE = load(Path(__file__).parents[1] / "features.py")
FLIGHT = {"carrier": "B6", "origin": "JFK", "distance": 1069, "weekday": 4, "hour": 18}
WEATHER = ("temp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
flights = st.fixed_dictionaries(
    {
        "carrier": st.sampled_from(["9E", "B6", "UA", "YV"]),
        "origin": st.sampled_from(["EWR", "JFK", "LGA"]),
        "distance": st.integers(1, 6000),
        "weekday": st.integers(0, 6),
        "hour": st.integers(0, 23),
    },
    optional={
        "temp": st.none() | st.floats(-40, 120),
        "wind_gust": st.none() | st.floats(0, 150),
        "pressure": st.none() | st.floats(900, 1080),
    },
)


@given(flights)
def test_a_flight_gives_one_number_for_each_column(flight: dict[str, object]) -> None:
    values = CODE.row(CODE.record.model_validate(flight))
    assert len(values) == len(CODE.columns)
    assert all(isinstance(value, float) for value in values)


@given(flights)
def test_weather_that_is_null_is_as_weather_that_is_left_out(flight: dict[str, object]) -> None:
    known = {name: value for name, value in flight.items() if value is not None}
    spelt = CODE.row(CODE.record.model_validate({**dict.fromkeys(WEATHER), **flight}))
    assert str(spelt) == str(CODE.row(CODE.record.model_validate(known)))


def test_only_weather_may_be_unknown() -> None:
    values = dict(zip(CODE.columns, CODE.row(CODE.record.model_validate(FLIGHT)), strict=True))
    assert {name for name, value in values.items() if math.isnan(value)} == set(WEATHER)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("carrier", "ZZ"),
        ("origin", "BOS"),
        ("hour", 24),
        ("weekday", 7),
        ("wind_speed", 1048.4),
        ("dep_delay", 5),
    ],
)
def test_a_flight_that_cannot_be_is_refused_and_so_is_what_happens_after_the_plan(
    key: str, value: object
) -> None:
    with pytest.raises(ValidationError):
        CODE.record.model_validate({**FLIGHT, key: value})
