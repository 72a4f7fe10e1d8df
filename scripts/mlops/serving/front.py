"""The app in front of BentoML's: answers the scoring route, hands on everything else."""

import sys
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from mlops.serving.batching import Batcher
from mlops.serving.meters import Meters
from mlops.serving.predictions.log import Log
from mlops.serving.route import ROUTE, Scoring

MAX_BODY = 1 << 20
"""Bytes of one request: some thousand rows, a tenth of a second of scoring."""
SHOWN_PROBLEMS = 20
JSON = (b"content-type", b"application/json")


class Refused(Exception):
    """A request that is not scored: status, reason (for counting) and the problems."""

    def __init__(self, status: int, reason: str, problems: list[dict[str, str]]) -> None:
        self.status = status
        self.reason = reason
        self.problems = problems
        super().__init__(reason)


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Front:
    """ASGI app: `POST /predict` here, every other request, lifespan and websocket to `inner`."""

    def __init__(
        self, inner: ASGIApp, scoring: Scoring, release: int, log: Log | None = None
    ) -> None:
        self._inner = inner
        self._request: TypeAdapter[Any] = TypeAdapter(scoring.request)
        self._batcher = Batcher(scoring.score)
        self._release = release
        self._meters = Meters(release, scoring.models)
        self._outside = scoring.outside
        self._predictions = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == ROUTE:
            await self._predict(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        try:
            body = await _body(scope, receive)
            rows = self._rows(body)
            predictions = await self._scored(rows)
        except Disconnected:
            return
        except Refused as refused:
            await self._refuse(send, refused)
            seconds = perf_counter() - started
            self._meters.failed(refused.status, refused.reason, seconds)
            self._log(scope, refused, seconds)
            return
        headers = None
        if self._predictions is not None and not _is_private(scope):
            seconds = perf_counter() - started
            identity = self._predictions.take(rows, predictions, len(body), seconds)
            headers = [(b"x-prediction", identity.encode())] if identity else None
        await self._answer(send, 200, {"predictions": predictions}, headers)
        self._meters.scored(len(rows), self._outside(predictions), perf_counter() - started)

    def _rows(self, body: bytes) -> list[Any]:
        try:
            rows: list[Any] = self._request.validate_json(body).rows
        except ValidationError as error:
            raise Refused(422, "invalid", _problems(error)) from None
        return rows

    async def _scored(self, rows: list[Any]) -> list[float]:
        try:
            return await self._batcher.score(rows)
        except Exception as error:
            what = f"scoring failed ({type(error).__name__}: {error})"
            fix = "correct the rows, or report it with them"
            raise Refused(500, "scoring", [_problem("rows", what, fix)]) from error

    async def _refuse(self, send: Send, refused: Refused) -> None:
        headers = [(b"allow", b"POST")] if refused.status == 405 else []
        await self._answer(send, refused.status, {"problems": refused.problems}, headers)

    async def _answer(
        self, send: Send, status: int, content: dict[str, Any], headers: list[Any] | None = None
    ) -> None:
        body = orjson.dumps({"release": self._release, **content})
        length = (b"content-length", str(len(body)).encode())
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [JSON, length, *(headers or ())],
            }
        )
        await send({"type": "http.response.body", "body": body})

    def _log(self, scope: Scope, refused: Refused, seconds: float) -> None:
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "release": self._release,
            "method": scope["method"],
            "path": scope["path"],
            "status": refused.status,
            "reason": refused.reason,
            "ms": round(seconds * 1000, 2),
            "problems": refused.problems,
        }
        sys.stderr.write(orjson.dumps(entry).decode() + "\n")
        sys.stderr.flush()


def _is_private(scope: Scope) -> bool:
    """Whether a check asks, over the unix socket, and no client."""
    server = scope.get("server")
    return server is not None and server[1] is None


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body of a POST.

    A body that is too large is not waited for: the server reads the rest of it past the
    answer, so that the client gets to see the answer.
    """
    if scope["method"] != "POST":
        problem = _problem(ROUTE, f"{scope['method']} is not a method of it", "POST the rows")
        raise Refused(405, "method", [problem])
    if _declared_length(scope) > MAX_BODY:
        raise _too_large()
    body = b""
    complete = False
    while not complete:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _too_large()
        complete = not message.get("more_body", False)
    return body


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return 0


def _too_large() -> Refused:
    what = f"body is larger than {MAX_BODY} bytes"
    return Refused(413, "too-large", [_problem("body", what, "send the rows in several requests")])


def _problems(error: ValidationError) -> list[dict[str, str]]:
    entries = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [_entry(entry) for entry in entries[:SHOWN_PROBLEMS]]
    if len(entries) > SHOWN_PROBLEMS:
        more = f"{len(entries) - SHOWN_PROBLEMS} more problems"
        shown.append(_problem("body", more, "correct the ones above first"))
    return shown


def _entry(entry: Any) -> dict[str, str]:
    path = ".".join(str(part) for part in entry["loc"]) or "body"
    return _problem(path, entry["msg"], FIXES.get(entry["type"], "correct the value"))


FIXES = {
    "missing": "add it",
    "extra_forbidden": "remove it or correct its name",
    "json_invalid": 'send JSON: {"rows": [{...}]}',
}


def _problem(path: str, what: str, fix: str) -> dict[str, str]:
    return {"path": path, "what": what, "fix": fix}
