"""Events of steps sent to the backend that the environment names, or `url` of [lineage].

What the backend does not take now is sent at the end of a later step.
"""

import http.client
import time
from pathlib import Path

from mlops.errors import Problem
from mlops.lineage.backend import Backend
from mlops.lineage.kept import Kept
from mlops.repository import Repository

LONGEST = 10.0
"""Seconds that one step goes on sending what earlier ones left."""
REFUSED = frozenset({400, 413, 422})
"""Answers that say that these very events will never be taken."""


def backend_of(repo: Repository) -> Backend | None:
    """What environment or mlops.toml names; None: events stay in the stores."""
    return Backend.named(repo.project.lineage.url)


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
