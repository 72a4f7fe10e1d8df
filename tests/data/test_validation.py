"""Contracts compiled to Great Expectations: what is counted, and what passes."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.data.contract import Contract
from mlops.data.rule import Threshold
from mlops.data.validation import Report, complaint, validate

DIGEST = "sha256:" + "0" * 64


def contract_of(*properties: dict[str, Any], quality: tuple[dict[str, Any], ...] = ()) -> Contract:
    key = {"name": "id", "logicalType": "integer", "primaryKey": True}
    table = {"name": "t", "properties": (key, *properties), "quality": quality}
    return Contract.model_validate(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "1",
            "name": "things",
            "version": "1.2.3",
            "status": "active",
            "schema": (table,),
        }
    )


def report(contract: Contract, **columns: list[Any]) -> Report:
    rows = len(next(iter(columns.values())))
    frame = pd.DataFrame({"id": [str(n) for n in range(rows)], **columns}, dtype=object)
    frame.index = pd.RangeIndex(1, rows + 1)
    return validate(contract, frame)


def complaints(found: Report) -> list[str]:
    return [complaint(outcome) for outcome in found.failed]


def column(**more: Any) -> dict[str, Any]:
    return {"name": "v", "logicalType": "number", **more}


def test_a_good_frame_passes_and_is_summed_up_as_evidence() -> None:
    found = report(contract_of(column(required=True)), v=["1", "2.5"])
    assert found.passed
    assert not found.problems
    summary = found.summary(DIGEST)
    assert (summary.dataset, summary.contract, summary.rows) == ("things", "1.2.3", 2)
    assert (summary.rules, summary.failed) == (len(found.outcomes), 0)


def test_a_missing_column_leaves_its_rules_unchecked_and_the_others_checked() -> None:
    contract = contract_of(column(required=True, logicalTypeOptions={"maximum": 1}))
    found = report(contract, w=["1"])
    assert complaints(found) == ["schema: columns missing: `v`; unexpected: `w`"]
    assert [rule.text for rule in found.unchecked] == [
        "`v` is a number",
        "`v` is not missing",
        "`v` is at most 1",
    ]


def test_a_text_among_numbers_is_counted_once_and_the_numbers_are_still_checked() -> None:
    contract = contract_of(column(required=True, logicalTypeOptions={"maximum": 10}))
    assert complaints(report(contract, v=["1", "x", "50"])) == [
        "schema: 1 of 3 values of `v` are not a number (row 2: 'x')",
        "outliers: 1 of 3 values of `v` are not at most 10 (row 3: 50.0)",
    ]


@pytest.mark.parametrize(
    ("options", "values", "expected"),
    [
        ({"minimum": 0, "maximum": 1}, ["0", "1", "0.5"], []),
        (
            {"exclusiveMinimum": 0},
            ["0", "1"],
            ["outliers: 1 of 2 values of `v` are not above 0 (row 1: 0.0)"],
        ),
        (
            {"minimum": 0, "exclusiveMaximum": 1},
            ["1", "0"],
            ["outliers: 1 of 2 values of `v` are not at least 0 and below 1 (row 1: 1.0)"],
        ),
    ],
)
def test_bounds_hold_as_the_standard_says(
    options: dict[str, Any], values: list[str], expected: list[str]
) -> None:
    assert complaints(report(contract_of(column(logicalTypeOptions=options)), v=values)) == expected


def test_moments_and_text_have_bounds_too() -> None:
    contract = contract_of(
        {"name": "at", "logicalType": "timestamp", "logicalTypeOptions": {"minimum": "2024-01-01"}},
        {"name": "code", "logicalType": "string", "logicalTypeOptions": {"pattern": "^[a-z]+$"}},
        {"name": "word", "logicalType": "string", "logicalTypeOptions": {"maxLength": 3}},
    )
    found = report(contract, at=["2023-12-31", "2024-01-01"], code=["ab", "a1"], word=["abcd", "a"])
    assert complaints(found) == [
        "outliers: 1 of 2 values of `at` are not at least 2024-01-01 (row 1: 2023-12-31 00:00:00)",
        "outliers: 1 of 2 values of `code` do not match ^[a-z]+$ (row 2: 'a1')",
        "outliers: 1 of 2 values of `word` are not from 0 to 3 characters long (row 1: 'abcd')",
    ]


@pytest.mark.parametrize(
    ("rule", "values", "passes"),
    [
        ({"metric": "nullValues", "mustBe": 0}, ["1", None], False),
        (
            {"metric": "nullValues", "unit": "percent", "mustBeLessThan": 60},
            ["1", None],
            True,
        ),
        ({"metric": "duplicateValues", "mustBe": 0}, ["1", "1"], False),
        ({"metric": "duplicateValues", "mustBeLessOrEqualTo": 2}, ["1", "1"], True),
        ({"metric": "invalidValues", "arguments": {"validValues": [1]}, "mustBe": 0}, ["2"], False),
        (
            {"metric": "missingValues", "arguments": {"missingValues": [None, -1]}, "mustBe": 0},
            ["-1"],
            False,
        ),
        ({"metric": "rowCount", "mustBeBetween": (2, 3)}, ["1"], False),
        ({"metric": "rowCount", "mustBeBetween": (2, 3)}, ["1", "2"], True),
        ({"type": "text", "description": "looks right"}, ["1"], True),
    ],
)
def test_library_rules_hold_as_the_standard_says(
    rule: dict[str, Any], values: list[Any], passes: bool
) -> None:
    assert report(contract_of(column(quality=(rule,))), v=values).passed is passes


def test_relations_between_columns_are_great_expectations_own() -> None:
    rule = {
        "name": "low-below-high",
        "type": "custom",
        "engine": "greatExpectations",
        "implementation": {
            "type": "expect_column_pair_values_a_to_be_greater_than_b",
            "kwargs": {"column_A": "high", "column_B": "low", "or_equal": True},
        },
    }
    high, low = (column(name=name) for name in ("high", "low"))
    found = report(contract_of(high, low, quality=(rule,)), high=["2", "1"], low=["2", "3"])
    assert complaints(found) == [
        "relation: 1 of 2 rows break `low-below-high` (row 2: high 1.0, low 3.0)"
    ]


def test_a_rule_that_cannot_be_run_is_broken_and_says_why() -> None:
    rule = {
        "name": "mean",
        "type": "custom",
        "engine": "greatExpectations",
        "implementation": "{type: expect_column_mean_to_be_between, kwargs: {column: v}}",
    }
    found = report(contract_of(column(logicalType="string", quality=(rule,))), v=["a", "b"])
    (told,) = complaints(found)
    assert told.startswith("distribution: `mean` does not hold (")


SHARES = {"values": ["a", "b"], "weights": [0.5, 0.5]}


@pytest.mark.parametrize(
    ("expectation", "kwargs", "values", "told"),
    [
        (
            "expect_column_kl_divergence_to_be_less_than",
            {"partition_object": SHARES, "threshold": 0.1},
            ["a", "a", "a", "b"],
            "distribution: `as-before` does not hold (observed 0.1308)",
        ),
        (
            "expect_column_kl_divergence_to_be_less_than",
            {"partition_object": SHARES, "threshold": 0.2},
            ["a", "a", "a", "b"],
            None,
        ),
        (
            "expect_column_quantile_values_to_be_between",
            {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[5, 9]]}},
            ["1", "2", "3"],
            (
                "distribution: `as-before` does not hold "
                "(observed {'quantiles': [0.5], 'values': [2.0]})"
            ),
        ),
        (
            "expect_column_mean_to_be_between",
            {"min_value": 1, "max_value": 3},
            ["1", "2", "3"],
            None,
        ),
    ],
)
def test_a_distribution_is_held_to_the_reference_that_the_contract_gives(
    expectation: str, kwargs: dict[str, Any], values: list[str], told: str | None
) -> None:
    rule = {
        "name": "as-before",
        "type": "custom",
        "engine": "greatExpectations",
        "implementation": {"type": expectation, "kwargs": {"column": "v", **kwargs}},
    }
    kind = "string" if "a" in values else "number"
    found = report(contract_of(column(logicalType=kind, quality=(rule,))), v=values)
    assert complaints(found) == ([told] if told else [])


def test_rows_are_named_by_their_numbers_in_the_file_whatever_was_left_out() -> None:
    contract = contract_of(column(logicalTypeOptions={"maximum": 1}))
    frame = pd.DataFrame({"id": ["5", "6"], "v": ["0", "9"]}, index=[17, 40], dtype=object)
    (outcome,) = validate(contract, frame).failed
    assert [example.row for example in outcome.examples] == [40]


@given(count=st.integers(0, 50), more=st.integers(0, 50), bound=st.integers(0, 100))
def test_an_operator_and_its_opposite_never_agree(count: int, more: int, bound: int) -> None:
    of = count + more
    pairs = [
        ("must_be", "must_not_be"),
        ("must_be_greater_than", "must_be_less_or_equal_to"),
        ("must_be_less_than", "must_be_greater_or_equal_to"),
    ]
    for one, other in pairs:
        for unit in ("rows", "percent"):
            met = [Threshold(op, bound, unit).met(count, of) for op in (one, other)]
            assert sorted(met) == [False, True]


def test_a_rule_that_great_expectations_fails_on_is_never_taken_as_held() -> None:
    found = report(contract_of(column(logicalType="string")), v=[{"a": 1}, False])
    (said,) = complaints(found)
    assert said.startswith("schema: 2 of 2 values of `v` are not a string (")


def test_a_pair_of_which_one_is_missing_is_told_as_missing() -> None:
    pair = {"column_A": "id", "column_B": "v", "value_pairs_set": [[0, 1]]}
    rule = {"type": "expect_column_pair_values_to_be_in_set", "kwargs": pair}
    quality = {"type": "custom", "engine": "greatExpectations", "implementation": rule}
    contract = contract_of(column(logicalType="integer"), quality=(quality,))
    assert complaints(report(contract, v=["1", None])) == [
        (
            "relation: 1 of 2 rows break `expect_column_pair_values_to_be_in_set` "
            "(row 2: id 1, v missing)"
        )
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", str(2**63)), ("integer", True), ("number", True), ("number", 10**400)]
    + [("timestamp", word) for word in ("now", "today", "NaT", "0000-01-01")],
)
def test_what_is_of_no_type_is_told_whatever_python_makes_of_it(kind: str, value: Any) -> None:
    found = report(contract_of(column(logicalType=kind)), v=[value, None])
    assert [outcome.failing for outcome in found.failed] == [1]
