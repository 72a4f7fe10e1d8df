"""A serving process under its follower: doors, draining, and the many ways to end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.serving.toy import (
    MODEL,
    Serving,
    Toy,
    body,
    command,
    listening_socket,
    make_toy,
    port_of,
    served_environment,
    serving,
)
from tests.team import ROOT, free_port, make_team

pytestmark = pytest.mark.slow
POINT = body({"x": 1.5, "side": "left"})
HEAD = b"POST /predict HTTP/1.1\r\nhost: toy\r\ncontent-length: %d\r\n\r\n" % len(POINT)


def post(port: int) -> httpx.Response:
    return httpx.post(f"http://127.0.0.1:{port}/predict", content=POINT, timeout=10)


def exchange(connection: socket.socket) -> str:
    """One scoring request over a kept connection."""
    connection.sendall(HEAD + POINT)
    return whole_answer(connection)


def whole_answer(connection: socket.socket) -> str:
    connection.settimeout(5)
    answer = ""
    while not answer.endswith("]}"):
        part = connection.recv(65536)
        assert part, answer
        answer += part.decode().lower()
    return answer


def ended(served: Serving, seconds: float) -> int:
    return served.process.wait(seconds)


def test_it_runs_the_code_that_lies_in_the_bento(toy: Toy, tmp_path: Path) -> None:
    copy = tmp_path / "bento"
    shutil.copytree(toy.bento.path, copy)
    route = copy / "src/mlops/serving/pinned.py"
    route.write_text(route.read_text() + "\nimport sys\nprint('FROM', __file__, file=sys.stderr)\n")
    log = tmp_path / "log"
    with serving(copy, log=log):
        pass
    assert f"FROM {route}" in log.read_text()
    assert not list(copy.rglob("__pycache__"))


def test_it_takes_public_connections_only_when_told_to(toy: Toy) -> None:
    with listening_socket() as door, serving(toy.bento.path, release=3, listening=door) as served:
        with served.ask() as private:
            assert private.get("/readyz").status_code == 200
        served.say("accept")
        served.hear("accepting")
        assert post(port_of(door)).json()["release"] == 3


def test_a_draining_process_answers_kept_connections_and_asks_them_to_move_on(toy: Toy) -> None:
    with listening_socket() as door, serving(toy.bento.path, listening=door) as served:
        served.say("accept")
        served.hear("accepting")
        with socket.create_connection(door.getsockname()) as kept:
            assert "connection: close" not in exchange(kept)
            served.say("drain")
            with served.ask() as private:
                while private.get("/livez").headers.get("connection") != "close":
                    time.sleep(0.01)
            with pytest.raises(TimeoutError):
                served.hear("drained", seconds=0.2)
            answer = exchange(kept)
            assert answer.startswith("http/1.1 200")
            assert "connection: close" in answer
            assert kept.recv(1) == b""
        served.hear("drained")
        served.say("accept")
        served.hear("accepting")
        assert "connection" not in post(port_of(door)).headers


def test_an_order_it_does_not_know_is_told_and_changes_nothing(toy: Toy) -> None:
    with listening_socket() as door, serving(toy.bento.path, listening=door) as served:
        served.channel.sendall(b'not json\n["do"]\n')
        served.hear("confused")
        served.hear("confused")
        served.say("accept")
        served.hear("accepting")


def test_told_to_stop_it_finishes_what_is_under_way(toy: Toy) -> None:
    with listening_socket() as door, serving(toy.bento.path, listening=door) as served:
        served.say("accept")
        served.hear("accepting")
        with socket.create_connection(door.getsockname()) as busy:
            exchange(busy)
            busy.sendall(HEAD + POINT[:10])
            with served.ask() as private:
                private.get("/readyz")
            served.say("stop")
            with pytest.raises(subprocess.TimeoutExpired):
                ended(served, 0.3)
            busy.sendall(POINT[10:])
            assert whole_answer(busy).startswith("http/1.1 200")
        assert ended(served, 5) == 0
        assert list(served.private.parent.iterdir()) == []


def test_a_killed_one_leaves_files_only_beside_its_private_socket(toy: Toy, tmp_path: Path) -> None:
    with serving(toy.bento.path, environment={"TMPDIR": str(tmp_path)}) as served:
        served.process.kill()
        served.process.wait()
        assert list(tmp_path.iterdir()) == []


def test_it_does_not_outlive_its_follower(toy: Toy) -> None:
    with listening_socket() as door, serving(toy.bento.path, listening=door) as served:
        served.say("accept")
        served.hear("accepting")
        with socket.create_connection(door.getsockname()) as kept:
            exchange(kept)
            served.channel.close()
            assert ended(served, 4) == 0


def test_it_does_not_outlive_a_follower_that_goes_while_it_loads(toy: Toy, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        command(
            toy.bento.path,
            **{"--private": str(tmp_path / "s"), "--control": str(theirs.fileno())},
        ),
        pass_fds=[theirs.fileno()],
        env=served_environment(1, None),
    )
    theirs.close()
    ours.close()
    try:
        assert process.wait(10) == 0
    finally:
        process.kill()
    assert list(tmp_path.iterdir()) == []


def test_terminated_it_answers_until_nobody_is_connected(toy: Toy) -> None:
    with listening_socket() as door, serving(toy.bento.path, listening=door) as served:
        served.say("accept")
        served.hear("accepting")
        with socket.create_connection(door.getsockname()) as kept:
            exchange(kept)
            served.process.send_signal(signal.SIGTERM)
            assert post(port_of(door)).status_code == 200
            with pytest.raises(subprocess.TimeoutExpired):
                ended(served, 1)
            assert "connection: close" in exchange(kept)
        assert ended(served, 5) == 0


def test_terminated_it_waits_no_longer_than_the_limit(toy: Toy) -> None:
    limit = {"MLOPS_DRAIN_SECONDS": "0.2"}
    with (
        listening_socket() as door,
        serving(toy.bento.path, listening=door, environment=limit) as served,
    ):
        served.say("accept")
        served.hear("accepting")
        with socket.create_connection(door.getsockname()) as kept:
            exchange(kept)
            served.process.send_signal(signal.SIGTERM)
            assert ended(served, 3) == 0


def test_it_serves_a_port_of_its_own_and_ends_at_interrupt(toy: Toy) -> None:
    port = free_port()
    process = subprocess.Popen(
        command(toy.bento.path, **{"--port": str(port)}), env=served_environment(5, toy.pins)
    )
    try:
        assert answered_when_up(port).json()["release"] == 5
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
    finally:
        process.kill()


def answered_when_up(port: int) -> httpx.Response:
    deadline = time.monotonic() + 60
    while True:
        try:
            return post(port)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def refused(bento: Path, *more: str, pins: dict[str, str] | None = None) -> tuple[int, str]:
    done = subprocess.run(
        command(bento, *more),
        env=served_environment(1, pins),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr.strip()


def test_a_port_in_use_is_told(toy: Toy) -> None:
    with listening_socket() as door:
        port = port_of(door)
        assert refused(toy.bento.path, "--port", str(port)) == (
            2,
            (
                f"127.0.0.1:{port}: cannot be listened on (address already in use); "
                "end what listens there, or name another --port"
            ),
        )


def test_a_folder_without_a_bento_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        2,
        f"{tmp_path}: holds no bento; name the folder of a bento.yaml (`mlops build`)",
    )


def test_a_model_that_differs_from_its_pin_is_not_served(toy: Toy) -> None:
    wanted = "sha256:" + "0" * 64
    folder = toy.bento.path / "src/models" / MODEL / "artifact"
    assert refused(toy.bento.path, pins={MODEL: wanted}) == (
        2,
        (
            f"{folder}: content is {toy.model.digest}, the release pins {wanted}; "
            "fetch the artifact again; do not serve it"
        ),
    )


def test_a_model_that_was_tampered_with_is_not_served(toy: Toy, tmp_path: Path) -> None:
    copy = tmp_path / "bento"
    shutil.copytree(toy.bento.path, copy)
    text = copy / "src/models" / MODEL / "artifact/model.txt"
    text.write_text(text.read_text().replace("leaf_value=", "leaf_value=9", 1))
    code, message = refused(copy, pins=toy.pins)
    assert code == 2
    assert message.startswith(f"{text.parent}: content is sha256:")
    assert f"the release pins {toy.model.digest}" in message


def test_a_model_the_release_does_not_pin_is_not_served(toy: Toy, tmp_path: Path) -> None:
    copy = tmp_path / "bento"
    shutil.copytree(toy.bento.path, copy)
    (copy / "src/models/other").mkdir()
    assert refused(copy, pins=toy.pins) == (
        2,
        f"{copy}/src/models/other: is not pinned by the release; build it again",
    )


def test_a_service_that_needs_what_its_image_lacks_is_not_served(toy: Toy, tmp_path: Path) -> None:
    copy = tmp_path / "bento"
    shutil.copytree(toy.bento.path, copy)
    service = copy / "src/service.py"
    service.write_text("import pandas\n" + service.read_text())
    code, message = refused(copy)
    assert code == 2
    assert "its service cannot be loaded (ImportServiceError: Failed to import" in message
    assert "correct service.py (it may import what requirements/serve.txt holds)" in message


def test_it_gives_the_numbers_that_plain_bentoml_gives(toy: Toy, tmp_path: Path) -> None:
    port = free_port()
    plain = subprocess.Popen(
        [sys.executable, "-B", "-m", "bentoml", "serve", str(toy.bento.path), "-p", str(port)],
        env={
            **served_environment(4, toy.pins),
            "BENTOML_HOME": str(tmp_path / "home"),
            "BENTOML_DO_NOT_TRACK": "True",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        start_new_session=True,
    )
    try:
        plainly = answered_when_up(port)
    finally:
        os.killpg(plain.pid, signal.SIGTERM)
        plain.wait(20)
    with serving(toy.bento.path, release=4, pins=toy.pins) as served, served.ask() as client:
        assert client.post("/predict", content=POINT).json() == plainly.json()


def test_two_hundred_switches_between_two_processes_lose_nothing(toy: Toy, tmp_path: Path) -> None:
    other = make_toy(make_team(tmp_path / "other"), tmp_path / "other", rounds=41)
    with ExitStack() as stack:
        door = stack.enter_context(listening_socket())
        one = stack.enter_context(serving(toy.bento.path, release=1, listening=door))
        two = stack.enter_context(serving(other.bento.path, release=2, listening=door))
        one.say("accept")
        one.hear("accepting")
        client = start_client(port_of(door))
        try:
            wait_until_asked(one)
            for number in range(200):
                new, old = (two, one) if number % 2 == 0 else (one, two)
                new.say("accept")
                new.hear("accepting")
                old.say("drain")
                old.hear("drained")
        finally:
            client.send_signal(signal.SIGTERM)
            output, _ = client.communicate(timeout=20)
    counted = json.loads(output)
    assert counted["lost"] == 0, counted
    assert set(counted["releases"]) == {"1", "2"}
    assert counted["closed"] >= 200
    assert counted["fresh"] > 100


def wait_until_asked(served: Serving) -> None:
    deadline = time.monotonic() + 20
    with served.ask() as private:
        while not asked(private):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def asked(private: httpx.Client) -> bool:
    lines = private.get("/metrics").text.splitlines()
    return any(
        line.startswith("mlops_predict_rows_total{") and not line.endswith(" 0.0") for line in lines
    )


def start_client(port: int) -> subprocess.Popen[bytes]:
    """The independent client."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "benchmarks.load"),
            *("--url", f"http://127.0.0.1:{port}/predict", "--body", POINT.decode()),
            *("--rate", "300", "--connections", "8"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
