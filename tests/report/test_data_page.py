"""The page of a validation: what was found, escaped, and nothing that loads or runs."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from mlops.data.profiles import profiles_of
from mlops.data.validation import validate
from mlops.report.data_page import data_page
from mlops.report.page import POLICY
from tests.data.test_validation import column, contract_of

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
TEXT = {"name": "word", "logicalType": "string", "description": "<i>what</i> was said"}


def page(*properties: dict[str, Any], **columns: list[Any]) -> str:
    rows = len(next(iter(columns.values())))
    ids = [str(number) for number in range(rows)]
    frame = pd.DataFrame({"id": ids, **columns}, range(1, rows + 1), dtype="str")
    report = validate(contract_of(*properties), frame)
    assert report.read is not None
    return data_page(report, profiles_of(report.read), made=MADE)


def test_a_good_table_says_so_and_folds_its_rules() -> None:
    shown = page(column(), v=["1", "2"])
    assert "Good: all 5 rules hold." in shown
    assert "<summary>5 rules that hold</summary>" in shown
    assert "2026-01-02 03:04 UTC" in shown
    assert "DuckDB 5" in shown


def test_broken_rules_stand_first_with_counts_and_rows() -> None:
    limits = {"minimum": 0, "maximum": 1}
    shown = page(column(logicalTypeOptions=limits), v=["0", "0.5", "9", "x"])
    assert "Not good: 2 of 6 rules are broken." in shown
    outside = shown.index("row 3: 9.0")
    assert shown.index('<b class="broken">broken</b>') < outside < shown.index("<details>")
    assert 'aria-label="25.00%"' in shown


def test_a_column_that_is_not_there_is_told() -> None:
    shown = page(column(), TEXT, v=["1"])
    assert "1 could not be checked" in shown
    assert "not checked: a column is missing" in shown
    assert "no column" in shown


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=y>'])
def test_what_stands_in_the_data_stays_text(hostile: str) -> None:
    shown = page(column(), TEXT, v=[hostile, "1"], word=[hostile, hostile])
    assert hostile not in shown
    assert "<i>what</i>" not in shown
    assert POLICY in shown
    assert "<script" not in shown


def test_columns_have_pictures_of_what_they_hold() -> None:
    moments = {"name": "at", "logicalType": "timestamp"}
    shown = page(column(), moments, TEXT, v=["1", "5"], at=["2024-01-01"] * 2, word=["a", "b"])
    assert shown.count('class="box"') == 2, "of id and v; all moments are alike"
    assert shown.count('class="top"') == 1
