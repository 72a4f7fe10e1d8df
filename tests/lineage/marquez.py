"""A backend of lineage for tests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Marquez(ThreadingHTTPServer):
    """What takes lineage over HTTP as Marquez does, and keeps what it was sent."""

    status = 201

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[tuple[str, str | None, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def states(self) -> list[str]:
        return [event["eventType"] for _, _, event in self.taken]


class Handler(BaseHTTPRequestHandler):
    server: Marquez

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.server.status < 300:
            told_of = (self.path, self.headers["authorization"], json.loads(body))
            self.server.taken.append(told_of)
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing."""


@contextmanager
def running() -> Iterator[Marquez]:
    """One that listens on a free port."""
    with Marquez() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
