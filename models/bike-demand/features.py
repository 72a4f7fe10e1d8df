"""Features of bike-demand, used by training and by serving."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Weather = Literal["clear", "cloudy/misty", "light rain/snow", "heavy rain/snow"]


class Record(BaseModel):
    """One hour, as a request carries it; weather is scaled to 0-1 as in the dataset."""

    model_config = ConfigDict(extra="forbid")

    hr: int = Field(ge=0, le=23, description="hour of the day")
    weekday: int = Field(ge=0, le=6, description="0 is Sunday")
    workingday: bool = Field(description="neither weekend nor holiday")
    weathersit: Weather
    temp: float = Field(ge=0, le=1)
    hum: float = Field(ge=0, le=1)
    windspeed: float = Field(ge=0, le=1)


COLUMNS = ("hr", "weekday", "workingday", "weather", "temp", "hum", "windspeed")
# From best to worst, so that one split of a tree parts good weather from bad.
WEATHER = {"clear": 0.0, "cloudy/misty": 1.0, "light rain/snow": 2.0, "heavy rain/snow": 3.0}


def features(record: Record) -> tuple[float, ...]:
    """Values in the order of COLUMNS."""
    return (
        float(record.hr),
        float(record.weekday),
        float(record.workingday),
        WEATHER[record.weathersit],
        record.temp,
        record.hum,
        record.windspeed,
    )
