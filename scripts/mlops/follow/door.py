"""The listening socket of a service: held by the follower, accepted on by serving processes."""

import errno
import socket
from dataclasses import dataclass

from mlops.errors import Problem

HOST = "127.0.0.1"
BACKLOG = 4096


class PortInUse(Exception):
    """Something else listens on the port."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


@dataclass(frozen=True)
class Door:
    """A port on the loopback interface.

    Bound at once, so that a port in use is told before a process is started; it listens when
    there is somebody to accept, so that clients are refused until then instead of hanging.
    """

    port: int
    socket: socket.socket
    settings_path: str

    @classmethod
    def bind(cls, port: int, settings_path: str) -> "Door":
        """Take the port.

        Args:
            port: on 127.0.0.1.
            settings_path: the file that names the port, for messages.

        Raises:
            PortInUse: when another process has it.
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError as error:
            sock.close()
            raise PortInUse(_refused(port, settings_path, error)) from error
        return cls(port, sock, settings_path)

    def listen(self) -> None:
        """Let connections come; again and again is fine.

        Raises:
            PortInUse: when another process began to listen meanwhile.
        """
        try:
            self.socket.listen(BACKLOG)
        except OSError as error:
            raise PortInUse(_refused(self.port, self.settings_path, error)) from error

    def close(self) -> None:
        """Give the port back; processes that accept on it keep it until they end."""
        self.socket.close()

    @property
    def url(self) -> str:
        """Where clients ask."""
        return f"http://{HOST}:{self.port}"


def _refused(port: int, path: str, error: OSError) -> Problem:
    if error.errno != errno.EADDRINUSE:
        what = f"port {port} could not be opened on {HOST} ({error.strerror})"
        return Problem(path, what, "change local_port")
    holder = _holder(port)
    by = f" (by process {holder})" if holder else ""
    what = f"port {port} is in use on {HOST}{by}"
    return Problem(path, what, "end that process or change local_port")


def _holder(port: int) -> str | None:
    """Number and name of the process that listens on a port, when the system tells."""
    import psutil

    try:
        for found in psutil.net_connections(kind="tcp"):
            here = found.laddr and found.laddr.port == port
            if here and found.pid and found.status == psutil.CONN_LISTEN:
                return f"{found.pid} {psutil.Process(found.pid).name()}"
    except psutil.Error:
        return None
    return None
