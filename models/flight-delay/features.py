"""Features of flight-delay, used by training and by serving."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Airport = Literal["EWR", "JFK", "LGA"]
Carrier = Literal[
    "9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"
]  # fmt: skip


class Record(BaseModel):
    """A flight at its planned departure; the weather is that of the last hour that is over.

    Weather that is not known is left out, or null.
    """

    model_config = ConfigDict(extra="forbid")

    carrier: Carrier = Field(description="airline (IATA)")
    origin: Airport
    distance: float = Field(gt=0, le=6000, description="to the destination, miles")
    weekday: int = Field(ge=0, le=6, description="0 is Monday")
    hour: int = Field(ge=0, le=23, description="of the planned departure, local time")
    temp: float | None = Field(default=None, ge=-40, le=120, description="°F")
    humid: float | None = Field(default=None, ge=0, le=100, description="relative humidity, %")
    wind_speed: float | None = Field(default=None, ge=0, le=120, description="mph")
    wind_gust: float | None = Field(
        default=None, ge=0, le=150, description="mph; null: none were reported"
    )
    precip: float | None = Field(default=None, ge=0, le=5, description="inches")
    pressure: float | None = Field(default=None, ge=900, le=1080, description="mbar")
    visib: float | None = Field(default=None, ge=0, le=10, description="miles, at most 10")


COLUMNS = (
    "carrier",
    "origin",
    "distance",
    "weekday",
    "hour",
    "temp",
    "humid",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)
# By name alone: train.py tells LightGBM that these numbers are names.
CARRIERS = {name: float(place) for place, name in enumerate(get_args(Carrier))}
AIRPORTS = {name: float(place) for place, name in enumerate(get_args(Airport))}
UNKNOWN = float("nan")


def features(record: Record) -> tuple[float, ...]:
    """Values in the order of COLUMNS; NaN where the weather is not known."""
    return (
        CARRIERS[record.carrier],
        AIRPORTS[record.origin],
        record.distance,
        float(record.weekday),
        float(record.hour),
        _known(record.temp),
        _known(record.humid),
        _known(record.wind_speed),
        _known(record.wind_gust),
        _known(record.precip),
        _known(record.pressure),
        _known(record.visib),
    )


def _known(value: float | None) -> float:
    return UNKNOWN if value is None else value
