"""A sync window is open exactly when Argo CD takes it to be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.cluster.sync_windows import open_window

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 730 * 24 * 3600).map(lambda seconds: START + timedelta(seconds=seconds))


def project(schedule: str, duration: str, zone: str = "", kind: str = "deny") -> dict[str, Any]:
    window = {"kind": kind, "schedule": schedule, "duration": duration, "timeZone": zone}
    return {"spec": {"syncWindows": [window]}}


def until(found: dict[str, Any], moment: str) -> str | None:
    window = open_window(found, datetime.fromisoformat(moment))
    return f"{window.until:%m-%d %H:%M}" if window else None


WEEKEND = project("0 22 * * 5", "58h", "Europe/Berlin")


@pytest.mark.parametrize(
    ("found", "moment", "end"),
    [
        (WEEKEND, "2026-11-20T20:59:59+00:00", None),
        (WEEKEND, "2026-11-20T21:00:00+00:00", "11-23 07:00"),
        (WEEKEND, "2026-11-23T06:59:59+00:00", "11-23 07:00"),
        (WEEKEND, "2026-11-23T07:00:00+00:00", None),
        (WEEKEND, "2026-07-03T20:30:00+00:00", "07-06 06:00"),  # summer: two hours before UTC
        (project("0 0 24-26 dec *", "24h"), "2026-12-25T12:00:00+00:00", "12-26 00:00"),
        (project("*/15 * * * *", "5m"), "2026-11-20T10:31:00+00:00", "11-20 10:35"),
        (project("*/15 * * * *", "5m"), "2026-11-20T10:36:00+00:00", None),
        (project("0 0 1 * 1", "24h"), "2026-12-01T10:00:00+00:00", "12-02 00:00"),  # the 1st
        (project("0 0 1 * 1", "24h"), "2026-12-07T10:00:00+00:00", "12-08 00:00"),  # a Monday
        (project("0 0 */1 * 1", "24h"), "2026-12-01T10:00:00+00:00", None),  # a star: both
        (project("0 22 * * 5", "58h", kind="allow"), "2026-11-21T10:00:00+00:00", None),
        (project("@daily", "58h"), "2026-11-21T10:00:00+00:00", None),
        (project("0 0 * * *", "soon"), "2026-11-21T10:00:00+00:00", None),
        (project("0 0 * * *", "1h", "Mars/Base"), "2026-11-21T00:30:00+00:00", "11-21 01:00"),
    ],
)
def test_a_window_is_open_from_its_schedule_for_its_duration(
    found: dict[str, Any], moment: str, end: str | None
) -> None:
    assert until(found, moment) == end


def test_of_two_open_windows_the_later_end_counts() -> None:
    windows = [project("0 0 * * *", hours)["spec"]["syncWindows"][0] for hours in ("2h", "3h")]
    assert until({"spec": {"syncWindows": windows}}, "2026-11-21T01:00:00+00:00") == "11-21 03:00"


def test_a_project_that_is_not_there_has_no_window() -> None:
    assert open_window(None, datetime(2026, 1, 1, tzinfo=UTC)) is None


@given(MOMENTS, st.integers(1, 23))
def test_a_daily_window_is_open_in_its_hours_alone(moment: datetime, hours: int) -> None:
    window = open_window(project("0 0 * * *", f"{hours}h"), moment)
    assert (window is not None) == (moment.hour < hours)
    if window is not None:
        assert moment < window.until <= moment + timedelta(hours=hours)
