"""Reading columns as types: whole columns at once give what single values give."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops.data.contract import Contract, LogicalType
from mlops.data.typed import DTYPES, PYTHON, READERS, read

KINDS: tuple[LogicalType, ...] = ("string", "integer", "number", "boolean", "timestamp", "date")
DIGITS = st.from_regex(r"-?[0-9]{1,20}", fullmatch=True)
TEXTS = st.one_of(
    st.text(max_size=6),
    DIGITS,
    st.from_regex(r"-?[0-9]{1,17}\.[0-9]{1,17}([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.floats().map(repr),
    st.datetimes().map(str),
    st.from_regex(
        r"(0|1|2)[0-9]{3}-[01][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-6][0-9])?", fullmatch=True
    ),
    st.sampled_from(["true", " FALSE ", "1", "0", "NaT", "nan", "1_0", "0x1", "2024-1-1", "+5"]),
)
VALUES = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(), st.floats(), st.datetimes(), st.just(pd.NaT)
)


def contract_of(kind: LogicalType) -> Contract:
    column = {"name": "v", "logicalType": kind, "primaryKey": True}
    return Contract.model_validate(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "1",
            "name": "things",
            "version": "1.0.0",
            "status": "active",
            "schema": ({"name": "t", "properties": (column,)},),
        }
    )


def one_by_one(values: list[Any], kind: LogicalType) -> tuple[list[Any], list[bool]]:
    """What each value is read as by itself, and whether it is there and unreadable."""
    parsed = [None if pd.isna(value) else READERS[kind](value) for value in values]
    right = [type(value) in PYTHON[kind] for value in parsed]
    missing = [bool(pd.isna(value)) for value in parsed]
    return (
        [value if good else None for value, good in zip(parsed, right, strict=True)],
        [not good and not gone for good, gone in zip(right, missing, strict=True)],
    )


def assert_read_alike(column: pd.Series, kind: LogicalType) -> None:
    values, unreadable = one_by_one(list(column), kind)
    found = read(contract_of(kind), pd.DataFrame({"v": column}))
    expected = pd.Series(values, column.index, dtype=DTYPES[kind])
    pd.testing.assert_series_equal(
        found.rows["v"].astype(DTYPES[kind]), expected, check_names=False, check_exact=True
    )
    assert list(found.unreadable["v"]) == unreadable


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(texts=st.lists(st.one_of(TEXTS, st.none()), max_size=8))
@example(texts=["0000-01-01"])  # pandas reads a year 0, and Python has none
def test_a_column_of_text_is_read_as_its_values_are(
    kind: LogicalType, texts: list[str | None]
) -> None:
    assert_read_alike(pd.Series(texts, range(5, 5 + len(texts)), dtype="str"), kind)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(values=st.lists(VALUES, max_size=8))
def test_a_mixed_column_is_read_as_its_values_are(kind: LogicalType, values: list[Any]) -> None:
    assert_read_alike(pd.Series(values, dtype=object), kind)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_typed_column_is_read_as_its_values_are(kind: LogicalType, data: st.DataObject) -> None:
    strategy, dtype = data.draw(
        st.sampled_from(
            [
                (st.integers(-(2**63), 2**63 - 1), "int64"),
                (st.floats(), "float64"),
                (st.booleans(), "bool"),
                (st.datetimes(), "datetime64[us]"),
            ]
        )
    )
    assert_read_alike(pd.Series(data.draw(st.lists(strategy, max_size=6)), dtype=dtype), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_read_stands_among_the_values_as_it_came(kind: LogicalType) -> None:
    frame = pd.DataFrame({"v": pd.Series([(1,), None], dtype=object), "more": ["a", "b"]})
    found = read(contract_of(kind), frame)
    assert found.values["v"].tolist() == [(1,), None]
    assert found.values["more"].tolist() == ["a", "b"]
    assert found.missing("v").tolist() == [False, True]


def test_types_are_plain_unless_something_is_missing() -> None:
    whole, gaps = (
        read(contract_of("integer"), pd.DataFrame({"v": pd.Series(v, dtype="str")})).rows["v"].dtype
        for v in (["1"], ["1", None])
    )
    assert (whole, gaps) == (np.dtype("int64"), pd.Int64Dtype())
