"""The thread that makes files of answers. Whatever happens to it, answers go on."""

import threading
from collections.abc import Callable, Mapping
from http.client import HTTPException
from time import sleep

from mlops.errors import MlopsError, Problem
from mlops.lineage.backend import Backend
from mlops.lineage.events import RunEvent
from mlops.serving import absent
from mlops.serving.meters import LogMeters
from mlops.serving.predictions.asked import Asked
from mlops.serving.predictions.backlog import Backlog
from mlops.serving.predictions.columns import Answer, Columns, Rows
from mlops.serving.predictions.file import OpenFile, about
from mlops.serving.predictions.happened import File, happened
from mlops.serving.predictions.spell import Spell
from mlops.serving.predictions.store import Store

PIECE = 256
"""Rows made columns at a time: some tenths of a millisecond in which no request is answered."""
BREATH = 0.001
POLL = 0.1
RETRY = 2.0


class Writer(threading.Thread):
    """Writes what waits, a file when there are enough rows or the oldest has waited enough."""

    def __init__(
        self,
        asked: Asked,
        backlog: Backlog,
        rows: Rows,
        release: int,
        models: Mapping[str, str],
    ) -> None:
        super().__init__(name="predictions", daemon=True)
        self._asked = asked
        self._backlog = backlog
        self._rows = rows
        self._release = release
        self._about = about(asked, release, models)
        self._spell = Spell(release)
        self._ending = threading.Event()
        self._held = 0
        self._dropped = 0
        self._told = 0
        """Rows lost when it was last looked at."""
        self._trouble = False
        self._untold = False
        """Whether the lineage of the last file was not taken."""
        self._meters = LogMeters(release, self._lost)

    def end(self, seconds: float) -> None:
        """Write what waits, for so long at most; what is left then is told as lost."""
        before = self._lost()
        self._ending.set()
        self.join(seconds)
        left = self._backlog.rows + self._held + self._lost() - before
        if left:
            what = f"the last {left} rows are lost, the process ended before they were written"
            self._spell.tell(Problem(self._asked.to, what, "make it writable, and faster"))

    def run(self) -> None:
        """Until told to end."""
        try:
            absent.allow_log()
            self._tell_unknown()
            self._write()
        except Exception as error:  # noqa: BLE001 - a log must not end what it logs
            self._backlog.close()
            self._drop(self._held)
            what = f"is not written any more ({type(error).__name__}: {error}), rows are lost"
            self._spell.tell(Problem(self._asked.to, what, "report it with this line"))

    def _write(self) -> None:
        columns = self._columns()
        while True:
            ending = self._ending.is_set()
            file = OpenFile(columns)
            self._fill(file)
            if file.rows:
                self._put(file)
            elif ending:
                return

    def _tell_unknown(self) -> None:
        for name in self._rows.unknown:
            what = f"leaves out `{name}`, which is no field of the record"
            fix = "correct `without` in settings.yaml, unless another release has it"
            self._spell.tell(Problem(self._asked.to, what, fix))

    def _columns(self) -> Columns:
        asked = self._asked
        same = {"environment": asked.environment, "service": asked.service}
        return Columns(self._rows, {**same, "release": self._release})

    def _fill(self, file: OpenFile) -> None:
        """Gather rows until the file is due, or nothing more comes."""
        while not file.is_due(self._asked):
            answers = self._backlog.take(PIECE)
            if answers:
                self._add(file, answers)
                sleep(BREATH)
            elif self._ending.is_set():
                return
            else:
                self._ending.wait(POLL)

    def _add(self, file: OpenFile, answers: list[Answer]) -> None:
        rows = sum(len(one.rows) for one in answers)
        self._held += rows
        try:
            file.add(answers)
        except Exception as error:  # noqa: BLE001 - what these rows are must not end the log
            self._drop(rows)
            what = f"could not take {rows} rows ({type(error).__name__}: {_reason(error)})"
            problem = Problem(self._asked.to, what, "report it with this line")
            self._spell.begin(problem, self._told)

    def _drop(self, rows: int) -> None:
        self._held -= rows
        self._dropped += rows

    def _put(self, file: OpenFile) -> None:
        """Write the file, again and again while it cannot be, but once when told to end."""
        place, content = file.content(self._release, self._about)
        while not self._tried(lambda: Store(self._asked.to).put(place.path, content)):
            if self._ending.is_set():
                self._drop(file.rows)
                return
            self._ending.wait(RETRY)
        self._held -= file.rows
        self._meters.written(file.rows)
        self._tell_lineage(File(place, file.rows, len(content)))
        self._look_back()

    def _tried(self, put: Callable[[], None]) -> bool:
        try:
            put()
        except (MlopsError, OSError) as error:
            what = f"cannot be written ({_reason(error)}); answers go on, "
            what += "and what does not fit into memory meanwhile is lost"
            fix = "make it writable for the service; it is tried again"
            self._spell.begin(Problem(self._asked.to, what, fix), self._told)
            self._trouble = True
            return False
        return True

    def _tell_lineage(self, file: File) -> None:
        """Write the events of a file, or send them; the file counts without them."""
        start, end = happened(self._asked, file)
        try:
            if self._asked.events:
                store = Store(self._asked.events)
                store.put(start.kept_at, f"{start.line()}{end.line()}".encode())
                if self._asked.sent:
                    store.put(start.unsent_at, b"")
            elif backend := Backend.named():
                _send(backend, start)
                _send(backend, end)
            self._untold = False
        except (MlopsError, OSError, HTTPException) as error:
            if not self._untold:
                what = (
                    f"its lineage was not taken ({_reason(error)}), nor may that of later files be"
                )
                fix = "the rows are written, and the file's name says the same"
                self._spell.tell(Problem(file.place.path, what, fix))
            self._untold = True

    def _look_back(self) -> None:
        """A file was written: say that rows were lost without trouble, or that all is well."""
        lost = self._lost()
        if self._trouble or lost == self._told:
            self._spell.end(self._asked.to, lost)
        else:
            what = "is written slower than answers are given, rows are lost"
            fix = "log a smaller `share`, or to a place that is faster"
            self._spell.begin(Problem(self._asked.to, what, fix), self._told)
        self._trouble, self._told = False, lost

    def _lost(self) -> int:
        return self._backlog.refused + self._dropped


def _send(backend: Backend, event: RunEvent) -> None:
    status = backend.post(event.line().encode())
    if not 200 <= status < 300:
        raise OSError(f"{backend.url} answers {status}")


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error) else type(error).__name__
