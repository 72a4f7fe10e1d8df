"""A door before a registry that can be held: what would name an image then waits there."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import SHUT_WR, create_connection, socket
from socketserver import BaseRequestHandler, ThreadingTCPServer

NAMES = re.compile(rb"PUT /v2/\S+/manifests/")
"""The request by which an image gets its name, after all its layers are there."""
PIECE = 1 << 16


class Gate(ThreadingTCPServer):
    """Hands everything on to a registry on loopback, and back.

    Attributes:
        reached: set when a push has sent its layers, and waits because the gate is held.
    """

    daemon_threads = True

    def __init__(self, registry: str) -> None:
        host, _, port = registry.partition(":")
        self.behind = (host, int(port))
        self.reached, self.opened = threading.Event(), threading.Event()
        self.opened.set()
        super().__init__((host, 0), _Passage)

    @property
    def address(self) -> str:
        """What stands for the registry's own."""
        return "{}:{}".format(*self.server_address)

    @contextmanager
    def held(self) -> Iterator[threading.Event]:
        """For as long as the block lasts no image gets a name; those that waited never do."""
        self.reached.clear()
        self.opened.clear()
        try:
            yield self.reached
        finally:
            self.opened.set()


class _Passage(BaseRequestHandler):
    server: Gate

    def handle(self) -> None:
        with create_connection(self.server.behind) as behind:
            back = threading.Thread(target=_pass_on, args=(behind, self.request), daemon=True)
            back.start()
            while piece := _piece(self.request):
                if not self.server.opened.is_set() and NAMES.match(piece):
                    self.server.reached.set()
                    self.server.opened.wait()
                    return
                behind.sendall(piece)
            behind.shutdown(SHUT_WR)
            back.join()


def _pass_on(source: socket, target: socket) -> None:
    try:
        while piece := _piece(source):
            target.sendall(piece)
        target.shutdown(SHUT_WR)
    except OSError:
        pass  # who asked was killed


def _piece(source: socket) -> bytes:
    """What comes next; nothing when the other end is gone."""
    try:
        return source.recv(PIECE)
    except OSError:
        return b""


@contextmanager
def before(registry: str) -> Iterator[Gate]:
    """A gate before a registry, open."""
    with Gate(registry) as gate:
        thread = threading.Thread(target=gate.serve_forever, daemon=True)
        thread.start()
        try:
            yield gate
        finally:
            gate.shutdown()
            thread.join()
