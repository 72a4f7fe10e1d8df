"""A table in a database, asked by SQLAlchemy.

So it runs on whatever has a SQLAlchemy dialect and is known to Great Expectations: PostgreSQL,
Snowflake, BigQuery, Redshift, Databricks ...
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mlops.data import rules
from mlops.data.expectations import Bounds
from mlops.data.in_place.place import Stored, Unanswered, excess


class Database:
    """A table in a database that answers."""

    def __init__(
        self, connection: Any, url: str, namespace: str | None, table: str, known_as: str
    ) -> None:
        import sqlalchemy

        self._connection = connection
        self._url = url
        self._namespace = namespace
        self._table = table
        self._known_as = known_as
        columns = sqlalchemy.inspect(connection).get_columns(table, namespace)
        self.types = {column["name"]: _stored(column["type"]) for column in columns}
        self._here = sqlalchemy.table(table, schema=namespace)
        counted = sqlalchemy.select(sqlalchemy.func.count()).select_from(self._here)
        self.rows = int(connection.execute(counted).scalar_one())

    def figure(self, query: str) -> Any:
        """What a query gives; what it changes is taken back."""
        import sqlalchemy

        # The placeholder has become the contract's name of the table; here it has another.
        there = ".".join(rules.quoted(part) for part in (self._namespace, self._table) if part)
        nested = self._connection.begin_nested()
        try:
            asked = query.replace(rules.quoted(self._known_as), there)
            return self._connection.exec_driver_sql(asked).scalar_one_or_none()
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise Unanswered(str(error)) from None
        finally:
            nested.rollback()

    def worst(self, column: str, bounds: Bounds, count: int) -> Sequence[Any]:
        """Values furthest outside of bounds."""
        import sqlalchemy

        value: Any = sqlalchemy.column(column)
        asked = (
            sqlalchemy.select(value)
            .select_from(self._here)
            .where(value.is_not(None))
            .order_by(excess(value, bounds, sqlalchemy.func.abs).desc())
            .limit(count)
        )
        return tuple(self._connection.execute(asked).scalars())

    def batch(self, sources: Any) -> Any:
        """The table, for Great Expectations; it has a connection of its own."""
        with warnings.catch_warnings():
            # It would rather have a class for each kind of database; this one takes all.
            warnings.simplefilter("ignore")
            source = sources.add_sql("there", connection_string=self._url)
        asset = source.add_table_asset("table", table_name=self._table, schema_name=self._namespace)
        return asset.add_batch_definition_whole_table("whole").get_batch()


def _stored(kind: Any) -> Stored:
    try:
        return Stored(str(kind), kind.python_type)
    except NotImplementedError:
        return Stored(str(kind), None)


@contextmanager
def opened(url: str, namespace: str | None, table: str, known_as: str) -> Iterator[Database]:
    """A table in a database.

    Args:
        url: SQLAlchemy's.
        namespace: the table's schema; None: the database's own.
        table: its name there.
        known_as: its name in queries of the contract.

    Raises:
        Unanswered: when there is no driver, no such table, or the database does not answer.
    """
    import sqlalchemy

    try:
        with sqlalchemy.create_engine(url).connect() as connection:
            yield Database(connection, url, namespace, table, known_as)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError) as error:
        raise Unanswered(str(error) or type(error).__name__) from None
