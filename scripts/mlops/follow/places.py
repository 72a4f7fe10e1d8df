"""Where a follower keeps its things."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlops import digests


@dataclass(frozen=True)
class Places:
    """The folder of one environment's follower, below the stores."""

    folder: Path

    @classmethod
    def of(cls, stores: Path, environment: str) -> "Places":
        """stores/follow/<environment>."""
        return cls(stores / "follow" / environment)

    @property
    def mirror(self) -> Path:
        """Bare copy of the followed branch."""
        return self.folder / "repo.git"

    @property
    def status(self) -> Path:
        """What is served, for `mlops status`."""
        return self.folder / "status.json"

    @property
    def confirmed(self) -> Path:
        """What was confirmed serving, for records and aliases."""
        return self.folder / "confirmed.json"

    @property
    def private(self) -> Path:
        """Folder of the private sockets.

        Addresses of unix sockets end at about 100 bytes, so it lies in the system's temporary
        folder; its name follows from ours, so that a new follower finds what a killed one left.
        """
        name = digests.short(digests.of_bytes(os.fsencode(self.folder.resolve())))
        return Path(tempfile.gettempdir()) / f"mlops-{name}"

    def log(self, service: str, release: int) -> Path:
        """Output of a release's process."""
        return self.folder / "logs" / f"{service}-{release}.log"
