"""Asking a serving process over its private socket whether it is ready and answers right."""

import http.client
import json
import math
import socket
from pathlib import Path
from typing import Any

from mlops.errors import bad_input
from mlops.files import load_yaml
from mlops.specs.release import Release

ASK_LIMIT = 10.0


class WrongAnswer(Exception):
    """It answers, but not as this release has to."""


class _PrivateConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ASK_LIMIT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ASK_LIMIT)
        self.sock.connect(str(self._path))


def example_of(bento: Path) -> dict[str, Any]:
    """The example request of the service that a bento holds.

    Only this key is looked at: an old release's service.yaml may be of an older form.

    Raises:
        BadInput: when there is none.
    """
    file = bento / "src" / "service.yaml"
    value = load_yaml(file.read_bytes(), str(file)) if file.is_file() else None
    example = value.get("example") if isinstance(value, dict) else None
    if not isinstance(example, dict):
        raise bad_input(file, "has no `example` request", "build the service again")
    return example


def check_answers(private: Path, release: Release, example: dict[str, Any]) -> None:
    """Ask for readiness and for one prediction.

    Raises:
        WrongAnswer: when an answer is not what the release has to give, or none comes.
    """
    try:
        _check_ready(private)
        _check_prediction(private, release.release, example)
    except (OSError, http.client.HTTPException) as error:
        raise WrongAnswer(f"does not answer ({type(error).__name__})") from error


def _check_ready(private: Path) -> None:
    status, _, _ = _ask(private, "GET", "/readyz")
    if status != 200:
        raise WrongAnswer(f"answers GET /readyz with {status}")


def _check_prediction(private: Path, number: int, example: dict[str, Any]) -> None:
    body = json.dumps({"rows": [example]}).encode()
    status, named, content = _ask(private, "POST", "/predict", body)
    if status != 200:
        raise WrongAnswer(f"answers its example with {status}: {_shortened(content)}")
    if named != str(number):
        raise WrongAnswer(f"answers as release {named} (header x-release)")
    try:
        answer = json.loads(content)
        predictions = answer["predictions"]
    except (ValueError, TypeError, KeyError):
        raise WrongAnswer(f"answers its example with {_shortened(content)}") from None
    if answer.get("release") != number:
        raise WrongAnswer(f"answers as release {answer.get('release')}")
    if not isinstance(predictions, list) or len(predictions) != 1:
        raise WrongAnswer(f"gives {_shortened(content)} for one row")
    if not is_finite(predictions):
        raise WrongAnswer("gives no finite prediction for its example")


def is_finite(value: Any) -> bool:
    """Whether a prediction (a number, or lists of numbers) is finite throughout."""
    if isinstance(value, list):
        return bool(value) and all(is_finite(part) for part in value)
    return isinstance(value, int | float) and math.isfinite(value)


def _ask(
    private: Path, method: str, path: str, body: bytes | None = None
) -> tuple[int, str | None, bytes]:
    """Status, x-release and content of an answer."""
    connection = _PrivateConnection(private)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("x-release"), answer.read()
    finally:
        connection.close()


def release_at(port: int) -> str | None:
    """The release that answers on a public port now, None when nobody does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_LIMIT)
    try:
        connection.request("GET", "/readyz", headers={"Connection": "close"})
        return connection.getresponse().getheader("x-release")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _shortened(content: bytes) -> str:
    text = content.decode(errors="replace")
    return text if len(text) <= 200 else text[:197] + "..."
