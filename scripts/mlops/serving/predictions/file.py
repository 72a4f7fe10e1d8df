"""The file that the writer has open: rows in memory until there are enough."""

import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING

from mlops.serving.predictions.asked import Asked
from mlops.serving.predictions.columns import Answer, Columns
from mlops.serving.predictions.identity import EPOCH
from mlops.serving.predictions.places import Place

if TYPE_CHECKING:
    import pyarrow as pa


class OpenFile:
    """Rows that become one file."""

    def __init__(self, columns: Columns) -> None:
        self.rows = 0
        self._columns = columns
        self._batches: list[pa.RecordBatch] = []
        self._began = 0.0
        self._first = self._last = 0

    def add(self, answers: list[Answer]) -> None:
        """Take in some answers, later ones than those before."""
        batch = self._columns.batch(answers)
        if not self.rows:
            self._began = monotonic()
            self._first = answers[0].at
        self._last = answers[-1].at
        self.rows += batch.num_rows
        self._batches.append(batch)

    def is_due(self, asked: Asked) -> bool:
        """Whether it is to be ended."""
        if not self.rows:
            return False
        return self.rows >= asked.rows or monotonic() - self._began >= asked.seconds

    def content(self, release: int, about: Mapping[str, str]) -> tuple[Place, bytes]:
        """Its name and its bytes, which say `about` themselves."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_batches(self._batches)
        sink = pa.BufferOutputStream()
        pq.write_table(table.replace_schema_metadata(dict(about)), sink, compression="zstd")
        content: bytes = sink.getvalue().to_pybytes()
        first, last = (
            EPOCH + timedelta(microseconds=at // 1000) for at in (self._first, self._last)
        )
        return Place(first, last, release, sha256(content).hexdigest()), content


def about(asked: Asked, release: int, models: Mapping[str, str]) -> dict[str, str]:
    """What each file says of whose its rows are."""
    said = {
        "mlops.project": asked.project,
        "mlops.environment": asked.environment,
        "mlops.service": asked.service,
        "mlops.release": str(release),
        "mlops.models": json.dumps(dict(models), sort_keys=True),
    }
    return {**said, "mlops.bento": asked.bento} if asked.bento else said
