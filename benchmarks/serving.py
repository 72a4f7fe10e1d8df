"""A service's process: its start, and requests a second against `bentoml serve` of the same bento,
and what the prediction log costs."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.load import Plan, Tally, run
from benchmarks.table import Figure

if TYPE_CHECKING:
    from tests.serving.toy import Toy

CONNECTIONS = 16
START_GOAL = 2.0
RATE_GOAL = 15.0
LOG_GOAL = 1.4
ROUNDS = 5


def measure(*, small: bool) -> list[Figure]:
    """Seconds from spawn to ready (median), and requests a second of each pair in turn."""
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
        with_log, without = _with_log(toy, folder / "log", bodies, seconds)
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
        Figure(
            what="processor time of an answer with the prediction log, against without",
            value=with_log / without,
            unit="times",
            goal=LOG_GOAL,
            detail=f"{with_log * 1e6:.0f} and {without * 1e6:.0f} us, every answer logged",
        ),
    ]


def _with_log(
    toy: "Toy", log: Path, bodies: tuple[bytes, ...], seconds: float
) -> tuple[float, float]:
    """Processor seconds of an answer with the log and without, of two processes asked in turn.

    Theirs alone, and the least of some rounds: what else the machine does makes them longer only.
    """
    from mlops.serving.predictions.asked import PREDICTIONS, Asked
    from tests.serving.toy import Serving, listening_socket, port_of, serving

    place = {"to": str(log), "shown": "<stores>/predictions/dev/toy"}
    asked = Asked(**place, project="toys", environment="dev", service="toy")
    told: dict[bool, dict[str, str]] = {True: {PREDICTIONS: asked.variable()}, False: {}}
    running: dict[bool, tuple[Serving, int]] = {}
    found: dict[bool, list[float]] = {True: [], False: []}
    with ExitStack() as stack:
        for logged, more in told.items():
            door = stack.enter_context(listening_socket())
            process = stack.enter_context(
                serving(toy.bento.path, release=1, listening=door, environment=more)
            )
            process.say("accept")
            process.hear("accepting")
            running[logged] = process, port_of(door)
            _requests_a_second(port_of(door), bodies, 0.5)
        for _ in range(ROUNDS):
            for logged, (process, port) in running.items():
                before = _processor_seconds(process.process.pid)
                answers = _answers(port, bodies, seconds / ROUNDS)
                spent = _processor_seconds(process.process.pid) - before
                found[logged].append(spent / answers)
    return min(found[True]), min(found[False])


def _processor_seconds(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _answers(port: int, bodies: tuple[bytes, ...], seconds: float) -> int:
    return _asked(port, bodies, seconds).ok


def _requests_a_second(port: int, bodies: tuple[bytes, ...], seconds: float) -> float:
    tally = _asked(port, bodies, seconds)
    # Plain BentoML names the release in the body only: such answers count as mixed.
    return (tally.ok + tally.mixed) / (tally.ended - tally.started)


def _asked(port: int, bodies: tuple[bytes, ...], seconds: float) -> Tally:
    plan = Plan(
        "127.0.0.1", port, bodies, rate=0, connections=CONNECTIONS, fresh=0, seconds=seconds
    )
    return asyncio.run(run(plan))


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
