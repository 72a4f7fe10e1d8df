"""The prediction log of a service in object storage: a real S3, as that of a team's pods."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx
import pytest

from mlops.errors import Exit
from mlops.serving.predictions.asked import PREDICTIONS, Asked
from mlops.serving.predictions.places import day_of
from tests.e2e.cluster.stores import BUCKET, KEYS, s3
from tests.serving.toy import body, listening_socket, make_toy, port_of, rows, serving
from tests.team import make_team

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1_800, func_only=True)]
TO = f"s3://{BUCKET}/logs"
SETTINGS = "environments/dev/toy/settings.yaml"


def test_answers_are_logged_in_object_storage_and_found_there_by_their_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = make_team(tmp_path)
    toy = make_toy(team, tmp_path / "toy")
    wanted = Asked(
        to=f"{TO}/dev/toy",
        shown=f"{TO}/dev/toy",
        project="toys",
        environment="dev",
        service="toy",
        bento=toy.bento.digest,
        rows=2,
    )
    with s3(tmp_path, "127.0.0.1") as url, listening_socket() as door:
        store = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": KEYS["access"],
            "AWS_SECRET_ACCESS_KEY": KEYS["secret"],
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        told = {PREDICTIONS: wanted.variable(), **store}
        before = datetime.now(UTC)
        with serving(
            toy.bento.path, release=3, pins=toy.pins, listening=door, environment=told
        ) as service:
            service.say("accept")
            service.hear("accepting")
            predict = f"http://127.0.0.1:{port_of(door)}/predict"
            given = [httpx.post(predict, content=body(*rows(1, seed))) for seed in range(5)]
        ids = [answer.headers["x-prediction"] for answer in given]
        days = {day_of(moment) for moment in (before, datetime.now(UTC))}
        folder = tmp_path / "s3" / BUCKET / "logs/dev/toy"
        assert {each.name for each in folder.iterdir()} <= days
        found = duckdb.read_parquet(f"{folder}/day=*/*.parquet").order("time")
        assert found.project("id, prediction").fetchall() == [
            (one, answer.json()["predictions"][0]) for one, answer in zip(ids, given, strict=True)
        ]
        team.write(SETTINGS, f"service: toy\nlocal_port: 7301\npredictions: {{to: {TO}}}\n")
        for name, value in store.items():
            monkeypatch.setenv(name, value)
        done = team.mlops("data", "lineage", ids[3], "--up")
        shown = done.stdout
        assert done.returncode == Exit.DONE, done.stderr
        assert "by release toy@3, in predictions dev/toy" in shown.splitlines()[0]
        assert f"its bytes: {TO}/dev/toy/day=" in shown
