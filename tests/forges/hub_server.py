"""The small GitHub's door: HTTP on a free port, of loopback if nothing else is said."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from tests.forges.hub import Hub, Said


class Server(ThreadingHTTPServer):
    """A hub that listens on a free port."""

    daemon_threads = True

    def __init__(self, hub: Hub, host: str = "127.0.0.1") -> None:
        self.hub = hub
        super().__init__((host, 0), Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's, which looks the host's name up.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    @property
    def url(self) -> str:
        """Its address."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def _do(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            said = self.server.hub.answer(self.command, self.path, body, token)
        except Exception as error:  # noqa: BLE001 - told by the fixture, in the test's own thread
            self.server.hub.wrong.append(f"{self.command} {self.path}: {error!r}")
            said = Said(500, {"message": repr(error)})
        self._send(said)

    def _send(self, said: Said) -> None:
        content = b"" if said.value is None else json.dumps(said.value).encode()
        self.send_response(said.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in said.headers.items():
            self.send_header(name, value)
        if said.more:
            self.send_header("Link", '<https://api.github.com/next>; rel="next"')
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _do  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        """Say nothing: tests read what was asked from the hub."""
