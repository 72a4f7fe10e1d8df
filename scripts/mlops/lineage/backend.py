"""A backend that takes OpenLineage over HTTP, such as Marquez, as the standard's variables name it.

OPENLINEAGE_URL, OPENLINEAGE_ENDPOINT, OPENLINEAGE_API_KEY, OPENLINEAGE_DISABLED.
"""

import http.client
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 3.0
"""Seconds that one answer is waited for."""


@dataclass(frozen=True)
class Backend:
    """Where events go: the address they are posted to, and the key that opens it."""

    url: str
    key: str | None

    @classmethod
    def named(cls, otherwise: str | None = None) -> "Backend | None":
        """What the environment names, or else this address; None: events are not sent."""
        base = os.environ.get("OPENLINEAGE_URL") or otherwise
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
