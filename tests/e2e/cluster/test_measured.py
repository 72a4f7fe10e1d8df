"""The benchmarks on a cluster run, in their small form; how long something takes is not judged."""

from pathlib import Path

import pytest

from benchmarks.applications import Many, of_applications
from benchmarks.cluster import of_images, of_pushes
from benchmarks.table import Figure
from tests.e2e.cluster.fleet import PATIENCE, Fleet

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


def hold(figures: list[Figure]) -> None:
    """Nothing was lost, and everything else took its time."""
    assert figures
    for figure in figures:
        lost = figure.what.startswith("requests lost")
        assert (figure.value == 0) if lost else (figure.value > 0), figure


def test_many_applications_and_few(fleet: Fleet, tmp_path: Path) -> None:
    team = Many(fleet.place, fleet.api, tmp_path)
    try:
        hold(of_applications(team, few=2, enough=10, rounds=2, most=10, period=5))
    finally:
        team.leave()


def test_reverts_and_promotions_under_load_and_images(promoted: Fleet) -> None:
    hold([*of_pushes(promoted, rounds=1, polls=0, deadline=PATIENCE), of_images(promoted, 1)])
