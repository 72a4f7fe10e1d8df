"""Where a log's files lie, named so that the file of an answer is found without reading others.

`day=<day>/<moment of the first row>-<of the last>-<release>-<SHA-256 of the content>.parquet`, UTC.
The day is that of the first row; DuckDB takes it for a column.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

MOMENT = "%Y%m%dT%H%M%S.%f"
NAMED = re.compile(
    r"(?P<first>\d{8}T\d{6}\.\d{6})-(?P<last>\d{8}T\d{6}\.\d{6})"
    r"-(?P<release>\d+)-(?P<content>[0-9a-f]{64})"
)
SUFFIX = ".parquet"
LONGEST = 3600
"""Seconds that a file may stay open at most."""


@dataclass(frozen=True)
class Place:
    """A file of a log by what its name says.

    Attributes:
        first: moment of its first row.
        last: moment of its last row.
        release: its number; 0: what answered was never released.
        content: SHA-256 of its bytes, 64 hex digits.
    """

    first: datetime
    last: datetime
    release: int
    content: str

    @property
    def path(self) -> str:
        """Below the log's folder."""
        moments = f"{self.first:{MOMENT}}-{self.last:{MOMENT}}"
        return f"{day_of(self.first)}/{moments}-{self.release}-{self.content}{SUFFIX}"


def day_of(moment: datetime) -> str:
    """The folder of a moment's day."""
    return f"day={moment:%Y-%m-%d}"


def named(path: str) -> Place | None:
    """What a file's name says; None when it is none of a log."""
    name = path.rpartition("/")[2]
    found = NAMED.fullmatch(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
    if found is None:
        return None
    return Place(
        _moment(found["first"]), _moment(found["last"]), int(found["release"]), found["content"]
    )


def _moment(text: str) -> datetime:
    return datetime.strptime(text, MOMENT).replace(tzinfo=UTC)
