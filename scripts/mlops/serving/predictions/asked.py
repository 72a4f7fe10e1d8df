"""What the log is to be, as the process is told by its environment."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlops import digests
from mlops.errors import bad_input

PREDICTIONS = "MLOPS_PREDICTIONS"
WITHHELD = "withheld.json"
"""File of a bento's source that names what its contracts do not call public."""


class Asked(BaseModel):
    """Where and how answers are logged, and what the files say of whose they are.

    Keys that are not known are passed over: a release of last year is told of by today's tool.

    Attributes:
        to: folder or address (`s3://bucket/prefix`) below which the days lie.
        shown: the same place as lineage events name it.
        project: the namespace of lineage events.
        bento: digest of what serves; None: unknown.
        share: of the answers.
        without: fields of the record that are left out.
        rows: a file is ended at so many.
        seconds: a file is ended so long after its first row.
        events: folder for the lineage events; None: they are sent, when OPENLINEAGE_URL is set.
        sent: whether each event is marked as one that a backend is to get.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    to: str
    shown: str
    project: str
    environment: str
    service: str
    bento: str | None = None
    share: float = Field(default=1.0, gt=0, le=1)
    without: frozenset[str] = frozenset()
    rows: int = Field(default=50_000, ge=1)
    seconds: float = Field(default=60.0, gt=0)
    events: str | None = None
    sent: bool = False

    def variable(self) -> str:
        """The text of the environment variable, the same for the same."""
        said = self.model_dump(exclude_defaults=True, mode="json")
        if self.without:
            said["without"] = sorted(self.without)
        return digests.canonical_json(said).decode()


def asked() -> Asked | None:
    """What the environment asks for; None: no log.

    Raises:
        BadInput: when the variable says something else.
    """
    text = os.environ.get(PREDICTIONS)
    if not text:
        return None
    try:
        return Asked.model_validate_json(text)
    except ValidationError as error:
        entry = error.errors()[0]
        where = ".".join(str(part) for part in entry["loc"])
        what = f"does not say what is logged ({where or 'text'}: {entry['msg']})"
        raise bad_input(
            PREDICTIONS, what, "take it out, or set it as `mlops render` does"
        ) from None


def withheld(source: Path) -> list[str]:
    """Fields that a bento's contracts keep out of logs, read from its source folder."""
    file = source / WITHHELD
    names: list[str] = json.loads(file.read_bytes()) if file.is_file() else []
    return names
