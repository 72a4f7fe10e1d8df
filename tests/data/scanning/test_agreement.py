"""DuckDB and Great Expectations say the same of the same rows."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.data import table
from mlops.data.typed import read
from mlops.data.validation import Report, validate, validate_file
from tests.data.test_validation import contract_of


def library(metric: str, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "mustBe": 0, **more}


def expectation(name: str, **kwargs: Any) -> dict[str, Any]:
    asked = {"type": name, "kwargs": kwargs}
    return {"type": "custom", "engine": "greatExpectations", "implementation": asked}


def column(name: str, kind: str, *quality: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "logicalType": kind, "quality": quality, **more}


MOST = {"mustBe": None, "mustBeLessOrEqualTo": 25, "unit": "percent"}
COLUMNS = (
    column(
        "x",
        "number",
        library("missingValues", arguments={"missingValues": [-1, 0.5]}, **MOST),
        expectation("expect_column_mean_to_be_between", column="x", min_value=0, max_value=3),
        expectation("expect_column_stdev_to_be_between", column="x", max_value=2),
        expectation("expect_column_values_to_be_between", column="x", max_value=1.5),
        required=True,
        logicalTypeOptions={"minimum": 0, "maximum": 2.5},
    ),
    column(
        "n",
        "integer",
        library("nullValues", **MOST),
        library("invalidValues", arguments={"validValues": [0, 1, 2]}),
        expectation("expect_column_min_to_be_between", column="n", min_value=0),
        expectation("expect_column_max_to_be_between", column="n", max_value=3, strict_max=True),
        expectation("expect_column_sum_to_be_between", column="n", max_value=9),
        unique=True,
        logicalTypeOptions={"exclusiveMinimum": -1, "exclusiveMaximum": 3},
    ),
    column(
        "s",
        "string",
        library("invalidValues", arguments={"pattern": r"^[a-c]\d?$"}),
        library("invalidValues", arguments={"validValues": ["a", "b", "it's"]}),
        expectation(
            "expect_column_kl_divergence_to_be_less_than",
            column="s",
            partition_object={"values": ["a", "b", "c"], "weights": [0.5, 0.25, 0.25]},
            threshold=0.3,
        ),
        logicalTypeOptions={"minLength": 1, "maxLength": 2},
    ),
    column(
        "at", "timestamp", logicalTypeOptions={"minimum": "2024-01-01", "maximum": "2024-01-03"}
    ),
    column("day", "date", required=True, logicalTypeOptions={"exclusiveMaximum": "2024-01-03"}),
    column("b", "boolean", library("invalidValues", arguments={"validValues": [True]})),
)
QUALITY = (
    library("duplicateValues", arguments={"properties": ["n", "s"]}),
    library("rowCount", mustBe=None, mustBeGreaterThan=3),
    expectation(
        "expect_column_pair_values_to_be_in_set",
        column_A="n",
        column_B="s",
        value_pairs_set=[[0, "a"], [1, "a"], [1, "b"]],
    ),
    expectation("expect_column_pair_values_a_to_be_greater_than_b", column_A="at", column_B="day"),
    expectation(
        "expect_column_pair_values_a_to_be_greater_than_b",
        column_A="x",
        column_B="n",
        or_equal=True,
    ),
    expectation("expect_column_pair_values_to_be_equal", column_A="x", column_B="n"),
)
CONTRACT = contract_of(*COLUMNS, quality=QUALITY)
POOLS: dict[str, list[str | None]] = {
    "id": ["0", "1", "2", "3", "4", "5", "x", None],
    "x": ["0", "0.5", "1", "2.5", "2.6", "-1", "1e300", "zero", None],
    "n": ["0", "1", "2", "3", "-1", "1.5", None],
    "s": ["a", "b", "c", "c1", "a\n", "it's", "", "abc", "a٣", None],
    "at": ["2024-01-01", "2024-01-02T10:00:00", "2024-01-04", "2023-12-31", "soon", None],
    "day": ["2024-01-01", "2024-01-02", "2024-01-03", "never", None],
    "b": ["true", "false", "maybe", None],
}


GIVEN_UP = "boolean value of NA is ambiguous"
"""What Great Expectations says of a pair of which an integer is missing."""


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Text as a file brings it, good for the most part, now and then without a column."""
    rows = draw(st.integers(1, 8))
    lacking = draw(st.sampled_from([None, None, None, *POOLS]))
    columns = {
        name: draw(st.lists(st.sampled_from([*pool[:2] * 3, *pool]), min_size=rows, max_size=rows))
        for name, pool in POOLS.items()
        if name != lacking
    }
    return pd.DataFrame(columns, pd.RangeIndex(1, rows + 1), dtype="str")


def said(report: Report) -> list[tuple[Any, ...]]:
    """What is told of each rule."""
    return [
        (o.rule.text, o.passed, o.checked, o.failing, o.observed, tuple(map(str, o.examples)))
        for o in report.outcomes
    ]


def assert_alike(one: Report, other: Report) -> None:
    for ours, theirs in zip(said(one), said(other), strict=True):
        if GIVEN_UP not in theirs:
            assert ours == theirs
    assert one.unchecked == other.unchecked
    assert one.engines["great-expectations"] == 0


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(frame=frames())
def test_they_agree_on_text_as_a_batch_brings_it(frame: pd.DataFrame) -> None:
    theirs = validate(CONTRACT, frame, engine="great-expectations")
    assert_alike(validate(CONTRACT, frame), theirs)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(frame=frames())
def test_they_agree_on_a_parquet_file(
    tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = tmp_path_factory.mktemp("version") / "rows.parquet"
    rows = read(CONTRACT, frame).rows
    there = [c for c in CONTRACT.columns if c.name in rows.columns]
    # Row groups of two rows: neighbours in different ones are compared, too.
    pq.write_table(pa.table(table.arrow(there, rows)), file, row_group_size=2)
    theirs = validate_file(CONTRACT, file, engine="great-expectations")
    assert_alike(validate_file(CONTRACT, file), theirs)
