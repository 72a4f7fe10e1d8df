"""Events sent to a backend that takes OpenLineage over HTTP, such as Marquez.

What the backend does not take now is sent at the end of a later step. Named by the standard's
variables (OPENLINEAGE_URL, OPENLINEAGE_ENDPOINT, OPENLINEAGE_API_KEY, OPENLINEAGE_DISABLED), or by
`url` below [lineage] in mlops.toml.
"""

import http.client
import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlops.errors import Problem
from mlops.lineage.kept import Kept
from mlops.repository import Repository

PATIENCE = 3.0
"""Seconds that one answer is waited for."""
LONGEST = 10.0
"""Seconds that one step goes on sending what earlier ones left."""
REFUSED = frozenset({400, 413, 422})
"""Answers that say that these very events will never be taken."""


@dataclass(frozen=True)
class Backend:
    """Where events go: the address they are posted to, and the key that opens it."""

    url: str
    key: str | None

    @classmethod
    def of(cls, repo: Repository) -> "Backend | None":
        """What environment or mlops.toml names; None: events stay in the stores."""
        base = os.environ.get("OPENLINEAGE_URL") or repo.project.lineage.url
        if not base or os.environ.get("OPENLINEAGE_DISABLED", "").lower() == "true":
            return None
        endpoint = os.environ.get("OPENLINEAGE_ENDPOINT", "api/v1/lineage")
        return cls(f"{base.rstrip('/')}/{endpoint}", os.environ.get("OPENLINEAGE_API_KEY"))

    def post(self, event: bytes) -> int:
        """The status that an event is answered with; raises `OSError` or `HTTPException`."""
        parts = urlsplit(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.netloc, timeout=PATIENCE)
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            connection.request("POST", parts.path, body=event, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()


def send(kept: Kept, backend: Backend) -> Problem | None:
    """Send what is to be sent, the oldest day first, until one is not taken; says why, then."""
    started = time.monotonic()
    refused: Problem | None = None
    for file in kept.unsent():
        if time.monotonic() - started > LONGEST:
            break
        status = _sent(file, backend)
        if isinstance(status, Problem):
            return status
        if status in REFUSED:
            what = f"refuses the events of {file.name} ({status})"
            refused = Problem(backend.url, what, f"they stay in {file}")
        kept.mark_sent(file)
    return refused


def _sent(file: Path, backend: Backend) -> int | Problem:
    """The status of the last event of a file; a problem when it has to be sent again."""
    status = 200
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:  # somebody cleared the folder
        return status
    fix = "the events stay in the stores and are sent after a later step"
    for line in lines:
        try:
            status = backend.post(line)
        except (OSError, http.client.HTTPException) as error:
            return Problem(backend.url, f"does not answer ({type(error).__name__})", fix)
        if status in REFUSED:
            return status
        if not 200 <= status < 300:
            return Problem(backend.url, f"did not take lineage events ({status})", fix)
    return status
