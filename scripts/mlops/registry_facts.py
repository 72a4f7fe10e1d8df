"""Answers of the embedded registry, used again while its database is the one that gave them.

Loading MLflow takes seconds, reading this file none. SQLite counts every committed change in
the header of the database file; with that, its size and its time, an answer is known to be
current. A journal beside the file means that a writer is under way: nothing is used then.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlops.errors import BadInput
from mlops.files import write_whole
from mlops.lineage.told import listening

HEADER = 100
"""Bytes of SQLite's header; the change counter is in it (https://sqlite.org/fileformat.html)."""


@dataclass(frozen=True)
class Entry:
    """A version of a model as the registry holds it."""

    name: str
    version: int
    run_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Facts:
    """Answers to queries about one database file."""

    database: Path

    @property
    def _file(self) -> Path:
        return self.database.with_name(f"{self.database.stem}-facts.json")

    def state(self) -> str | None:
        """What the database is now; None when that cannot be told."""
        journals = (
            self.database.with_name(self.database.name + end) for end in ("-journal", "-wal")
        )
        if any(journal.exists() for journal in journals):
            return None
        try:
            with self.database.open("rb") as file:
                header = file.read(HEADER)
            found = self.database.stat()
        except OSError:
            return None
        return f"{header.hex()} {found.st_size} {found.st_mtime_ns} {found.st_ino}"

    def answer(self, query: str) -> list[Entry] | None:
        """What the database, as it is now, answered before; None when it was not asked."""
        known = self._read()
        state = self.state()
        if state is None or known.get("state") != state or query not in known["answers"]:
            return None
        return [Entry(**entry) for entry in known["answers"][query]]

    def keep(self, state: str | None, query: str, entries: list[Entry]) -> None:
        """Keep an answer that was asked for when the database was in this state."""
        if state is None:
            return
        known = self._read()
        answers = known["answers"] if known.get("state") == state else {}
        answers[query] = [asdict(entry) for entry in entries]
        try:
            with listening(None):  # kept for speed alone, it decides nothing
                write_whole(self._file, json.dumps({"state": state, "answers": answers}))
        except BadInput:
            return  # a full disk costs time here, not an answer

    def _read(self) -> Any:
        try:
            return json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {"answers": {}}
