"""Uvicorn's HTTP protocol behind doors that open and close while the app stays loaded."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from mlops.errors import bad_input

IDLE_SECONDS = 75
"""Idle connections are kept longer than proxies keep theirs: who closes first may lose the
request that is on its way, so the client should be the first."""
POLL_SECONDS = 0.02
BACKLOG = 2048
CLOSE = (b"connection", b"close")


class Server:
    """Serves one app on a private unix socket and, while it accepts, on public sockets.

    Every answer carries the header `x-release`, also those that never reach the app; while
    draining every answer carries `Connection: close`.
    """

    def __init__(self, app: ASGIApp, release: int) -> None:
        self._config = Config(
            app,
            http="httptools",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_keep_alive=IDLE_SECONDS,
        )
        self._config.load()
        self._lifespan = LifespanOn(self._config)
        self._release = (b"x-release", str(release).encode())
        self._private, self._public = ServerState(), ServerState()
        self._accepting: asyncio.Server | None = None
        self._draining = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The app's lifespan, and the date in the answers kept current.

        Raises:
            BadInput: when the app refuses to start.
        """
        await self._lifespan.startup()
        if self._lifespan.should_exit:
            raise bad_input("service", "failed to start", "read the lines above, correct it")
        clock = asyncio.create_task(self._keep_date())
        try:
            yield
        finally:
            clock.cancel()
            await self._lifespan.shutdown()

    @asynccontextmanager
    async def private(self, path: Path) -> AsyncIterator[None]:
        """Listen on a unix socket, whatever happens to the public ones.

        Raises:
            BadInput: when the socket cannot be made.
        """
        loop = asyncio.get_running_loop()
        path.unlink(missing_ok=True)
        try:
            listening = await loop.create_unix_server(self._protocol(self._private), str(path))
        except OSError as error:
            raise bad_input(
                path, f"no socket can be made ({error.strerror or error})", "name another --private"
            ) from error
        try:
            yield
        finally:
            listening.close()
            path.unlink(missing_ok=True)

    async def accept(self, listening: socket.socket) -> None:
        """Take connections from a copy of a listening socket; nothing when it does already."""
        self._set_draining(draining=False)
        if self._accepting is None:
            self._accepting = await asyncio.get_running_loop().create_server(
                self._protocol(self._public), sock=listening.dup(), backlog=BACKLOG
            )

    def drain(self) -> None:
        """Answer with `Connection: close` from now on."""
        self._set_draining(draining=True)

    def stop_accepting(self) -> None:
        """Close the copy; the socket itself goes on listening for whoever else holds it."""
        if self._accepting is not None:
            self._accepting.close()
            self._accepting = None

    async def drained(self) -> None:
        """Return when no public connection is open."""
        while self._public.connections:
            await asyncio.sleep(POLL_SECONDS)

    @property
    def requests(self) -> int:
        """How many public requests were answered."""
        return self._public.total_requests

    async def finish(self, seconds: float) -> None:
        """Close idle connections at once, and the others when they have their answer."""
        self.drain()
        self.stop_accepting()
        for connection in [*self._public.connections, *self._private.connections]:
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._public.connections or self._private.connections:
                    await asyncio.sleep(POLL_SECONDS)

    def _protocol(self, state: ServerState) -> Any:
        def connected() -> asyncio.Protocol:
            made: asyncio.Protocol = self._config.http_protocol_class(  # type: ignore[call-arg]  # uvicorn's
                config=self._config, server_state=state, app_state=self._lifespan.state
            )
            return made

        return connected

    def _set_draining(self, *, draining: bool) -> None:
        self._draining = draining
        self._write_headers()

    def _write_headers(self) -> None:
        headers = [(b"date", formatdate(usegmt=True).encode()), self._release]
        headers += [CLOSE] if self._draining else []
        # In place: answers that are under way hold this list too.
        self._public.default_headers[:] = headers
        self._private.default_headers[:] = headers

    async def _keep_date(self) -> None:
        while True:
            self._write_headers()
            await asyncio.sleep(1)
