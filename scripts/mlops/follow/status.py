"""status.json: what a follower serves, written whole at each change, read by `mlops status`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from mlops.errors import bad_input
from mlops.files import write_whole
from mlops.specs.base import Commit, Digest, Name, Spec, validated

Health = Literal["Healthy", "Progressing", "Degraded", "Missing"]
Sync = Literal["Synced", "OutOfSync"]
HEARTBEAT = 5.0
"""Seconds between two writings at most."""
SILENCE = 30.0
"""Seconds without a heartbeat after which a follower counts as dead."""


class Warm(Spec):
    """The predecessor, kept loaded."""

    release: int
    bento: Digest
    pid: int
    memory_mb: float | None
    until: str = Field(description="when it is ended, UTC")


class ServiceStatus(Spec):
    """One service, in Argo CD's words."""

    service: Name
    health: Health
    sync: Sync
    desired: int | None = Field(description="release number that Git states")
    serving: int | None
    bento: Digest | None = Field(description="of what serves")
    message: str = ""
    next: str = Field(default="", description="what to do")
    since: str = Field(description="since when it is so, UTC")
    pid: int | None
    port: int | None
    url: str | None
    warm: Warm | None
    restarts: int = Field(description="how often its process ended by itself")
    commit: Commit | None = Field(description="whose files state what is desired")


class FollowerStatus(Spec):
    """A follower and its services."""

    environment: Name
    pid: int
    started: str
    heartbeat: str
    source: str = Field(description="the followed repository and ref")
    commit: Commit | None = Field(description="the newest it has read")
    problem: str = Field(default="", description="why the branch cannot be read")
    records: str = Field(default="", description="what is not appended yet, and why")
    aliases: str = Field(default="", description="why the registry's aliases are not current")
    services: tuple[ServiceStatus, ...]


def write(path: Path, status: FollowerStatus) -> None:
    """Replace the file."""
    write_whole(path, json.dumps(status.model_dump(mode="json"), indent=2) + "\n")


def read(path: Path) -> FollowerStatus | None:
    """What the follower last wrote; None when there is no follower.

    Raises:
        BadInput: when the file is not one of this version's.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise bad_input(path, "is not JSON", "start the follower again") from error
    return validated(value, str(path), FollowerStatus)


def is_running(status: FollowerStatus) -> bool:
    """Whether the follower that wrote this still runs."""
    from mlops.follow.leftovers import is_alive

    beat = datetime.fromisoformat(status.heartbeat)
    if (datetime.now(UTC) - beat).total_seconds() > SILENCE:
        return False
    return is_alive(status.pid, beat.timestamp())


def moment(seconds: float | None = None) -> str:
    """A moment (epoch, seconds; default now) in UTC, ISO 8601, milliseconds."""
    at = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
