"""A record alone and the table of it are judged alike; what needs the table is told."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlops.data.contract import Contract, read_contract
from mlops.data.expectations import Outcome
from mlops.data.records import Checker, Verdict
from mlops.data.rule import Rule
from mlops.data.validation import validate
from mlops.errors import BadInput
from mlops.repository import Repository
from tests.data.rows import any_rows, good_rows
from tests.data.test_validation import column, contract_of
from tests.team import ROOT

GX = {"type": "custom", "engine": "greatExpectations"}


def written(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {**GX, "name": kind, "implementation": {"type": f"expect_{kind}", "kwargs": kwargs}}


def counted(metric: str, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "mustBe": 0, **more}


PAIR = {"column_A": "whole", "column_B": "half"}
SIDES = {"validValues": ["left", "right", 1]}
KINDS = contract_of(
    {
        "name": "whole",
        "logicalType": "integer",
        "required": True,
        "logicalTypeOptions": {"minimum": 0, "exclusiveMaximum": 24},
    },
    {
        "name": "half",
        "logicalType": "number",
        "logicalTypeOptions": {"exclusiveMinimum": -1, "maximum": 5},
        "quality": (counted("missingValues", arguments={"missingValues": [-0.5, None]}),),
    },
    {
        "name": "side",
        "logicalType": "string",
        "logicalTypeOptions": {"minLength": 1, "maxLength": 5},
        "quality": (
            counted("invalidValues", arguments=SIDES, severity="warning"),
            counted("invalidValues", arguments={"pattern": r"^\w+$"}),
            written("column_values_to_not_match_regex", column="side", regex="(?=z)z"),
        ),
    },
    {"name": "flag", "logicalType": "boolean"},
    {
        "name": "at",
        "logicalType": "timestamp",
        "logicalTypeOptions": {"minimum": "2024-01-01", "exclusiveMaximum": "2025-01-01"},
    },
    {"name": "day", "logicalType": "date", "logicalTypeOptions": {"maximum": "2024-06-30"}},
    quality=(
        written(
            "column_pair_values_to_be_in_set",
            column_A="flag",
            column_B="side",
            value_pairs_set=[[True, "left"], [False, "right"], [None, "left"], [1, None]],
        ),
        written("column_pair_values_a_to_be_greater_than_b", **PAIR, or_equal=True),
        written("column_pair_values_to_be_equal", **PAIR),
        written("column_values_to_be_null", column="flag"),
        {
            "type": "sql",
            "query": "select count(*) from ${table} where whole > half or side = 'left';",
            "mustBe": 0,
        },
        {
            "type": "sql",
            "query": 'SELECT COUNT(*) FROM t WHERE "day" <> "at"::DATE -- odd',
            "mustBeLessOrEqualTo": 0,
        },
        {"type": "sql", "query": "SELECT COUNT(*) FROM t WHERE side::INTEGER > 7", "mustBe": 0},
    ),
)


def table_of(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns = {name: [record[name] for record in records] for name in records[0]}
    index = pd.RangeIndex(1, len(records) + 1)
    return pd.DataFrame(
        {name: pd.Series(values, index, object) for name, values in columns.items()}
    )


def agree(contract: Contract, records: Sequence[Mapping[str, Any]]) -> None:
    """That each rule counts as many rows of the table as there are records that break it."""
    checker = Checker(contract)
    verdicts = [checker.verdict(record) for record in records]
    report = validate(contract, table_of(records))
    left = [rule for rule, _ in checker.not_judged]
    for outcome in report.outcomes:
        if outcome.rule not in left:
            held_to(outcome, [broken(verdict, outcome.rule) for verdict in verdicts])
    unchecked = [rule for rule in report.unchecked if rule not in left]
    for verdict in verdicts:
        assert sorted(map(repr, verdict.unchecked)) == sorted(map(repr, unchecked))


def held_to(outcome: Outcome, found: Sequence[bool]) -> None:
    told = (outcome, found)
    assert outcome.passed != any(found), told
    if outcome.rule.of_rows and not outcome.observed:
        assert outcome.failing == sum(found), told


def broken(verdict: Verdict, rule: Rule) -> bool:
    return any(each.rule == rule for each in verdict.broken)


# A table costs seconds, so each holds many records, and a failure is shown as it was found.
FEW = settings(max_examples=6, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@pytest.mark.slow
@FEW
@given(st.lists(any_rows(KINDS), min_size=10, max_size=25))
def test_a_record_breaks_the_rules_that_its_row_of_a_table_breaks(
    records: list[dict[str, Any]],
) -> None:
    agree(KINDS, records)


@pytest.mark.slow
@FEW
@given(st.data())
def test_records_of_a_real_contract_are_judged_as_its_tables_are(data: st.DataObject) -> None:
    contract = bikes()
    rows = st.lists(good_rows(contract) | any_rows(contract), min_size=10, max_size=25)
    agree(contract, data.draw(rows))


GOOD = {
    "id": 1,
    "whole": 3,
    "half": 3.0,
    "side": "right",
    "flag": None,
    "at": "2024-05-01T10:00:00",
    "day": "2024-05-01",
}
ODD = [
    GOOD,
    {**GOOD, "whole": True, "half": False},
    {**GOOD, "whole": 2**63, "half": 10**400},
    {**GOOD, "at": "now", "day": "NaT"},
    {**GOOD, "side": "zü\n", "flag": "TRUE"},
    {**GOOD, "side": "7", "at": "2024-01-01T00:30:00+01:00"},
    {**GOOD, "side": "8", "day": "2024-05-01T23:00:00"},
]


@pytest.mark.parametrize("record", ODD)
def test_an_odd_record_is_judged_as_a_table_of_it_alone(record: dict[str, Any]) -> None:
    agree(KINDS, [record])


@pytest.mark.parametrize("change", [{"extra": 1}, {"side": None}])
def test_columns_that_are_missing_or_unexpected_are_told_as_of_a_table(
    change: dict[str, Any],
) -> None:
    record = {**GOOD, **change}
    agree(KINDS, [{name: value for name, value in record.items() if value is not None}])


def bikes() -> Contract:
    return read_contract(Repository.at(ROOT), "bike-rentals")


def test_what_is_broken_is_told_with_the_value_and_the_way_out() -> None:
    checker = Checker(KINDS)
    found = checker.verdict({**GOOD, "whole": 24, "half": 24.0, "side": "none"})
    assert [str(each.problem("line 3", KINDS)) for each in found.broken] == [
        f"line 3: {what}; correct the record, or change data-contracts/things.odcs.yaml if it is "
        "right"
        for what in (
            "outliers: it does not hold that `whole` is at least 0 and below 24 (24)",
            "outliers: it does not hold that `half` is above -1 and at most 5 (24.0)",
            "outliers: it does not hold that `side` is one of left, right, 1 ('none')",
            (
                "relation: it does not hold that column_pair_values_to_be_in_set (flag missing, "
                "side 'none')"
            ),
            (
                "relation: it does not hold that SELECT COUNT(*) FROM t WHERE side::INTEGER > 7 "
                "(the query gives 0) (the query cannot be run by DuckDB (Conversion Error: Could not "
                "convert string 'none' to INT32 when casting from source column side))"
            ),
        )
    ]
    assert not found.passed


def test_a_record_that_only_warns_passes() -> None:
    sides = counted("invalidValues", arguments=SIDES, severity="warning")
    checker = Checker(contract_of(column(logicalType="string", quality=(sides,))))
    found = checker.verdict({"id": 1, "v": "none"})
    assert [each.rule.severity for each in found.broken] == ["warning"]
    assert found.passed
    assert not checker.verdict({"id": None, "v": "left"}).passed


def test_rules_that_need_the_table_are_named_with_the_reason() -> None:
    contract = contract_of(
        column(unique=True, quality=(counted("nullValues", mustBe=1),)),
        quality=(
            counted("rowCount", mustBe=7),
            {"type": "sql", "query": "SELECT SUM(v) FROM t", "mustBe": 0},
            written("column_mean_to_be_between", column="v", min_value=1),
            written("column_values_to_be_between", column="v", min_value=1, mostly=0.9),
            written("column_values_to_be_between", column="v", min_value=1, row_condition="v>1"),
            written("column_values_to_be_json_parseable", column="v"),
            written("column_values_to_be_increasing", column="v"),
        ),
    )
    checker = Checker(contract)
    assert sorted(why for _, why in checker.not_judged) == [
        "compares rows with each other",
        "compares rows with each other",
        "compares rows with each other",
        "counts rows",
        "has the argument row_condition, which takes a table",
        "is a query about more than one row",
        "is about a column as a whole",
        "is judged by Great Expectations, which takes tables",
        "lets rows break it: 1",
        "lets rows break it: mostly 0.9",
    ]
    assert len(checker.judged) == 4
    assert checker.verdict({"id": 1, "v": None}).passed


def test_of_the_bike_rentals_only_five_rules_need_the_table() -> None:
    assert [rule.place for rule, _ in Checker(bikes()).not_judged] == [
        "",
        "weathersit.quality.1",
        "hum.quality.0",
        "quality.0",
        "quality.1",
    ]


def test_a_query_that_cannot_run_is_refused_before_any_record() -> None:
    asked = {"type": "sql", "query": "SELECT COUNT(*) FROM t WHERE nowhere > 1", "mustBe": 0}
    with pytest.raises(BadInput, match=r"`t\.quality\.0` is a query that cannot be run by DuckDB"):
        Checker(contract_of(column(), quality=(asked,)))
