"""What a serving release has answered, as its own counters say it."""

import http.client
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from mlops.repository import Repository

ASK_LIMIT = 2.0
"""Seconds."""
COUNTER = re.compile(
    r'^mlops_predict_requests_total\{release="(\d+)",status="(\d{3})"\} ([0-9.e+]+)$', re.MULTILINE
)


@dataclass(frozen=True)
class Traffic:
    """Scoring requests since its process started, and how often that ended by itself."""

    requests: int
    failed: int
    refused: int
    restarts: int

    def __str__(self) -> str:
        share = f" ({self.failed / self.requests:.2%})" if self.requests else ""
        told = [
            f"{self.requests:,} requests answered since it started",
            f"{self.failed:,} with an error of the service{share}",
            f"{self.refused:,} refused as wrong",
        ]
        if self.restarts:
            told.append(f"its process ended by itself {self.restarts} times")
        return ", ".join(told)


def traffic_of(repo: Repository, environment: str, service: str, release: int) -> "Traffic | str":
    """What a release has answered in an environment, or in words why that is not known.

    Only a follower on this machine is asked; a cluster's figures are in its monitoring.

    Raises:
        BadInput: when the follower's status cannot be read.
    """
    from mlops.follow.overview import follower_of

    follower = follower_of(repo, environment)
    if follower is None:
        return f"no follower of {environment} runs here; see the environment's monitoring"
    told = next((one for one in follower.services if one.service == service), None)
    if told is None or told.serving != release or told.url is None:
        return f"the follower of {environment} does not serve release {release} now"
    try:
        text = _metrics(told.url)
    except (OSError, http.client.HTTPException) as error:
        return f"{told.url}/metrics does not answer ({type(error).__name__})"
    return counted(text, release, told.restarts)


def counted(text: str, release: int, restarts: int = 0) -> Traffic:
    """Sums of a Prometheus text, of one release's requests by status."""
    by_status = {
        status: int(float(value))
        for number, status, value in COUNTER.findall(text)
        if int(number) == release
    }

    def total(first: str) -> int:
        return sum(value for status, value in by_status.items() if status.startswith(first))

    return Traffic(sum(by_status.values()), total("5"), total("4"), restarts)


def _metrics(url: str) -> str:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(
        place.hostname or "127.0.0.1", place.port, timeout=ASK_LIMIT
    )
    try:
        connection.request("GET", "/metrics", headers={"Connection": "close"})
        return connection.getresponse().read().decode(errors="replace")
    finally:
        connection.close()
