"""confirmed.json: the release each service was last confirmed serving, and records to append.

It outlives the follower. Aliases are derived from it whole; a record waits in it until the
remote has it.
"""

import json
from pathlib import Path

from pydantic import Field

from mlops.errors import bad_input
from mlops.files import write_whole
from mlops.records import Record
from mlops.specs.base import Name, Spec, validated
from mlops.specs.release import Release


class Confirmed(Spec):
    """What one environment serves for certain, and what of it the remote does not know yet."""

    services: dict[Name, Release] = Field(default_factory=dict)
    pending: tuple[Record, ...] = ()

    def with_release(self, release: Release, record: Record) -> "Confirmed":
        """After a confirmation; the same release again (a restart) is no news."""
        if self.services.get(release.service) == release:
            return self
        services = {**self.services, release.service: release}
        return Confirmed(services=services, pending=(*self.pending, record))

    def without_service(self, service: str) -> "Confirmed":
        """After a service was taken out of the environment."""
        services = {name: kept for name, kept in self.services.items() if name != service}
        return Confirmed(services=services, pending=self.pending)

    def without_records(self, appended: tuple[Record, ...]) -> "Confirmed":
        """After records were appended."""
        pending = tuple(record for record in self.pending if record not in appended)
        return Confirmed(services=self.services, pending=pending)


def read(path: Path) -> Confirmed:
    """What was confirmed; nothing when there is no file.

    Raises:
        BadInput: when the file is not one.
    """
    if not path.is_file():
        return Confirmed()
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise bad_input(path, "is not JSON", "remove it") from error
    return validated(value, str(path), Confirmed)


def write(path: Path, confirmed: Confirmed) -> None:
    """Replace the file."""
    write_whole(path, json.dumps(confirmed.model_dump(mode="json"), indent=2) + "\n")
