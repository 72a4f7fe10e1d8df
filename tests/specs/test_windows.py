"""Schedules, durations and time zones are those that Argo CD reads."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.specs.windows import is_time_zone, length, wrong_in_schedule


@pytest.mark.parametrize(
    "schedule",
    ["0 22 * * 5", "*/15 1-5,9 ? JAN-mar mon", "0 0 1 1 *", "59 23 31 12 6", "1/5 2-8/3 * * *"],
)
def test_a_schedule_of_cron_is_read(schedule: str) -> None:
    assert wrong_in_schedule(schedule) is None


@pytest.mark.parametrize(
    "schedule",
    [
        *("", "* * * *", "0 0 22 * * 5", "@daily", "CRON_TZ=UTC 0 22 * * 5", "60 * * * *"),
        *("* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "5-1 * * * *", "*/0 * * * *"),
        *("*-5 * * * *", "a * * * *", "1,,2 * * * *", "* * * * friday", "² * * * *", "- * * * *"),
    ],
)
def test_what_argo_cd_would_not_read_is_refused(schedule: str) -> None:
    assert wrong_in_schedule(schedule)


@given(st.lists(st.text(max_size=6), min_size=5, max_size=5).map(" ".join))
def test_no_text_breaks_the_reading_of_schedules(schedule: str) -> None:
    wrong_in_schedule(schedule)


@given(hours=st.integers(0, 999), minutes=st.integers(0, 999))
def test_a_duration_is_hours_and_minutes(hours: int, minutes: int) -> None:
    assert length(f"{hours}h{minutes}m") == timedelta(hours=hours, minutes=minutes)


@pytest.mark.parametrize("duration", ["", "0h", "2d", "58", "1h 30m", "-1h", "1m1h"])
def test_no_time_at_all_and_other_units_are_no_duration(duration: str) -> None:
    assert not length(duration)


def test_time_zones_are_those_of_the_tz_database() -> None:
    assert is_time_zone("Europe/Berlin")
    assert not is_time_zone("Mars/Olympus")
    assert not is_time_zone("../Berlin")
