"""An independent HTTP/1.1 client that keeps asking and counts what came back.

Raw sockets, no retries, a deadline for each request, kept and fresh connections, a steady
rate. `python -m benchmarks.load --help`; ends at --seconds, SIGINT or SIGTERM and prints one
JSON object.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Plan:
    """What to ask, how often, over which connections."""

    host: str
    port: int
    bodies: tuple[bytes, ...]
    path: str = "/predict"
    rate: float = 200.0
    """Requests a second of all connections together; 0: as fast as answers come."""
    connections: int = 8
    fresh: float = 0.25
    """Share of requests that are asked over a connection of their own."""
    deadline: float = 1.0
    """Seconds for connection, request and answer together."""
    seconds: float | None = None


@dataclass
class Seen:
    """Answers of one release: how many, and the times (Unix) of the first and the last."""

    answers: int = 0
    first: float = 0.0
    last: float = 0.0


@dataclass
class Tally:
    """What came back; `sent` is `ok + failed + late + mixed`."""

    sent: int = 0
    ok: int = 0
    failed: int = 0
    late: int = 0
    mixed: int = 0
    """Answers whose header and body name different releases."""
    kept: int = 0
    fresh: int = 0
    closed: int = 0
    """Kept connections that an answer asked to close."""
    reasons: Counter[str] = field(default_factory=Counter)
    releases: dict[str, Seen] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    ended: float = 0.0

    @property
    def lost(self) -> int:
        """Requests without a good answer in time."""
        return self.failed + self.late + self.mixed

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of the good answers took at most."""
        times = sorted(self.milliseconds)
        return times[min(int(share * len(times)), len(times) - 1)] if times else 0.0

    def summary(self) -> dict[str, object]:
        """As JSON-ready values, with quantiles in the place of all times."""
        values = {**asdict(self), "reasons": dict(self.reasons)}
        del values["milliseconds"]
        seconds = self.ended - self.started
        quantiles = {"p50_ms": self.quantile(0.5), "p99_ms": self.quantile(0.99)}
        return {**values, "lost": self.lost, "per_second": self.ok / seconds, **quantiles}


class _Broken(Exception):
    """The connection ended before the answer was complete."""


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class _Answer:
    status: int
    release: str
    close: bool
    body: bytes


class _Connection:
    """One kept connection, opened again when it was closed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stream: Stream | None = None

    async def ask(self, body: bytes) -> _Answer:
        """One request; the connection is given up when it fails or the answer says close."""
        try:
            if self._stream is None:
                self._stream = await asyncio.open_connection(self._plan.host, self._plan.port)
            answer = await _exchange(self._stream, self._plan, body)
        except BaseException:
            self.close()
            raise
        if answer.close:
            self.close()
        return answer

    def close(self) -> None:
        """Close it, at once."""
        if self._stream is not None:
            self._stream[1].transport.abort()
            self._stream = None


async def _exchange(stream: Stream, plan: Plan, body: bytes) -> _Answer:
    reader, writer = stream
    head = f"POST {plan.path} HTTP/1.1\r\nhost: {plan.host}:{plan.port}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        content = await reader.readexactly(int(headers["content-length"]))
    except asyncio.IncompleteReadError as error:
        raise _Broken(f"closed after {len(error.partial)} bytes of the answer") from error
    status = int(lines[0].split(" ")[1])
    closes = headers.get("connection") == "close"
    return _Answer(status, headers.get("x-release", ""), closes, content)


async def run(plan: Plan, stop: asyncio.Event | None = None) -> Tally:
    """Ask until the plan's seconds are over or `stop` is set, then count."""
    tally = Tally()
    stop = stop or asyncio.Event()
    workers = [
        asyncio.create_task(_work(plan, number, tally, stop)) for number in range(plan.connections)
    ]
    try:
        await asyncio.wait_for(stop.wait(), plan.seconds)
    except TimeoutError:
        stop.set()
    await asyncio.gather(*workers)
    tally.ended = time.time()
    return tally


async def _work(plan: Plan, number: int, tally: Tally, stop: asyncio.Event) -> None:
    """One kept connection's share of the requests, with fresh ones between."""
    kept = _Connection(plan)
    step = plan.connections / plan.rate if plan.rate else 0.0
    due = time.monotonic() + step * number / plan.connections
    owed = 0.0
    for body in cycle(plan.bodies):
        await _until(due, stop)
        if stop.is_set():
            break
        due += step
        owed += plan.fresh
        alone = owed >= 1
        owed -= alone
        await _count(_Connection(plan) if alone else kept, plan, body, tally, alone=alone)
    kept.close()


async def _until(due: float, stop: asyncio.Event) -> None:
    pause = due - time.monotonic()
    if pause > 0:
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            return


async def _count(
    connection: _Connection, plan: Plan, body: bytes, tally: Tally, *, alone: bool
) -> None:
    tally.sent += 1
    tally.fresh += alone
    tally.kept += not alone
    started = time.perf_counter()
    try:
        async with asyncio.timeout(plan.deadline):
            answer = await connection.ask(body)
    except TimeoutError:
        tally.late += 1
        tally.reasons[f"no answer in {plan.deadline:g} s"] += 1
        return
    except (OSError, _Broken, ValueError, KeyError) as error:
        tally.failed += 1
        tally.reasons[f"{type(error).__name__}: {error}"] += 1
        return
    finally:
        if alone:
            connection.close()
    _judge(answer, tally, (time.perf_counter() - started) * 1000)
    tally.closed += answer.close and not alone


def _judge(answer: _Answer, tally: Tally, milliseconds: float) -> None:
    if answer.status != 200:
        tally.failed += 1
        tally.reasons[f"status {answer.status}"] += 1
        return
    if str(json.loads(answer.body)["release"]) != answer.release:
        tally.mixed += 1
        tally.reasons["header and body name different releases"] += 1
        return
    tally.ok += 1
    tally.milliseconds.append(milliseconds)
    now = time.time()
    seen = tally.releases.setdefault(answer.release, Seen(first=now))
    seen.answers += 1
    seen.last = now


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0 when nothing was lost, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--url", required=True, help="http://HOST:PORT/PATH")
    parser.add_argument("--body", required=True, action="append", help="JSON; several: in turn")
    parser.add_argument("--rate", type=float, default=200.0, help="a second; 0: closed loop")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--fresh", type=float, default=0.25, help="share of fresh connections")
    parser.add_argument("--deadline", type=float, default=1.0)
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args(arguments)
    url = urlsplit(options.url)
    plan = Plan(
        host=url.hostname or "127.0.0.1",
        port=url.port or 80,
        path=url.path or "/predict",
        bodies=tuple(body.encode() for body in options.body),
        rate=options.rate,
        connections=options.connections,
        fresh=options.fresh,
        deadline=options.deadline,
        seconds=options.seconds,
    )
    tally = asyncio.run(_until_signal(plan))
    sys.stdout.write(json.dumps(tally.summary()) + "\n")
    return 1 if tally.lost else 0


async def _until_signal(plan: Plan) -> Tally:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    orphaned = asyncio.create_task(_stop_without_parent(os.getppid(), stop))
    try:
        return await run(plan, stop)
    finally:
        orphaned.cancel()


async def _stop_without_parent(parent: int, stop: asyncio.Event) -> None:
    """A load whose starter was killed would go on for ever."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
