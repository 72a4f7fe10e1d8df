"""Asking a forge over HTTP: time-outs, retries, pages, and refusals in the one error form."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from mlops.environments.markdown import visible
from mlops.errors import BadInput, Problem, bad_input

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
DEADLINE = 90.0
"""Seconds after which a request that has to be repeated is given up."""
FIRST_WAIT = 0.5
BUSY = frozenset({429, 502, 503})
REPEATABLE = frozenset({"GET", "PUT", "PATCH", "DELETE"})
T = TypeVar("T")
Got = httpx.Response | httpx.TransportError


class Denied(BadInput):
    """The token may not, or what was asked for is not there for it (403, 404)."""


class Unsure(BadInput):
    """The answer was lost: what was asked may have been done or not."""


@dataclass(frozen=True)
class Answer:
    """What the forge said: the status code and the parsed JSON (None when it was empty)."""

    status: int
    value: Any
    more: bool = False


@dataclass(frozen=True)
class Ask:
    """One request.

    Attributes:
        about: what it is about, for messages.
        needs: the permission that the token needs for it.
        allowed: refusals that the caller handles.
        repeatable: whether asking twice does no more than asking once.
    """

    method: str
    path: str
    about: str
    needs: str
    params: Mapping[str, str | int] | None = None
    json: Any = None
    allowed: Collection[int] = ()
    repeatable: bool = False

    @property
    def safe(self) -> bool:
        """Whether it may be sent again when it is not known what became of it."""
        return self.repeatable or self.method in REPEATABLE


class Api:
    """A forge's REST interface for one repository; the token is in no text it makes."""

    def __init__(
        self,
        base: str,
        repository: str,
        token: str,
        *,
        headers: Mapping[str, str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(
            base_url=base,
            headers={
                **headers,
                "Authorization": f"Bearer {token}",
                "User-Agent": "mlops",
            },
            timeout=TIMEOUT,
        )
        self._token = token
        self._sleep = sleep
        self._host = httpx.URL(base).netloc.decode()
        self.repository = repository

    def send(self, ask: Ask) -> Answer:
        """The answer; a busy forge is asked again, as late as it says, until the deadline.

        Raises:
            Denied: for 403 and 404.
            Unsure: when a request that must not be sent twice got no clear answer.
            BadInput: when the forge cannot be reached or refuses.
        """
        begun, backoff = time.monotonic(), FIRST_WAIT
        while True:
            got = self._try(ask)
            if isinstance(got, httpx.Response) and not _is_busy(got):
                return self._answer(ask, got)
            if not ask.safe and not _was_refused(got):
                raise Unsure(self._gave_up(got))
            wait = max(backoff, _asked_wait(got))
            if _is_wrong_address(got) or time.monotonic() + wait - begun > DEADLINE:
                raise BadInput(self._gave_up(got))
            self._sleep(wait)
            backoff *= 2

    def _try(self, ask: Ask) -> Got:
        try:
            return self._http.request(
                ask.method, ask.path, params=dict(ask.params or {}), json=ask.json
            )
        except httpx.TransportError as error:
            return error

    def pages(self, ask: Ask, *, size: Mapping[str, int]) -> Iterator[Any]:
        """The value of each page, asked for when it is wanted.

        Args:
            size: the parameter for the entries of a page, and how many.
        """
        page, more = 1, True
        while more:
            params = {**(ask.params or {}), **size, "page": page}
            answer = self.send(Ask(ask.method, ask.path, ask.about, ask.needs, params))
            yield answer.value
            page, more = page + 1, answer.more

    def parsed(self, make: Callable[[Any], T], value: Any) -> T:
        """A part of an answer as a value of ours.

        Raises:
            BadInput: when the answer is not shaped as a forge's are.
        """
        try:
            return make(value)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise bad_input(
                self._host,
                f"does not answer as a forge does ({type(error).__name__}: {error})",
                "check `kind` and `url` below [forge] in mlops.toml",
            ) from error

    def hidden(self, text: str) -> str:
        """Foreign text in one short line, the token blotted out."""
        line = visible(" ".join(text.replace(self._token, "***").split()))
        return line if len(line) <= 300 else f"{line[:297]}..."

    def _answer(self, ask: Ask, got: httpx.Response) -> Answer:
        if got.is_success or got.status_code in ask.allowed:
            return Answer(got.status_code, self._json(got), "next" in got.links)
        if got.status_code in (401, 403, 404):
            raise self._denied(ask, got)
        if got.has_redirect_location:
            raise bad_input(
                self.repository,
                f"has moved to another place on {self._host} ({got.status_code})",
                "correct `repository` below [forge] in mlops.toml",
            )
        raise bad_input(
            ask.about,
            f"{self._host} refuses ({got.status_code}: {self.reason(self._json(got))})",
            "correct that, then run this again",
        )

    def _json(self, got: httpx.Response) -> Any:
        if not got.content:
            return None
        try:
            return got.json()
        except ValueError:
            if not got.is_success:
                return {"message": got.text}
            raise bad_input(
                self._host,
                f"does not answer as a forge does ({got.headers.get('content-type', 'no type')})",
                "check `kind` and `url` below [forge] in mlops.toml",
            ) from None

    def reason(self, value: Any) -> str:
        """Why the forge refuses, from the body of its answer."""
        if not isinstance(value, dict):
            return "no reason given"
        told = [str(value.get("message", "")), *(_error(each) for each in _list(value, "errors"))]
        return self.hidden(", ".join(part for part in told if part)) or "no reason given"

    def _denied(self, ask: Ask, got: httpx.Response) -> BadInput:
        why = f"{got.status_code}: {self.reason(self._json(got))}"
        permission = f"the permission {ask.needs} on {self.repository}"
        if got.status_code == 401:
            what = f"does not know the token ({why})"
            fix = f"put a token into FORGE_TOKEN that has not expired and has {permission}"
            return bad_input(self._host, what, fix)
        if got.status_code == 403:
            fix = f"give the token {permission}"
            return Denied(Problem(ask.about, f"the token may not do this ({why})", fix))
        if ask.about != self.repository and self._is_there():
            what = f"is not in {self.repository} on {self._host}, or the token may not see it"
            fix = f"correct the name or number, or give the token {permission}"
            return Denied(Problem(ask.about, what, fix))
        what = f"is not a repository on {self._host}, or the token may not see it"
        fix = f"correct `repository` below [forge] in mlops.toml, or give the token {permission}"
        return Denied(Problem(self.repository, what, fix))

    def _is_there(self) -> bool:
        got = self._try(Ask("GET", f"/repos/{self.repository}", self.repository, "metadata: read"))
        return isinstance(got, httpx.Response) and got.is_success

    def _gave_up(self, got: Got) -> Problem:
        if isinstance(got, httpx.Response):
            what = f"is busy ({got.status_code}: {self.reason(self._json(got))})"
            return Problem(self._host, what, "try again later")
        what = f"cannot be reached ({self.hidden(str(got) or type(got).__name__)})"
        return Problem(self._host, what, "check `url` below [forge] in mlops.toml and the network")


def _is_busy(got: httpx.Response) -> bool:
    """429, 502, 503, or the 403 by which GitHub says that a rate limit is reached."""
    if got.status_code in BUSY:
        return True
    limited = "retry-after" in got.headers or got.headers.get("x-ratelimit-remaining") == "0"
    return got.status_code == 403 and limited


def _asked_wait(got: Got) -> float:
    """Seconds that the forge asks to be left alone."""
    if isinstance(got, httpx.TransportError):
        return 0.0
    after = got.headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = got.headers.get("x-ratelimit-reset", "")
    if got.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(0.0, float(reset) - time.time())
    return 0.0


def _was_refused(got: Got) -> bool:
    """Whether it is sure that nothing was done."""
    if isinstance(got, httpx.Response):
        return got.status_code in (403, 429)
    return _is_wrong_address(got)


def _is_wrong_address(got: Got) -> bool:
    """Whether nothing at all answers there, so that waiting does not help."""
    return isinstance(got, httpx.ConnectError | httpx.UnsupportedProtocol)


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _error(each: Any) -> str:
    if isinstance(each, dict):
        return str(each.get("message") or f"{each.get('field')}: {each.get('code')}")
    return str(each)
