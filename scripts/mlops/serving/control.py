"""The control channel: JSON lines between a serving process and the follower that started it.

The follower says `{"do": "accept"}`, `{"do": "drain"}` and `{"do": "stop"}`; the process says
`{"state": "ready"}`, `"accepting"` and `"drained"`. The end of the channel means that the
follower is gone.
"""

import asyncio
import contextlib
import json
import select
import shutil
import socket
import threading
from os import _exit as exit_at_once
from os import environ
from typing import Any

from mlops.serving.server import Server


class Control:
    """Obeys the follower until it says stop or is gone."""

    def __init__(self, channel: socket.socket, listening: socket.socket | None) -> None:
        self._channel = channel
        self._listening = listening
        self._draining: asyncio.Task[None] | None = None

    async def obey(self, server: Server) -> bool:
        """Returns True when told to stop, False when the channel ended."""
        reader, writer = await asyncio.open_unix_connection(sock=self._channel)
        self._writer = writer
        self._say("ready")
        while line := await _line(reader):
            if await self._do(server, line):
                return True
        return False

    async def _do(self, server: Server, line: bytes) -> bool:
        order = _order(line)
        if order == "accept" and self._listening is not None:
            self._forget_drain()
            await server.accept(self._listening)
            self._say("accepting")
        elif order == "drain":
            self._forget_drain()
            server.drain()
            server.stop_accepting()
            self._draining = asyncio.create_task(self._tell_drained(server))
        elif order != "stop":
            self._say("confused", order=line.decode(errors="replace").strip())
        return bool(order == "stop")

    async def _tell_drained(self, server: Server) -> None:
        await server.drained()
        self._say("drained")

    def _forget_drain(self) -> None:
        if self._draining is not None:
            self._draining.cancel()
            self._draining = None

    def _say(self, state: str, **more: str) -> None:
        if not self._writer.is_closing():
            self._writer.write(json.dumps({"state": state, **more}).encode() + b"\n")


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; empty when the other end is gone, however it went."""
    with contextlib.suppress(OSError, ValueError):
        return await reader.readline()
    return b""


def _order(line: bytes) -> Any:
    with contextlib.suppress(ValueError):
        value = json.loads(line)
        return value.get("do") if isinstance(value, dict) else None
    return None


class WatchedWhileLoading:
    """Ends the process when the follower goes away before there is an event loop to notice."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._wake.close()
        self._thread.join()
        self._woken.close()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._channel, select.POLLHUP | select.POLLERR)
        poll.register(self._woken, select.POLLIN)
        happened = {handle for handle, _ in poll.poll()}
        if self._channel.fileno() in happened:
            shutil.rmtree(environ.get("BENTOML_HOME", ""), ignore_errors=True)
            exit_at_once(0)
