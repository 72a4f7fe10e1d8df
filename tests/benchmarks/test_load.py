"""The client that counts what is lost counts every way of losing."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable

from benchmarks.load import Plan, Tally, run

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BODY = b'{"release":4,"predictions":[1.0]}'


def answer(status: str = "200 OK", release: str = "4", more: str = "", body: bytes = BODY) -> bytes:
    head = f"HTTP/1.1 {status}\r\nx-release: {release}\r\n{more}content-length: {len(BODY)}\r\n\r\n"
    return head.encode() + body


def always(content: bytes, *, pause: float = 0.0, close: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"{}"):
                await asyncio.sleep(pause)
                writer.write(content)
                if close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    return handle


def counted(handler: Handler, *, fresh: float = 0.0, rate: float = 100.0) -> Tally:
    async def story() -> Tally:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        plan = Plan("127.0.0.1", port, (b"{}",), rate=rate, connections=2, fresh=fresh)
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, stop.set)
        short = Plan(**{**vars(plan), "deadline": 0.2})
        tally = await run(short, stop)
        server.close()
        return tally

    return asyncio.run(story())


def test_good_answers_are_counted_by_release_and_connection() -> None:
    tally = counted(always(answer()), fresh=0.5)
    assert tally.ok == tally.sent == tally.releases["4"].answers > 10
    assert tally.lost == 0
    assert abs(tally.fresh - tally.kept) <= 2
    seen = tally.releases["4"]
    assert tally.started <= seen.first < seen.last <= tally.ended


def test_no_more_is_sent_than_the_rate_allows() -> None:
    tally = counted(always(answer()), rate=100)
    assert 0 < tally.sent <= 100 * (tally.ended - tally.started) + 2, "one more a connection"
    assert counted(always(answer()), rate=0).sent > tally.sent


def test_an_answer_that_says_close_moves_the_connection_and_loses_nothing() -> None:
    tally = counted(always(answer(more="connection: close\r\n"), close=True))
    assert (tally.lost, tally.closed) == (0, tally.sent)


def test_an_error_a_cut_answer_and_silence_are_failures() -> None:
    for handler in (
        always(answer(status="503 Service Unavailable")),
        always(answer(body=b"{"), close=True),
        always(b"", close=True),
    ):
        tally = counted(handler)
        assert tally.failed == tally.sent > 0, tally


def test_the_reasons_of_failures_are_told() -> None:
    tally = counted(always(answer(status="503 Service Unavailable")))
    told = json.loads(json.dumps(tally.summary()))
    assert (told["reasons"], told["lost"]) == ({"status 503": tally.sent}, tally.sent)


def test_an_answer_after_the_deadline_is_late() -> None:
    tally = counted(always(answer(), pause=0.3))
    assert tally.late == tally.sent > 0


def test_a_header_and_a_body_of_different_releases_are_mixed() -> None:
    tally = counted(always(answer(release="5")))
    assert tally.mixed == tally.sent > 0


def test_nobody_listening_is_a_failure() -> None:
    async def story() -> Tally:
        plan = Plan("127.0.0.1", 1, (b"{}",), connections=1, rate=50, seconds=0.2)
        return await run(plan)

    tally = asyncio.run(story())
    assert tally.failed == tally.sent > 0


def test_a_load_ends_with_the_process_that_started_it() -> None:
    started = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(1)"
    asking = (sys.executable, "-m", "benchmarks.load", "--url", "http://127.0.0.1:9/", "--body={}")
    # All that writes to the pipe has ended when this returns.
    done = subprocess.run(
        [sys.executable, "-c", started, *asking], capture_output=True, timeout=30, check=True
    )
    assert json.loads(done.stdout)["failed"] > 0
