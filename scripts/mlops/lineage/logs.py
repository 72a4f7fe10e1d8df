"""Prediction logs: what their files' names tell, and the file that holds an answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mlops import digests
from mlops.environments.prediction_log import Log, logs
from mlops.errors import MlopsError, bad_input
from mlops.lineage.graph import SERVES, Derivation, Node
from mlops.lineage.step import shown
from mlops.repository import Repository
from mlops.serving.predictions.happened import KIND
from mlops.serving.predictions.identity import PRECISION, moment_of
from mlops.serving.predictions.places import LONGEST, Place, day_of, named

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Answer:
    """An answer that a log holds.

    Attributes:
        at: when it was given.
        rows: how many rows it scored.
        file: the file of the log.
        place: where that lies.
        wrote: who wrote it.
    """

    identity: str
    at: datetime
    rows: int
    file: Node
    place: str
    wrote: Derivation

    @property
    def text(self) -> str:
        """For people."""
        rows = "a row" if self.rows == 1 else f"{self.rows} rows"
        by = next((node.text for node in self.wrote.inputs), "what was never released")
        at = f"{self.at:%Y-%m-%d %H:%M:%S.%f} UTC"
        return f"{self.identity}: {rows}, {at}, by {by}, in {self.file.text}"


def files(repo: Repository) -> Iterator[tuple[str, Derivation]]:
    """Each file of the logs in folders: where it lies, and what its name tells.

    Logs in object storage are left out: a bucket that does not answer would be waited for.
    """
    for log in logs(repo):
        for path in sorted(Path(log.address).glob("day=*/*")) if log.is_folder else ():
            if place := named(path.name):
                yield shown(repo, str(path)), _wrote(log, place)


def answer_of(repo: Repository, text: str) -> Answer | None:
    """The answer that a text names; None when the text is no identity of one.

    Of each log the names of two days' files are read, and of the files only those of the moment.

    Raises:
        BadInput: when no log has it; those that cannot be read are told.
    """
    moment = moment_of(text)
    if moment is None:
        return None
    silent: list[str] = []
    for log in logs(repo):
        try:
            found = _in_log(repo, log, moment, text.lower())
        except (OSError, MlopsError) as error:
            silent.append(f"{log.address} cannot be read ({str(error).splitlines()[0]})")
            continue
        if found is not None:
            return found
    what = f"is in no prediction log here, its moment is {moment:%Y-%m-%d %H:%M:%S} UTC"
    fix = "ask where the service runs; what a killed process had not written is lost"
    raise bad_input(text, "; ".join((what, *silent)), fix)


def _in_log(repo: Repository, log: Log, moment: datetime, identity: str) -> Answer | None:
    from mlops.serving.predictions.store import Store

    store = Store(log.address)
    days = (day_of(moment), day_of(moment - timedelta(seconds=LONGEST)))
    for place in (named(name) for day in dict.fromkeys(days) for name in store.names(day)):
        if place and place.first - PRECISION <= moment <= place.last:
            rows = _rows(store.get(place.path), identity)
            if rows.num_rows:
                return _answer(repo, log, place, rows)
    return None


def _rows(content: bytes, identity: str) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    # Not read_table: its threads, beside those that S3 needs, abort one process of four at its end.
    file = pq.ParquetFile(pa.BufferReader(content))
    table = file.read(columns=["id", "time"], use_threads=False)
    return table.filter(pc.equal(table["id"], identity))


def _answer(repo: Repository, log: Log, place: Place, rows: "pa.Table") -> Answer:
    first = rows.slice(0, 1).to_pylist()[0]
    wrote = _wrote(log, place)
    (file,) = wrote.outputs
    where = f"{log.address}/{place.path}"
    where = shown(repo, where) if log.is_folder else where
    return Answer(first["id"], first["time"], rows.num_rows, file, where, wrote)


def _wrote(log: Log, place: Place) -> Derivation:
    release = Node("release", log.service, str(place.release))
    file = Node(KIND, f"{log.environment}/{log.service}", digests.PREFIX + place.content)
    return Derivation(
        job=f"{SERVES}{log.service}",
        at=place.last.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        commit=None,
        run=None,
        inputs=frozenset({release} if place.release else ()),
        outputs=frozenset({file}),
        by="its log",
    )
