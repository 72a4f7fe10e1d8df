"""The prediction log of a service's process: every answer once, whatever happens to the store."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest

from mlops import digests
from mlops.serving.predictions.asked import PREDICTIONS, Asked
from mlops.serving.predictions.places import named
from tests.follow.running import wait_until
from tests.lineage.marquez import running
from tests.lineage.standard import check
from tests.serving.toy import (
    Serving,
    Toy,
    body,
    command,
    listening_socket,
    make_toy,
    port_of,
    rows,
    served_environment,
    serving,
)
from tests.team import free_port, make_team

pytestmark = pytest.mark.slow
LOST = "mlops_predictions_lost_total"
LOGGED = "mlops_predictions_logged_total"


@dataclass
class Logging:
    """A process that logs, and where."""

    served: Serving
    port: int
    folder: Path
    said: Path

    def post(self, *points: Mapping[str, Any]) -> httpx.Response:
        answer = httpx.post(f"http://127.0.0.1:{self.port}/predict", content=body(*points))
        assert answer.status_code == 200, answer.text
        return answer

    def counted(self, name: str) -> float:
        with self.served.ask() as client:
            lines = client.get("/metrics").text.splitlines()
        (line,) = (line for line in lines if line.startswith(f'{name}{{release="3"}}'))
        return float(line.split()[1])

    def problems(self) -> list[str]:
        """What it told of the log, each as one text."""
        entries = [json.loads(line) for line in self.said.read_text().splitlines()]
        return [
            f"{each['path']}: {each['what']}; {each['fix']}"
            for entry in entries
            for each in entry["problems"]
            if entry["event"] == "predictions"
        ]

    def until(self, name: str, count: float) -> None:
        wait_until(lambda: self.counted(name) >= count, f"{name} is {count}")


def asked(folder: Path, toy: Toy, **more: Any) -> Asked:
    place = {"to": str(folder), "shown": "<stores>/predictions/dev/toy"}
    whose = {"project": "toys", "environment": "dev", "service": "toy", "bento": toy.bento.digest}
    return Asked(**{**place, **whose, **more})


@contextmanager
def logging(toy: Toy, folder: Path, said: Path, **more: Any) -> Iterator[Logging]:
    told = {PREDICTIONS: asked(folder, toy, **more).variable()}
    with (
        listening_socket() as door,
        serving(
            toy.bento.path, release=3, pins=toy.pins, listening=door, log=said, environment=told
        ) as served,
    ):
        served.say("accept")
        served.hear("accepting")
        yield Logging(served, port_of(door), folder, said)


def logged(folder: Path) -> list[dict[str, Any]]:
    """The rows of a log, by DuckDB, in order."""
    table = duckdb.read_parquet(f"{folder}/day=*/*.parquet", union_by_name=True)
    found: list[dict[str, Any]] = table.order("time, id, row").to_arrow_table().to_pylist()
    return found


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("day=*/*"))


def test_every_answer_is_logged_once_with_its_records_and_predictions(
    toy: Toy, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    requests = [rows(count, seed) for seed, count in enumerate((1, 3, 1, 700, 2))]
    with logging(toy, folder, tmp_path / "said", rows=4) as service:
        answers = [service.post(*points) for points in requests[:2]]
        service.until(LOGGED, 4)
        answers += [service.post(*points) for points in requests[2:]]
        with service.served.ask() as private:
            probe = private.post("/predict", content=body(*requests[0]))
        refusal = httpx.post(f"http://127.0.0.1:{service.port}/predict", content=b"{}")
    ids = [answer.headers["x-prediction"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert {UUID(one).version for one in ids} == {7}
    assert ids == sorted(ids)
    for other in (probe, refusal):
        assert "x-prediction" not in other.headers
    expected = [
        (one, number, point, value)
        for one, points, answer in zip(ids, requests, answers, strict=True)
        for number, (point, value) in enumerate(
            zip(points, answer.json()["predictions"], strict=True)
        )
    ]
    found = logged(folder)
    assert [(r["id"], r["row"], r["record"], r["prediction"]) for r in found] == expected
    assert {(r["environment"], r["service"], r["release"]) for r in found} == {("dev", "toy", 3)}
    assert all(0 < r["seconds"] < 5 for r in found)
    assert {r["time"].utcoffset().total_seconds() for r in found} == {0}
    first, *others = (pq.read_metadata(file).num_rows for file in files(folder))
    assert first == 4  # where it is ended, whatever comes later
    assert all(count >= 4 for count in others[:-1])
    assert sum(others) == len(found) - 4 > 0


def test_a_file_is_named_by_its_content_and_moments_and_says_whose_it_is(
    toy: Toy, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    with logging(toy, folder, tmp_path / "said") as service:
        service.post(*rows(2))
        service.post(*rows(1))
    (file,) = files(folder)
    place = named(file.name)
    assert place is not None
    moments = [row["time"] for row in logged(folder)]
    assert (place.first, place.last) == (moments[0], moments[-1])
    assert digests.PREFIX + place.content == digests.of_file(file)
    assert f"{folder}/{place.path}" == str(file)
    about = pq.read_schema(file).metadata
    assert {key.decode(): value.decode() for key, value in about.items()} == {
        "mlops.project": "toys",
        "mlops.environment": "dev",
        "mlops.service": "toy",
        "mlops.release": "3",
        "mlops.bento": toy.bento.digest,
        "mlops.models": json.dumps(toy.pins),
    }


def test_each_file_has_events_of_openlineage(toy: Toy, tmp_path: Path) -> None:
    folder, kept = tmp_path / "log", tmp_path / "lineage"
    with logging(toy, folder, tmp_path / "said", events=str(kept), sent=True) as service:
        service.post(*rows(3))
    (file,) = files(folder)
    (told,) = kept.glob("????-??-??/*.jsonl")
    start, end = (json.loads(line) for line in told.read_text().splitlines())
    for event in (start, end):
        check(event)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert end["job"]["name"] == "serve.toy"
    (given,), (made,) = end["inputs"], end["outputs"]
    assert (given["name"], given["facets"]["version"]["datasetVersion"]) == ("release/toy", "3")
    assert made["name"] == "predictions/dev/toy"
    assert made["facets"]["version"]["datasetVersion"] == digests.of_file(file)
    counts = made["outputFacets"]["outputStatistics"]
    assert (counts["rowCount"], counts["size"]) == (3, file.stat().st_size)
    assert (kept / "unsent" / f"{told.parent.name}_{told.stem}").is_file()


def test_in_a_pod_the_events_are_sent_to_the_backend_that_it_names(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "log"
    with running() as marquez:
        monkeypatch.setenv("OPENLINEAGE_URL", marquez.url)
        with logging(toy, folder, tmp_path / "said", rows=1) as service:
            service.post(*rows(1))
            wait_until(lambda: len(marquez.taken) == 2, "the events")
            marquez.status = 500
            for count in (2, 3):
                service.post(*rows(1))
                service.until(LOGGED, count)
    (told,) = service.problems()
    assert "its lineage was not taken (" in told
    assert "answers 500" in told
    assert marquez.states == ["START", "COMPLETE"]
    (made,) = marquez.taken[1][2]["outputs"]
    assert made["facets"]["version"]["datasetVersion"] == digests.of_file(files(folder)[0])
    assert len(logged(folder)) == 3


def test_a_file_is_ended_after_its_time(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with logging(toy, folder, tmp_path / "said", seconds=0.2) as service:
        service.post(*rows(2))
        service.until(LOGGED, 2)
        assert len(logged(folder)) == 2


def test_terminated_it_writes_what_is_left(toy: Toy, tmp_path: Path) -> None:
    folder, port = tmp_path / "log", free_port()
    told = {PREDICTIONS: asked(folder, toy).variable()}
    process = subprocess.Popen(
        command(toy.bento.path, **{"--port": str(port)}),
        env=served_environment(3, toy.pins, told),
    )
    try:
        identity = answered_when_up(port).headers["x-prediction"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
    assert identity in {row["id"] for row in logged(folder)}


def answered_when_up(port: int) -> httpx.Response:
    deadline = time.monotonic() + 30
    while True:
        try:
            return httpx.post(f"http://127.0.0.1:{port}/predict", content=body(*rows(1)))
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_killed_it_loses_only_what_no_file_had_yet(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with logging(toy, folder, tmp_path / "said", rows=2) as service:
        kept = service.post(*rows(2)).headers["x-prediction"]
        service.until(LOGGED, 2)
        service.post(*rows(1))
        service.served.process.kill()
        service.served.process.wait()
    assert {row["id"] for row in logged(folder)} == {kept}
    assert all(named(file.name) for file in files(folder))


def test_when_it_cannot_be_written_answers_go_on_and_the_loss_is_counted_and_told(
    toy: Toy, tmp_path: Path
) -> None:
    blocked = tmp_path / "log"
    blocked.write_text("a file where a folder should be")
    many = rows(3000)
    with logging(toy, blocked, tmp_path / "said", rows=1) as service:
        first = service.post(*rows(1))
        wait_until(service.problems, "a problem is told")
        answers = [service.post(*many) for _ in range(8)]
        assert [len(answer.json()["predictions"]) for answer in answers] == [3000] * 8
        took = [answer for answer in answers if "x-prediction" in answer.headers]
        lost = 3000 * (len(answers) - len(took))
        assert lost > 0
        assert service.counted(LOST) == lost
        blocked.unlink()
        service.until(LOGGED, 1 + 3000 * len(took))
        assert service.counted(LOST) == lost
        told = service.problems()
    assert len(told) == 2
    assert told[0].startswith(f"{blocked}: cannot be written (")
    assert f"is written again, {lost} rows were lost" in told[1]
    counts = Counter(row["id"] for row in logged(blocked))
    assert counts[first.headers["x-prediction"]] == 1
    assert {counts[answer.headers["x-prediction"]] for answer in took} == {3000}


def test_what_cannot_be_written_until_the_end_is_told(toy: Toy, tmp_path: Path) -> None:
    blocked, said = tmp_path / "log", tmp_path / "said"
    blocked.write_text("a file where a folder should be")
    with logging(toy, blocked, said) as service:
        service.post(*rows(5))
    assert "the last 5 rows are lost" in service.problems()[-1]


def test_of_a_share_some_answers_are_logged_and_say_so(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with logging(toy, folder, tmp_path / "said", share=0.5) as service:
        answers = [service.post(*rows(1)) for _ in range(60)]
    ids = {answer.headers.get("x-prediction") for answer in answers} - {None}
    assert 0 < len(ids) < 60
    assert {row["id"] for row in logged(folder)} == ids


def test_fields_that_are_left_out_are_in_no_file(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    with logging(toy, folder, tmp_path / "said", without=["side", "sied"]) as service:
        service.post({"x": 1.5, "side": "left"})
    assert [row["record"] for row in logged(folder)] == [{"x": 1.5}]
    assert b"left" not in files(folder)[0].read_bytes()
    (told,) = service.problems()
    assert told.startswith(f"{folder}: leaves out `sied`, which is no field of the record; ")


def test_columns_that_a_contract_does_not_call_public_are_in_no_file(tmp_path: Path) -> None:
    team = make_team(tmp_path)
    contract = team.root / "data-contracts/toy-points.odcs.yaml"
    text = contract.read_text()
    at = "name: side\n"
    assert text.count(at) == 1
    indent = text[: text.index(at)].rpartition("\n")[2].replace("-", " ")
    contract.write_text(text.replace(at, f"{at}{indent}classification: restricted\n"))
    team.commit("The side is restricted")
    toy = make_toy(team, tmp_path)
    folder = tmp_path / "log"
    with logging(toy, folder, tmp_path / "said") as service:
        service.post({"x": 1.5, "side": "left"})
    assert [row["record"] for row in logged(folder)] == [{"x": 1.5}]


def test_without_the_variable_nothing_of_it_is_there(toy: Toy, tmp_path: Path) -> None:
    said = tmp_path / "said"
    with listening_socket() as door, serving(toy.bento.path, listening=door, log=said) as served:
        served.say("accept")
        served.hear("accepting")
        answer = httpx.post(f"http://127.0.0.1:{port_of(door)}/predict", content=body(*rows(1)))
        with served.ask() as client:
            assert "mlops_predictions" not in client.get("/metrics").text
        maps = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert answer.status_code == 200
    assert "x-prediction" not in answer.headers
    assert "pyarrow" not in maps


def test_a_variable_that_says_something_else_is_refused(toy: Toy, tmp_path: Path) -> None:
    told = served_environment(3, toy.pins, {PREDICTIONS: '{"to": 3}'})
    options = {"--port": str(free_port())}
    done = subprocess.run(
        command(toy.bento.path, **options), env=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("MLOPS_PREDICTIONS: does not say what is logged (")
