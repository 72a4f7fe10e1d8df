"""Features of bike-demand: one value a column, and only rows a person could mean."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlops.scoring.features import load

CODE = load(Path(__file__).parents[1] / "features.py")
ROW = {
    "hr": 8,
    "weekday": 1,
    "workingday": True,
    "weathersit": "clear",
    "temp": 0.4,
    "hum": 0.5,
    "windspeed": 0.1,
}
share = st.floats(0, 1)


@given(
    st.fixed_dictionaries(
        {
            "hr": st.integers(0, 23),
            "weekday": st.integers(0, 6),
            "workingday": st.booleans(),
            "weathersit": st.sampled_from(
                ["clear", "cloudy/misty", "light rain/snow", "heavy rain/snow"]
            ),
            "temp": share,
            "hum": share,
            "windspeed": share,
        }
    )
)
def test_a_row_gives_one_number_for_each_column(row: dict[str, object]) -> None:
    values = CODE.row(CODE.record.model_validate(row))
    assert len(values) == len(CODE.columns)
    assert all(isinstance(value, float) for value in values)


def test_worse_weather_is_a_larger_value() -> None:
    place = CODE.columns.index("weather")
    order = ["clear", "cloudy/misty", "light rain/snow", "heavy rain/snow"]
    rows = [CODE.record.model_validate({**ROW, "weathersit": weather}) for weather in order]
    assert [CODE.row(row)[place] for row in rows] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("key", "value"),
    [("hr", 24), ("weekday", -1), ("weathersit", "hail"), ("temp", 1.5), ("bikers", 3)],
)
def test_an_hour_that_cannot_be_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        CODE.record.model_validate({**ROW, key: value})
