"""The moments that follow from what a contract promises."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.cli import run
from mlops.data.contract import Contract, read_contract
from mlops.errors import Exit
from mlops.repository import Repository
from mlops.service_levels.promises import Promises, promises
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def contract_of(*levels: dict[str, Any], kind: str = "timestamp", **more: Any) -> Contract:
    column = {"name": "at", "logicalType": kind, "primaryKey": True}
    return Contract.model_validate(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "1",
            "name": "things",
            "version": "1.0.0",
            "status": "active",
            "schema": ({"name": "t", "properties": (column,)},),
            "slaProperties": levels,
            **more,
        }
    )


def promised(**values: Any) -> Promises:
    """`frequency="1 month"` and so on; moments and times of the day as they are."""
    levels = []
    for name, value in values.items():
        number, _, unit = str(value).partition(" ")
        said = {"value": json.loads(number), "unit": unit} if unit else {"value": value}
        levels.append({"property": name, **said})
    return promises(contract_of(*levels))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("newest", "levels", "due"),
    [
        # The next period ends, and the latency is over.
        ("2011-03-31T23:00", {"frequency": "1 month", "latency": "3 d"}, "2011-05-04"),
        ("2011-02-28T23:00", {"frequency": "1 month", "latency": "3 d"}, "2011-04-04"),
        ("2012-01-31T10:00", {"frequency": "1 months"}, "2012-03-01"),
        ("2012-01-31T10:00", {"frequency": "1 d"}, "2012-02-02"),
        ("2012-01-31T10:14", {"frequency": "15 minutes"}, "2012-01-31T10:30"),
        ("2012-02-01T00:00", {"frequency": "1 y", "latency": "1 month"}, "2014-02-01"),
        ("2026-11-28T00:00", {"frequency": "2 weeks"}, "2026-12-14"),
        # Without a frequency a row is never older than the latency.
        ("2012-01-31T10:00", {"latency": "36 h"}, "2012-02-01T22:00"),
        ("2012-01-31T10:00", {"latency": "0.5 d"}, "2012-01-31T22:00"),
        # By that time of the day, in its zone.
        ("2012-01-31T10:00", {"frequency": "1 d", "timeOfAvailability": "09:00-08:00"}, "2012-02-02T17:00"),
        ("2012-01-31T10:00", {"ly": "1 d", "timeOfAvailability": "09:00Z"}, "2012-02-02T09:00"),
    ],
)  # fmt: skip
def test_newer_rows_are_due_when_the_next_period_and_the_latency_are_over(
    newest: str, levels: dict[str, str], due: str
) -> None:
    assert promised(**levels).due(at(newest)) == at(due)


def test_nothing_is_due_where_the_contract_does_not_ask() -> None:
    assert promised(retention="3 y").due(at("2012-01-01")) is None


@given(
    MOMENTS, MOMENTS, st.sampled_from(["h", "d", "w", "month", "y"]), st.integers(1, 5),
    st.integers(0, 40),
)  # fmt: skip
def test_newer_rows_are_never_due_sooner_and_never_before_a_whole_period(
    one: datetime, other: datetime, unit: str, every: int, days: int
) -> None:
    found = promised(frequency=f"{every} {unit}", latency=f"{days} d")
    first, second = sorted((one, other))
    due, later = found.due(first), found.due(second)
    assert due is not None
    assert later is not None
    assert due <= later
    shortest = {"h": 1, "d": 24, "w": 168, "month": 28 * 24, "y": 365 * 24}[unit]
    assert due - first > timedelta(hours=every * shortest, days=days)


@pytest.mark.parametrize(
    ("status", "now", "phase"),
    [
        ("active", "2019-12-31", "planned"),
        ("active", "2020-01-01", "active"),
        ("draft", "2020-01-01", "planned"),
        ("deprecated", "2020-06-01", "active"),
        ("active", "2030-01-01", "ended"),
        ("active", "2040-01-01", "retired"),
        ("Retired", "2020-06-01", "retired"),
    ],
)
def test_a_dataset_is_planned_active_ended_or_retired_by_its_contract(
    status: str, now: str, phase: str
) -> None:
    found = promised(GeneralAvailability="2020-01-01", es="2030-01-01T00:00:00Z", el="2040-01-01")
    assert found.phase(status, at(now)) == phase


def test_a_period_without_rows_is_a_gap_and_says_when_they_were_due() -> None:
    moments = pd.Series(pd.to_datetime(["2011-01-05", "2011-02-28", "2011-05-01", "2011-06-01"]))
    found = promised(frequency="1 month", latency="3 d")
    assert found.gaps(moments) == [(at("2011-03-01"), at("2011-04-04"))]
    assert promised(frequency="3 month").gaps(moments) == []


@given(st.lists(st.integers(0, 400), min_size=1, unique=True), st.integers(1, 4))
def test_there_are_as_many_gaps_as_steps_longer_than_the_frequency(
    days: list[int], every: int
) -> None:
    moments = pd.Series([pd.Timestamp("2020-01-01") + pd.Timedelta(days=day) for day in days])
    ordered = sorted(days)
    steps = [b - a for a, b in pairwise(ordered)]
    gaps = promised(frequency=f"{every} d").gaps(moments)
    assert len(gaps) == sum(step > every for step in steps)


def test_the_element_is_the_column_that_is_named_or_else_a_moment_of_the_key() -> None:
    level = {"property": "latency", "value": 1, "unit": "d"}
    assert promises(contract_of(level)).element == "at"
    assert promises(contract_of({**level, "element": "t.at"})).element == "at"
    assert promises(contract_of(level, kind="string")).element is None


def test_what_is_not_measured_is_named() -> None:
    level = {"property": "availability", "value": 99, "unit": "percent"}
    assert promises(contract_of(level)).not_measured == ("availability",)


def test_the_shipped_contract_promises_what_it_says() -> None:
    found = promises(read_contract(Repository.at(ROOT), "bike-rentals"))
    assert (str(found.frequency), str(found.latency)) == ("1 month", "3 days")
    assert found.element == "hour_at"
    # The file of the last month was due before the end of support, not after it.
    assert found.due(at("2011-11-30T23:00")) == found.support_ends


def test_service_levels_that_cannot_be_read_are_all_told(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    folder = INVALID / "data-service-levels"
    name = "toy-points.odcs.yaml"
    shutil.copy(folder / name, team.root / "data-contracts" / name)
    assert run(["data", "status", "--now", "2024-03-01"]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == (folder / "message.txt").read_text()
