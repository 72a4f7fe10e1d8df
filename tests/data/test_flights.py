"""The flights: as in their source, good by their contracts, and joined with nothing from the future."""

import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops import digests
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.contract import read_contract
from mlops.data.derive import derive
from mlops.data.ingest import ingest
from mlops.data.ingest_step import read_step
from mlops.data.raw import read_raw
from mlops.repository import Repository
from mlops.scoring.source import module_of
from tests.team import ROOT, make_clone

EXCERPT = ROOT / "tests" / "fixtures" / "flights"
"""Every twelfth day of the source: a ninth of its flights, its weather from two o'clock on."""
OUTCOMES = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum")
NAME = "flights-with-weather"


def module(path: str) -> ModuleType:
    file = ROOT / "data-contracts" / path
    return module_of(file.read_bytes(), str(file))


JOIN = module(f"{NAME}/derive.py")


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    """A clone with the template's own data files."""
    return make_clone(tmp_path / "clone")


def test_the_months_hold_the_lines_of_the_source_byte_for_byte_and_in_order() -> None:
    content = (EXCERPT / "flights.csv").read_bytes()
    months = module("flights/fetch.py").by_month(content)
    header = content.partition(b"\n")[0] + b"\n"
    rows = {name: part.removeprefix(header) for name, part in months.items()}
    assert sorted(months) == [f"2013-{month:02}" for month in range(1, 13)]
    assert all(part.startswith(header) for part in months.values())
    in_order = content.removeprefix(header).splitlines()
    assert sorted(b"".join(rows.values()).splitlines()) == sorted(in_order)
    for name, part in rows.items():
        month = str(int(name[-2:])).encode()
        assert part.splitlines() == [line for line in in_order if line.split(b",")[1] == month]


@pytest.mark.parametrize("dataset", ["flights", "weather"])
def test_a_step_gives_the_columns_of_its_contract_and_reads_every_moment(
    clone: Repository, dataset: str
) -> None:
    step = read_step(clone, dataset)
    rows = step.ingest(read_raw(clone, EXCERPT / f"{dataset}.csv"))
    contract = read_contract(clone, dataset)
    assert set(rows.columns) == set(contract.names)
    assert rows[list(contract.primary_key)].notna().all(axis=None)
    assert not rows.isin(["NA"]).any(axis=None)


def test_one_wind_speed_is_known_to_be_wrong_and_no_other_is_touched(clone: Repository) -> None:
    step = read_step(clone, "weather")
    raw = read_raw(clone, EXCERPT / "weather.csv").head(3)
    raw["origin"] = "EWR"
    raw["time_hour"] = ["2013-02-12T08:00:00Z", "2013-02-12T08:00:00Z", "2013-02-12T09:00:00Z"]
    raw["wind_speed"] = ["1048.36058", "1048.4", "1048.36058"]
    assert step.ingest(raw)["wind_speed"].isna().tolist() == [True, False, False]


@pytest.mark.slow
def test_the_excerpt_holds_to_the_contracts_and_gives_the_same_version_each_time(
    clone: Repository,
) -> None:
    for dataset in ("flights", "weather"):
        done = ingest(clone, dataset, [EXCERPT / f"{dataset}.csv"])
        assert done.warnings == ()
    first = derive(clone, NAME)
    assert derive(clone, NAME).new == first.new
    assert [each.dataset for each in first.sources] == ["flights", "weather"]
    rows = table.load(pins.fetch(clone, first.new))
    flights = table.load(pins.fetch(clone, first.sources[0]))
    assert len(rows) == flights["arr_delay"].notna().sum() == first.new.rows
    assert rows["late"].mean() == pytest.approx((flights["arr_delay"].dropna() >= 15).mean())
    pins.stored(clone, first.new).unlink()
    shutil.rmtree(clone.stores / "dvc")
    assert digests.of_file(pins.fetch(clone, first.new)) == first.new.digest


MIDNIGHT = pd.Timestamp("2013-06-01")
AIRPORTS = st.sampled_from(["EWR", "JFK"])
minutes = st.integers(0, 12 * 60)


@st.composite
def flights(draw: st.DrawFn) -> pd.DataFrame:
    """Up to twelve flights of half a day; some were cancelled."""
    planned = draw(st.lists(st.tuples(minutes, AIRPORTS), min_size=1, max_size=12))
    delays = draw(st.lists(st.sampled_from([-20.0, 14.0, 15.0, 90.0, None]), min_size=len(planned),
                           max_size=len(planned)))  # fmt: skip
    frame = pd.DataFrame(
        {
            "departs_at": [MIDNIGHT + pd.Timedelta(minutes=at) for at, _ in planned],
            "origin": [origin for _, origin in planned],
            "carrier": "UA",
            "flight": range(len(planned)),
            "dest": "IAH",
            "distance": 1400,
            "month": 6,
            "day": 152,
            "hour": 5,
            "tailnum": "N14228",
            "arr_delay": pd.Series(delays, dtype="float64"),
        }
    )
    return frame.assign(
        dep_time=517.0, dep_delay=frame["arr_delay"], arr_time=830.0, air_time=227.0
    )


@st.composite
def weather(draw: st.DrawFn) -> pd.DataFrame:
    """Some hours at two airports, with gaps, from the evening before on."""
    hours = draw(st.sets(st.tuples(st.integers(-6, 14), AIRPORTS), min_size=1, max_size=30))
    return pd.DataFrame(
        {
            "origin": [origin for _, origin in sorted(hours)],
            "hour_at": [MIDNIGHT + pd.Timedelta(hours=hour) for hour, _ in sorted(hours)],
            "temp": [float(hour) for hour, _ in sorted(hours)],
        }
    )


def joined(planned: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    made: pd.DataFrame = JOIN.derive({"flights": planned, "weather": hours})
    return made.sort_values("flight", ignore_index=True)


@given(flights(), weather(), st.data())
def test_nothing_that_happens_after_a_planned_departure_changes_its_row(
    planned: pd.DataFrame, hours: pd.DataFrame, data: st.DataObject
) -> None:
    """Every source row that is not known by then is changed, taken away, or joined by others."""
    now = data.draw(st.sampled_from(sorted(planned["departs_at"])))
    until_now = planned["departs_at"] <= now
    future_hour = hours["hour_at"] + pd.Timedelta(hours=1) > now
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(hours), max_size=len(hours))))
    other_hours = hours.assign(temp=hours["temp"].mask(future_hour, 99.0))[kept | ~future_hour]
    others = planned.assign(
        arr_delay=planned["arr_delay"].mask(~until_now, 300.0),
        origin=planned["origin"].mask(~until_now, "EWR"),
    )
    before = joined(planned, hours)
    after = joined(others, other_hours)
    pd.testing.assert_frame_equal(
        before[before["departs_at"] <= now].reset_index(drop=True),
        after[after["departs_at"] <= now].reset_index(drop=True),
    )


@given(flights(), weather(), st.sampled_from([-5.0, 1301.0]))
def test_what_became_of_a_flight_is_in_its_target_alone(
    planned: pd.DataFrame, hours: pd.DataFrame, delay: float
) -> None:
    arrived = planned["arr_delay"].notna()
    others = planned.assign(
        **{name: planned[name].mask(arrived, delay) for name in OUTCOMES if name != "tailnum"},
        tailnum="N0",
    )
    before, after = joined(planned, hours), joined(others, hours)
    assert set(OUTCOMES).isdisjoint(before.columns)
    pd.testing.assert_frame_equal(before.drop(columns="late"), after.drop(columns="late"))
    assert set(after["late"]) <= {int(delay >= 15)}


@given(flights(), weather())
def test_the_weather_is_of_the_newest_hour_at_the_airport_that_was_over(
    planned: pd.DataFrame, hours: pd.DataFrame
) -> None:
    hour = pd.Timedelta(hours=1)
    for row in joined(planned, hours).itertuples():
        over = [
            at
            for origin, at in zip(hours["origin"], hours["hour_at"], strict=True)
            if origin == row.origin and hour <= row.departs_at - at <= 4 * hour
        ]
        expected = max(over, default=pd.NaT)
        assert row.weather_at is expected or row.weather_at == expected
