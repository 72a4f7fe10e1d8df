"""Answers of a followed service are logged in the stores, and lineage knows each by its id."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import httpx
import pytest

from mlops.lineage.kept import Kept
from tests.follow.conftest import Fleet
from tests.follow.running import ask, following, port_of, wait_until
from tests.team import Team

pytestmark = pytest.mark.slow
SETTINGS = "environments/dev/toy/settings.yaml"


def set_log(team: Team, text: str) -> None:
    """Merge the settings with this line in place of what they said of the log."""
    kept = [
        line
        for line in (team.root / SETTINGS).read_text().splitlines()
        if not line.startswith("predictions:")
    ]
    team.write(SETTINGS, "\n".join([*kept, *([text] if text else [])]) + "\n")
    team.commit("Settings of toy in dev")


def lineage(team: Team, *words: str) -> str:
    """What a person is shown, by a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mlops", "data", "lineage", *words],
        cwd=team.root,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_revert_tells_which_answers_came_of_which_release(fleet: Fleet, tmp_path: Path) -> None:
    team = fleet.team
    set_log(team, "predictions: {rows: 1}")
    fleet.deploy(1)
    given: list[httpx.Response] = []
    with following(team) as follower:
        for release, change in ((1, None), (2, "second"), (1, "revert")):
            if change == "second":
                fleet.deploy(2, "second")
            elif change == "revert":
                fleet.revert()
            follower.until_status(serving=release, health="Healthy", sync="Synced")
            given += [ask(port_of(team)) for _ in range(3)]
    folder = team.stores / "predictions/dev/toy"
    rows = duckdb.read_parquet(f"{folder}/day=*/*.parquet").order("time").fetchall()
    names = duckdb.read_parquet(f"{folder}/day=*/*.parquet").columns
    found = [dict(zip(names, row, strict=True)) for row in rows]
    assert [row["release"] for row in found] == [1, 1, 1, 2, 2, 2, 1, 1, 1]
    assert [row["id"] for row in found] == [answer.headers["x-prediction"] for answer in given]
    assert [row["prediction"] for row in found] == [
        answer.json()["predictions"][0] for answer in given
    ]
    for answer in (given[0], given[3], given[8]):
        shown = lineage(team, answer.headers["x-prediction"], "--up")
        number = answer.headers["x-release"]
        assert f"by release toy@{number}, in predictions dev/toy" in shown.splitlines()[0]
        assert "predictions dev/toy" in shown
        assert f"└─ release toy@{number}" in shown
        assert "its bytes: <stores>/predictions/dev/toy/day=" in shown
    down = lineage(team, "release:toy@1", "--down")
    assert down.count("serve.toy") == 1
    count = len(list(folder.glob("day=*/*-1-*.parquet")))
    assert count >= 2
    assert f"predictions dev/toy {count} files" in down
    asked = json.loads(lineage(team, given[3].headers["x-prediction"], "--json"))
    assert asked["answer"]["id"] == given[3].headers["x-prediction"]
    assert asked["up"][0]["run"]  # by its event, not by its name alone
    for file in Kept(team.stores).files():
        file.unlink()
    assert lineage(team, given[3].headers["x-prediction"], "--up").count("by its log") == 1
    picture = tmp_path / "answer.svg"
    lineage(team, given[0].headers["x-prediction"], "--picture", str(picture))
    assert "serve.toy" in picture.read_text()


def test_the_log_is_off_until_it_is_asked_for_and_changes_with_the_settings(fleet: Fleet) -> None:
    team = fleet.team
    fleet.deploy(1)

    def logs(answer: httpx.Response) -> bool:
        return "x-prediction" in answer.headers

    with following(team) as follower:
        follower.until_status(serving=1, health="Healthy")
        assert not logs(ask(port_of(team)))
        set_log(team, "predictions: {share: 1.0}")
        wait_until(lambda: logs(ask(port_of(team))), "an answer that is logged")
        set_log(team, "")
        wait_until(lambda: not logs(ask(port_of(team))), "an answer that is not")
    assert list((team.stores / "predictions/dev/toy").glob("day=*/*.parquet"))


def test_an_id_that_no_log_has_is_refused_with_its_moment(fleet: Fleet) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mlops", "data", "lineage"),
            "01a22cc6-8584-740c-bbd2-e6b3c03a25ec",
        ],
        cwd=fleet.team.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "is in no prediction log here, its moment is 2026-11-30 14:05:37 UTC" in done.stderr
