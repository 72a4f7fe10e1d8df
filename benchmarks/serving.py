"""A service's process against `bentoml serve` of the same bento: start and requests a second."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Plan, run
from benchmarks.table import Figure

CONNECTIONS = 16
START_GOAL = 2.0
RATE_GOAL = 15.0


def measure(*, small: bool) -> list[Figure]:
    """Seconds from spawn to ready (median), and requests a second of both in turn."""
    from tests.serving.toy import body, listening_socket, make_toy, port_of, rows, serving
    from tests.team import free_port, make_team

    seconds = 2.0 if small else 10.0
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        folder = Path(name)
        toy = make_toy(make_team(folder), folder)
        bodies = tuple(body(row) for row in rows(100))
        starts: list[float] = []
        with listening_socket() as door:
            for _ in range(3 if small else 10):
                with serving(toy.bento.path, release=1, listening=door) as process:
                    starts.append(process.seconds)
            with serving(toy.bento.path, release=1, listening=door) as process:
                process.say("accept")
                process.hear("accepting")
                front = _requests_a_second(port_of(door), bodies, seconds)
        port = free_port()
        with _plain(toy.bento.path, folder, port) as start:
            plain = _requests_a_second(port, bodies, seconds)
    detail = f"{front:.0f} and {plain:.0f} a second, one row each, {CONNECTIONS} connections"
    return [
        Figure(
            what="a service's process, from spawn to ready",
            value=statistics.median(starts),
            unit="s",
            goal=START_GOAL,
            detail=f"median of {len(starts)}; `bentoml serve` of the same bento: {start:.1f} s",
        ),
        Figure(
            what="requests a second of a service's process, against `bentoml serve`",
            value=front / plain,
            unit="times",
            goal=RATE_GOAL,
            detail=detail,
            bound="at least",
        ),
    ]


def _requests_a_second(port: int, bodies: tuple[bytes, ...], seconds: float) -> float:
    plan = Plan(
        "127.0.0.1", port, bodies, rate=0, connections=CONNECTIONS, fresh=0, seconds=seconds
    )
    tally = asyncio.run(run(plan))
    # Plain BentoML names the release in the body only: such answers count as mixed.
    return (tally.ok + tally.mixed) / (tally.ended - tally.started)


@contextmanager
def _plain(bento: Path, folder: Path, port: int) -> Iterator[float]:
    """`bentoml serve`, ended with its workers; yields the seconds from spawn to an answer."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "bentoml", "serve", str(bento), "-p", str(port)],
        env={**os.environ, "BENTOML_HOME": str(folder / "home"), "BENTOML_DO_NOT_TRACK": "True"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
    )
    try:
        yield _until_ready(port, started)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _until_ready(port: int, started: float) -> float:
    import httpx

    while time.monotonic() - started < 60:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return time.monotonic() - started
        except httpx.TransportError:
            time.sleep(0.02)
    raise TimeoutError("bentoml serve was not ready in 60 s")
