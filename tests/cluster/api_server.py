"""An address that answers as an API server does, for what goes wrong before any object is read."""

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, ApiServer)
        if server.status == 0:
            server.released.wait()
            return
        content = json.dumps(_status(server.status)).encode()
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _status(code: int) -> dict[str, object]:
    reasons = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}
    messages = {
        401: "Unauthorized",
        403: 'applications.argoproj.io is forbidden: User "ann" cannot list resource',
        404: "the server could not find the requested resource",
    }
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reasons.get(code, "InternalError"),
        "message": messages.get(code, "broken"),
        "code": code,
    }


class ApiServer(ThreadingHTTPServer):
    """Answers every request with one status; with 0 it never answers."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)


@contextmanager
def answering(
    status: int, certificate: Path | None = None, clients: Path | None = None
) -> Iterator[str]:
    """The address of a server that answers with that status.

    Args:
        certificate: its own with its key; None speaks http.
        clients: what has signed the certificates that it lets in; None asks for none.
    """
    server = ApiServer(status)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
            # Later versions refuse after the handshake, when the client may be writing already.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def own_certificate(folder: Path) -> Path:
    """A certificate that nobody has signed but itself, with its key, as one PEM file."""
    key, certificate, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    _openssl(*NEW, "-x509", *more, "-subj", "/CN=x", "-keyout", key, "-out", certificate)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


def expired_login(folder: Path, signer: Path) -> Path:
    """A client's certificate that ran out yesterday, with its key, as one PEM file."""
    key, asked, login = folder / "me-key.pem", folder / "me.csr", folder / "me.pem"
    _openssl(*NEW, "-subj", "/CN=ann", "-keyout", key, "-out", asked)
    dated = ["-set_serial", "1", "-days", "-1"]
    _openssl("x509", "-req", "-in", asked, "-CA", signer, "-CAkey", signer, *dated, "-out", login)
    login.write_bytes(key.read_bytes() + login.read_bytes())
    return login


NEW = ("req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def kubeconfig(
    path: Path,
    server: str,
    user: dict[str, object] | None = None,
    *,
    authority: Path | None = None,
) -> Path:
    """A kubeconfig of one context, `there`, which is the current one.

    Args:
        authority: what the server's certificate is signed with; None leaves it to the machine.
    """
    cluster = {"server": server}
    if authority is not None:
        cluster["certificate-authority"] = str(authority)
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "there",
        "clusters": [{"name": "c", "cluster": cluster}],
        "contexts": [{"name": "there", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "wrong"} if user is None else user}],
    }
    path.write_text(yaml.safe_dump(value))
    return path
