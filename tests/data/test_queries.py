"""Rules in SQL: one figure of one table, and no way out of it."""

from typing import Any

import pytest

from mlops.data.askable import unchecked_options
from mlops.data.contract import Contract
from mlops.data.validation import Report
from tests.data.test_validation import column, complaints, contract_of, report


def rule(query: str, **more: Any) -> dict[str, Any]:
    return {"type": "sql", "name": "asked", "query": query, "mustBe": 0, **more}


def found(query: str, **more: Any) -> Report:
    other = column(name="w odd")
    contract = contract_of(column(), other, quality=(rule(query, **more),))
    return report(contract, v=["1", "2", None], **{"w odd": ["1", "5", "5"]})


@pytest.mark.parametrize("table", ["${table}", "{table}", "${object}", "t", '"t"'])
def test_the_table_is_called_by_its_name_or_by_a_placeholder(table: str) -> None:
    query = 'SELECT COUNT(*) FROM TABLE WHERE v > "w odd"'
    assert found(query.replace("TABLE", table)).passed


def test_a_column_s_query_calls_it_by_a_placeholder() -> None:
    asked = rule("SELECT COUNT(*) FROM ${table} WHERE ${column} IS NULL", mustBe=1)
    contract = contract_of(column(name="w odd", quality=(asked,)))
    assert report(contract, **{"w odd": ["1", None]}).passed
    assert not report(contract, **{"w odd": ["1", "1"]}).passed


def test_what_the_standard_calls_multiple_of_is_asked_as_its_refusal_says() -> None:
    (given,) = (
        reason for _, reason in unchecked_options({"logicalTypeOptions": {"multipleOf": 5}})
    )
    query = given.fix.split("`")[1].replace("% N", "% 5")
    contract = contract_of(column(name="w odd", quality=(rule(query),)))
    assert report(contract, **{"w odd": ["5", "-10", None]}).passed
    assert not report(contract, **{"w odd": ["5", "7"]}).passed


@pytest.mark.parametrize(
    ("query", "more", "told"),
    [
        (
            'SELECT COUNT(*) FROM t WHERE v < "w odd"',
            {},
            "relation: the query `asked` has to give 0 (it gives 1)",
        ),
        (
            "SELECT AVG(v)::DECIMAL(4, 2) FROM t",
            {"mustBe": None, "mustBeBetween": (2, 3)},
            "relation: the query `asked` has to give between 2 and 3 (it gives 1.5)",
        ),
        (
            "SELECT SUM(v) FROM t WHERE v > 9",
            {},
            "relation: the query `asked` has to give 0 (it gives nothing)",
        ),
        (
            "SELECT SUM(error(v::VARCHAR)) FROM t",
            {},
            (
                "relation: the query `asked` has to give 0 "
                "(it cannot be run by DuckDB (Invalid Input Error: 1.0))"
            ),
        ),
    ],
)
def test_a_figure_that_is_not_what_is_asked_is_told(
    query: str, more: dict[str, Any], told: str
) -> None:
    assert complaints(found(query, **more)) == [told]


def test_a_missing_column_leaves_a_query_unchecked() -> None:
    contract = contract_of(column(), quality=(rule("SELECT COUNT(*) FROM t WHERE v > 9"),))
    unchecked = report(contract, w=["1"]).unchecked
    assert "asked (the query gives 0)" in [each.text for each in unchecked]


def test_a_query_of_severity_warning_stops_nothing() -> None:
    told = found("SELECT COUNT(*) FROM t", severity="warning")
    assert told.passed
    assert [problem.what for problem in told.warnings] == [
        "warning: relation: the query `asked` has to give 0 (it gives 3)"
    ]


def test_a_contract_with_a_query_survives_a_round_through_the_spec() -> None:
    contract = contract_of(quality=(rule("SELECT 0"),))
    again = Contract.model_validate(contract.model_dump(by_alias=True))
    assert again == contract
