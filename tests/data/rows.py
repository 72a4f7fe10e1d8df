"""Rows that a contract's columns allow, and rows that they do not, for hypothesis."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from mlops.data.contract import Column, Contract

START, END = datetime(2000, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 - moments of a contract have no zone
BIG = 1_000_000


def good_rows(contract: Contract) -> st.SearchStrategy[dict[str, Any]]:
    """Records of JSON that hold to what each column asks alone: type, range, set, missing."""
    return st.fixed_dictionaries({each.name: good_values(each) for each in contract.columns})


def good_values(column: Column) -> st.SearchStrategy[Any]:
    """Values of JSON that a column allows; a pattern is not looked at."""
    listed = [
        value
        for quality in column.quality
        if quality.metric == "invalidValues" and quality.stops
        for value in quality.arguments.get("validValues", ())
    ]
    values = st.sampled_from(listed) if listed else _in_range(column)
    return values if column.required or column.primary_key else st.none() | values


def _in_range(column: Column) -> st.SearchStrategy[Any]:
    options, kind = column.logical_type_options, column.logical_type
    low = options.exclusive_minimum if options.minimum is None else options.minimum
    high = options.exclusive_maximum if options.maximum is None else options.maximum
    strict_low = options.minimum is None and low is not None
    strict_high = options.maximum is None and high is not None
    if kind == "boolean":
        return st.booleans()
    if kind == "string":
        return st.text(min_size=options.min_length or 0, max_size=options.max_length or 8)
    if kind == "integer":
        return st.integers(
            -BIG if low is None else int(low) + strict_low,
            BIG if high is None else int(high) - strict_high,
        )
    if kind == "number":
        return st.floats(
            -float(BIG) if low is None else float(low),
            float(BIG) if high is None else float(high),
            exclude_min=strict_low,
            exclude_max=strict_high,
        )
    first = START if low is None else datetime.fromisoformat(str(low))
    last = END if high is None else datetime.fromisoformat(str(high))
    step = timedelta(microseconds=1)
    moments = st.datetimes(first + step * strict_low, last - step * strict_high)
    return moments.map(lambda each: each.date().isoformat() if kind == "date" else each.isoformat())


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 30),
    st.sampled_from([2**63, -(2**63) - 1, 10**400, 1e300, -0.0, 5e-324]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", " ", "1", "1.0", " 2 ", "1_000", "1e3", "true", "FALSE", "left", "nan", "inf", "NaT"]
    ),
    st.sampled_from(
        ["now", "today", "2024-02-30", "2024-01-01", "2024-01-01T05:00:00.1234567Z", "20240101"]
    ),
    st.text(max_size=6),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)
"""Values that come where others were agreed on."""


def any_rows(contract: Contract) -> st.SearchStrategy[dict[str, Any]]:
    """Records of JSON with the contract's columns; in some of them, whatever may come."""
    return st.fixed_dictionaries({each.name: good_values(each) | ODD for each in contract.columns})
