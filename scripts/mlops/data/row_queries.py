"""Queries of a contract that one row can break, run by DuckDB on a row without a table.

Such a query counts the rows of the contract's table that meet a condition, and none may: what a
table of one row would give is the condition on that row. DuckDB evaluates it, so a row alone and
a table are judged in the same words of SQL.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.data.contract import LogicalType, Table
from mlops.data.rule import Rule
from mlops.data.rules import quoted
from mlops.data.scanning.closed import CLOSED

TYPES: Mapping[LogicalType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}
ALONE = {**CLOSED, "enable_external_access": False}
"""Of a database that reads no file at all."""
NOT_OF_ONE_ROW = frozenset({"SUBQUERY", "WINDOW", "STAR"})
"""Expressions that look at more than the row."""
EMPTY = ("modifiers", "group_expressions", "group_sets", "having", "sample", "qualify")
"""What else a query of one row may not have."""
Node = dict[str, Any]


def condition_of(rule: Rule) -> Node | None:
    """The condition that no row may meet, as DuckDB's parser gives it; None: it is another query.

    Args:
        rule: a rule that is a query.
    """
    if rule.threshold is None or not rule.threshold.is_none:
        return None
    node = _parsed(rule.kwargs["query"])
    if node is None or not _counts_rows(node) or _is_not_of_one_row(node["where_clause"]):
        return None
    condition: Node = node["where_clause"]
    return condition


def _parsed(query: str) -> Node | None:
    import duckdb

    with duckdb.connect(":memory:", config=ALONE) as database:
        found = json.loads(_one(database, "SELECT json_serialize_sql(?::VARCHAR)", [query]))
    statements = found.get("statements", ())
    return statements[0]["node"] if len(statements) == 1 else None


def _one(database: Any, query: str, values: Sequence[Any]) -> Any:
    return database.execute(query, values).fetchone()[0]


def _counts_rows(node: Node) -> bool:
    """Whether it is `SELECT COUNT(*) FROM table WHERE ...`, the table under its own name."""
    if node["type"] != "SELECT_NODE" or node["cte_map"]["map"] or any(node[key] for key in EMPTY):
        return False
    table, selected = node["from_table"], node["select_list"]
    plain = table["type"] == "BASE_TABLE" and not table["alias"] and not table["sample"]
    counted = [(each.get("function_name"), each.get("filter")) for each in selected]
    return plain and counted == [("count_star", None)] and node["where_clause"] is not None


def _is_not_of_one_row(node: Any) -> bool:
    return any(each.get("class") in NOT_OF_ONE_ROW for each in _nodes(node))


def _nodes(node: Any) -> Iterator[Node]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from _nodes(inner)


class RowQueries:
    """Conditions that a row may not meet, evaluated together by a closed database."""

    def __init__(self, asked: Table, conditions: Sequence[Node]) -> None:
        """Prepare.

        Args:
            asked: the contract's table.
            conditions: what `condition_of` gave, of rules on this table.
        """
        import duckdb

        # Planning is nearly all of the time, and one row gains nothing by a good plan.
        self._database = duckdb.connect(":memory:", config={**ALONE, "threads": 1})
        self._database.execute("PRAGMA disable_optimizer")
        self._database.execute("SET lock_configuration = true")
        used = {name.lower() for each in _nodes(list(conditions)) for name in _columns(each)}
        self._columns = [each for each in asked.properties if each.name.lower() in used]
        self._prepare("whole", asked, conditions)
        self._each = [f"part_{number}" for number, _ in enumerate(conditions)]
        for name, condition in zip(self._each, conditions, strict=True):
            self._prepare(name, asked, [condition])

    def met(self, row: Mapping[str, Any]) -> list[bool | str]:
        """Whether a typed row meets each condition; a text says why that cannot be told."""
        import duckdb

        # Values in the types that were prepared for, or it would be planned anew.
        values = ", ".join(_literal(row[each.name], each.logical_type) for each in self._columns)
        values = f"({values})" if values else ""
        try:
            found = self._database.execute(f"EXECUTE whole{values}").fetchone()
            return [each is True for each in found]
        except duckdb.Error:
            return [self._alone(name, values) for name in self._each]

    def _alone(self, name: str, values: str) -> bool | str:
        import duckdb

        try:
            return _one(self._database, f"EXECUTE {name}{values}", ()) is True
        except duckdb.Error as error:
            first_line = str(error).strip().splitlines()[0]
            return f"cannot be run by DuckDB ({first_line})"

    def _prepare(self, name: str, asked: Table, conditions: Sequence[Node]) -> None:
        """`SELECT condition, ... FROM (the row, each value a parameter) AS table`."""
        given = ", ".join(
            f"${number}::{TYPES[each.logical_type]} AS {quoted(each.name)}"
            for number, each in enumerate(self._columns, 1)
        )
        row = f"(SELECT {given or '1 AS nothing'}) AS {quoted(asked.name)}"
        query = f"SELECT 1 FROM {row}"  # noqa: S608 - names are quoted
        whole = json.loads(_one(self._database, "SELECT json_serialize_sql(?)", [query]))
        whole["statements"][0]["node"]["select_list"] = list(conditions)
        text = _one(self._database, "SELECT json_deserialize_sql(?::JSON)", [json.dumps(whole)])
        self._database.execute(f"PREPARE {name} AS {text}")


def _columns(node: Node) -> Sequence[str]:
    """The names in a reference to a column: its own, and that of the table when it is there."""
    names: Sequence[str] = node["column_names"] if node.get("class") == "COLUMN_REF" else ()
    return names


def _literal(value: Any, kind: LogicalType) -> str:
    """A typed value as SQL has it."""
    written = "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
    return f"{written}::{TYPES[kind]}"
