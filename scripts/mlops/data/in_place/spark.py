"""A table of a Spark catalog, or Parquet files that Spark reaches, asked by a session of Spark.

A query, and Great Expectations, see the table as a view of the contract's name: not-a-number is a
missing value in it, as in files.
"""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from mlops.data.expectations import Bounds
from mlops.data.in_place.place import Stored, Unanswered, excess

INSTALL = 'uv pip install "pyspark[connect]>=4.1,<4.2"'
"""The versions that Great Expectations takes, too."""
CONNECT = "sc://"
CONNECT_PORT = 15002
SECONDS = 10
"""In which a server has to take a connection: Spark's own client tries for minutes."""
SETTINGS = {
    # Times of a contract have no zone; those of Spark are moments, shown in one.
    "spark.sql.session.timeZone": "UTC",
    # Queries quote names as standard SQL does: without it "name" would be a text.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
}
PYTHON: dict[str, type] = {
    "string": str,
    "char": str,
    "varchar": str,
    "tinyint": int,
    "smallint": int,
    "int": int,
    "bigint": int,
    "float": float,
    "double": float,
    "decimal": Decimal,
    "boolean": bool,
    "timestamp": datetime,
    "timestamp_ntz": datetime,
    "date": date,
}
"""The Python types of Spark's, by their names without arguments."""


class Spark:
    """A table that a session of Spark reaches."""

    def __init__(self, session: Any, frame: Any, view: str) -> None:
        self._session = session
        kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
        self.types = {
            name: Stored(kind, PYTHON.get(kind.partition("(")[0])) for name, kind in kinds.items()
        }
        self._frame = frame.select(*(self._column(name) for name in kinds))
        self._frame.createOrReplaceTempView(_quoted(view))
        self.rows = int(self._frame.count())

    def _column(self, name: str) -> Any:
        from pyspark.sql import functions

        column = functions.col(_quoted(name))
        if self.types[name].python is not float:
            return column
        return functions.when(~functions.isnan(column), column).alias(name)

    def figure(self, query: str) -> Any:
        """What a query gives."""
        try:
            first = self._session.sql(query).first()
        except _errors() as error:
            raise Unanswered(str(error)) from None
        return None if first is None else first[0]

    def worst(self, column: str, bounds: Bounds, count: int) -> Sequence[Any]:
        """Values furthest outside of bounds."""
        from pyspark.sql import functions

        value = functions.col(_quoted(column))
        ordered = excess(value, bounds, functions.abs).desc()
        asked = self._frame.select(value).where(value.isNotNull()).orderBy(ordered).limit(count)
        return tuple(row[0] for row in asked.collect())

    def batch(self, sources: Any) -> Any:
        """The table, for Great Expectations."""
        # It would keep all rows on the workers' disks.
        source = sources.add_spark("there", persist=False)
        whole = source.add_dataframe_asset("table").add_batch_definition_whole_dataframe("whole")
        return whole.get_batch({"dataframe": self._frame})


@contextmanager
def opened(
    url: str, namespace: str | None, parquet: str | None, table: str, known_as: str
) -> Iterator[Spark]:
    """A table that Spark reaches; the session ends with the check.

    Args:
        url: `sc://host:port` of Spark Connect, or a master: `spark://host:port`, `local[2]`.
        namespace: the catalog's, of the table; None: the session's own.
        parquet: where its Parquet files lie instead, as Spark names it.
        table: its name there.
        known_as: its name in queries of the contract.

    Raises:
        Unanswered: when Spark is not installed, does not answer, or has no such table.
    """
    try:
        import pyspark  # noqa: F401 - told apart from what goes wrong with it
    except ImportError:
        raise Unanswered("pyspark is not installed", INSTALL) from None
    _reached(url)
    try:
        with _utc(), _session(url) as session:
            parts = (*(namespace.split(".") if namespace else ()), table)
            named = ".".join(map(_quoted, parts))
            frame = session.read.parquet(parquet) if parquet else session.table(named)
            yield Spark(session, frame, known_as)
    except _errors() as error:
        raise Unanswered(str(error) or type(error).__name__) from None


def _reached(url: str) -> None:
    """Refuse a server of Spark Connect that takes no connection."""
    if not url.startswith(CONNECT):
        return
    try:
        parts = urlsplit(url)
        where = (parts.hostname or "", parts.port or CONNECT_PORT)
        socket.create_connection(where, SECONDS).close()
    except (OSError, ValueError) as error:
        raise Unanswered(str(error)) from None


@contextmanager
def _session(url: str) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    if url.startswith(CONNECT):
        session = SparkSession.builder.remote(url).getOrCreate()
    else:
        builder = SparkSession.builder.master(url).appName("mlops data validate")
        session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    try:
        for setting, value in SETTINGS.items():
            session.conf.set(setting, value)
        yield session
    finally:
        session.stop()


@contextmanager
def _utc() -> Iterator[None]:
    """Times without a zone are UTC's meanwhile: Spark's client takes them for the process's own."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def _errors() -> tuple[type[Exception], ...]:
    """What Spark's client raises; without Java it has no Py4J."""
    own = (ImportError, OSError, RuntimeError, ValueError)
    from pyspark.errors import PySparkException

    try:
        from py4j.protocol import Py4JError
    except ImportError:
        return (*own, PySparkException)
    return (*own, PySparkException, Py4JError)


def _quoted(name: str) -> str:
    """A name as Spark has it, also where no setting makes it take standard SQL's quotes."""
    return "`" + name.replace("`", "``") + "`"
