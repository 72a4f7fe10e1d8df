"""Events in the stores: a file for each run, written whole, and which of them were not sent.

`lineage/<day>/<run>.jsonl` has the event of the start, and once the run has ended that of its end
below it. A file `lineage/unsent/<day>_<run>` stands for one that ended and that the backend does
not have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.files import write_whole
from mlops.lineage.events import RunEvent


@dataclass(frozen=True)
class Kept:
    """The events below a folder `stores`."""

    stores: Path

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.stores / "lineage"

    @property
    def _unsent(self) -> Path:
        return self.folder / "unsent"

    def write(self, events: Sequence[RunEvent]) -> None:
        """Replace a run's file by these events; raises `BadInput` when the disk refuses."""
        write_whole(self.folder / events[0].kept_at, "".join(event.line() for event in events))

    def files(self) -> Iterator[Path]:
        """All files, the oldest day first."""
        for day in sorted(self.folder.glob("????-??-??")):
            yield from sorted(day.glob("*.jsonl"))

    def mark_unsent(self, events: Sequence[RunEvent]) -> None:
        """Remember that a run is to be sent; raises `BadInput` when the disk refuses."""
        write_whole(self.folder / events[0].unsent_at, b"")

    def unsent(self) -> list[Path]:
        """The files of runs that are to be sent, the oldest day first."""
        marks = sorted(mark.name for mark in self._unsent.glob("????-??-??_*"))
        parts = (mark.partition("_") for mark in marks)
        return [self.folder / day / f"{run}.jsonl" for day, _, run in parts]

    def mark_sent(self, file: Path) -> None:
        """Forget that a run's file is to be sent."""
        (self._unsent / f"{file.parent.name}_{file.stem}").unlink(missing_ok=True)
