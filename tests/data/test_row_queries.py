"""Queries that one row can break: found by their form, evaluated without a table."""

from typing import Any

import pytest

from mlops.data.contract import Contract
from mlops.data.row_queries import RowQueries, condition_of
from mlops.data.rules import value_rules
from tests.data.test_validation import column, contract_of


def asked(query: str, **more: Any) -> Contract:
    rule = {"type": "sql", "query": query, "mustBe": 0, **more}
    text = {"name": "word", "logicalType": "string"}
    return contract_of(column(), text, quality=(rule,))


def met(query: str, **row: Any) -> bool | str:
    contract = asked(query)
    (rule,) = [each for each in value_rules(contract.table) if each.in_sql]
    condition = condition_of(rule)
    assert condition is not None
    (found,) = RowQueries(contract.table, [condition]).met({"v": None, "word": None, **row})
    return found


@pytest.mark.parametrize(
    ("query", "row", "expected"),
    [
        ("SELECT COUNT(*) FROM t WHERE v > 1", {"v": 2.0}, True),
        ("SELECT COUNT(*) FROM t WHERE v > 1", {}, False),
        ("SELECT COUNT(*) FROM t WHERE t.v IS NULL;", {}, True),
        ("SELECT COUNT(*) FROM t WHERE word = 'it''s' -- so", {"word": "it's"}, True),
        ("SELECT COUNT(*) FROM t WHERE word LIKE '%)%'", {"word": "); DROP"}, True),
        ("SELECT COUNT(*) FROM ${table} WHERE 1 = 1", {}, True),
        ("SELECT COUNT(*) FROM t WHERE word::INT > 0", {"word": "x"}, "cannot be run by DuckDB"),
    ],
)
def test_a_condition_is_evaluated_on_the_row_alone(
    query: str, row: dict[str, Any], expected: bool | str
) -> None:
    found = met(query, **row)
    assert found == expected or str(found).startswith(str(expected))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT SUM(v) FROM t",
        "SELECT COUNT(*) FROM t",
        "SELECT COUNT(DISTINCT v) FROM t WHERE v > 1",
        "SELECT COUNT(*) FROM t AS one WHERE one.v > 1",
        "SELECT COUNT(*) FROM t AS one, t AS other WHERE one.v > other.v",
        "SELECT COUNT(*) FROM t WHERE v > (SELECT AVG(v) FROM t)",
        "SELECT COUNT(*) FROM t WHERE v > 1 GROUP BY word",
        "SELECT COUNT(*) FROM t WHERE v > 1 LIMIT 0",
        "SELECT COUNT(*) FROM t TABLESAMPLE 10% WHERE v > 1",
        "WITH u AS (SELECT * FROM t) SELECT COUNT(*) FROM u WHERE v > 1",
        "SELECT COUNT(*) FROM (SELECT lag(v) OVER () AS w FROM t) WHERE w > 1",
    ],
)
def test_a_query_that_looks_at_more_than_a_row_is_left_to_the_table(query: str) -> None:
    (rule,) = [each for each in value_rules(asked(query).table) if each.in_sql]
    assert condition_of(rule) is None


def test_a_query_that_lets_some_rows_meet_its_condition_is_left_to_the_table() -> None:
    contract = asked("SELECT COUNT(*) FROM t WHERE v > 1", mustBe=None, mustBeLessThan=5)
    (rule,) = [each for each in value_rules(contract.table) if each.in_sql]
    assert condition_of(rule) is None
