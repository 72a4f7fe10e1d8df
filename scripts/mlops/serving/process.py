"""A serving process from start to end."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from mlops.errors import bad_input
from mlops.serving import pinned
from mlops.serving.control import Control, WatchedWhileLoading
from mlops.serving.front import Front
from mlops.serving.loading import load, scratch
from mlops.serving.predictions.asked import Asked, asked, withheld
from mlops.serving.predictions.columns import Rows
from mlops.serving.predictions.log import Log
from mlops.serving.server import Server

DRAIN_SECONDS = "MLOPS_DRAIN_SECONDS"
ORPHAN_SECONDS = 2.0
"""How long requests under way may take when the follower is gone."""
QUIET_SECONDS = 0.5


@dataclass(frozen=True)
class Options:
    """What the process was called with; `listen` and `control` are inherited descriptors."""

    bento: Path
    private: Path | None = None
    listen: int | None = None
    control: int | None = None
    host: str | None = None
    port: int | None = None


def run(options: Options) -> None:
    """Load the bento and serve it until told to stop, orphaned or terminated.

    Raises:
        BadInput: a model differs from its pin, a variable says what it cannot, the port is in
            use, the service does not load.
    """
    limit, wanted = drain_limit(), asked()
    pinned.verify(options.bento / "src")
    public = _public_socket(options)
    channel = None if options.control is None else socket.socket(fileno=options.control)
    with scratch(options.private.parent if options.private else None):
        with WatchedWhileLoading(channel) if channel else contextlib.nullcontext():
            server, log = _loaded(options.bento, wanted)
        control = Control(channel, public) if channel else None
        written = log.written() if log else contextlib.nullcontext()
        with written, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(server, options, public, control, limit))


def drain_limit() -> float:
    """Seconds that a terminated process goes on answering at most.

    Raises:
        BadInput: when the variable is not a number of seconds.
    """
    text = os.environ.get(DRAIN_SECONDS, "30")
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if seconds >= 0:
            return seconds
    raise bad_input(DRAIN_SECONDS, f"is {text!r}, not seconds", "set it to a number of seconds")


def _public_socket(options: Options) -> socket.socket | None:
    if options.listen is not None:
        return socket.socket(fileno=options.listen)
    if options.port is None:
        return None
    host = options.host or "127.0.0.1"
    public = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    public.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        public.bind((host, options.port))
    except OSError as error:
        raise bad_input(
            f"{host}:{options.port}",
            f"cannot be listened on ({(error.strerror or str(error)).lower()})",
            "end what listens there, or name another --port",
        ) from error
    return public


def _loaded(bento: Path, wanted: Asked | None) -> tuple[Server, Log | None]:
    # Nearly all that loading makes stays: collecting meanwhile costs a tenth of the start,
    # and later collections need not look at it.
    gc.disable()
    try:
        return _server(bento, wanted)
    finally:
        gc.freeze()
        gc.enable()


def _server(bento: Path, wanted: Asked | None) -> tuple[Server, Log | None]:
    app, scoring = load(bento)
    release = pinned.release()
    log = None
    if wanted:
        rows = Rows(scoring.record, wanted.without, withheld(bento / "src"))
        log = Log(wanted, rows, release, pinned.models())
    return Server(Front(app, scoring, release, log), release), log


async def _serve(
    server: Server,
    options: Options,
    public: socket.socket | None,
    control: Control | None,
    limit: float,
) -> None:
    terminated = _terminations(interruptible=control is None)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(server.running())
        if options.private is not None:
            await stack.enter_async_context(server.private(options.private))
        if control is None and public is not None:
            await server.accept(public)
        await _until_end(server, control, terminated, limit)


def _terminations(*, interruptible: bool) -> asyncio.Event:
    """Set at SIGTERM; at SIGINT too, unless a follower in the same terminal gets that."""
    terminated = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    loop.add_signal_handler(signal.SIGINT, terminated.set if interruptible else _ignored)
    return terminated


def _ignored() -> None:
    """The follower hears the same Ctrl-C and ends this process through the channel."""


async def _until_end(
    server: Server, control: Control | None, terminated: asyncio.Event, limit: float
) -> None:
    ended = asyncio.create_task(terminated.wait())
    obeying = asyncio.create_task(control.obey(server)) if control else None
    await asyncio.wait(
        [task for task in (ended, obeying) if task], return_when=asyncio.FIRST_COMPLETED
    )
    if obeying is not None and obeying.done():
        await _leave_follower(server, stopped=obeying.result(), limit=limit)
    else:
        await _leave_traffic(server, limit)


async def _leave_follower(server: Server, *, stopped: bool, limit: float) -> None:
    if stopped:
        await server.finish(limit)
        return
    server.drain()
    server.stop_accepting()
    await _at_most(server.drained(), ORPHAN_SECONDS)
    await server.finish(0)


async def _leave_traffic(server: Server, limit: float) -> None:
    """Answer with `Connection: close` until nobody has been connected for a moment.

    New connections are still taken meanwhile: whoever routes the traffic may learn later
    than this process that it ends.
    """
    server.drain()
    await _at_most(_quiet(server), limit)
    await server.finish(0)


async def _quiet(server: Server) -> None:
    started = server.requests
    while True:
        await server.drained()
        await asyncio.sleep(QUIET_SECONDS)
        if server.requests == started:
            return
        started = server.requests


async def _at_most(waiting: Awaitable[object], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(waiting, seconds)
