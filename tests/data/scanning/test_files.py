"""Parquet files: in any order, of any type, too large for what cannot be scanned."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops.data import validation
from mlops.data.scanning import profile
from mlops.data.scanning.keys import increasing
from mlops.data.scanning.relation import file_types, of_file
from mlops.data.validation import Report, complaint, profiles_of_file, validate_file
from mlops.errors import BadInput
from tests.data.test_validation import column, contract_of

NAN = float("nan")


def write(folder: Path, groups: int = 2, **columns: Any) -> Path:
    file = folder / "rows.parquet"
    pq.write_table(pa.table(columns), file, row_group_size=groups)
    return file


def complaints(report: Report) -> list[str]:
    return [complaint(outcome) for outcome in report.failed]


@pytest.mark.parametrize(
    ("keys", "rises"),
    [
        ({"a": [1, 2, 3]}, True),
        ({"a": [1, 2, 2]}, False),
        ({"a": [1, 3, 2]}, False),
        ({"a": [1, 2, None]}, False),
        ({"a": [1.0, NAN, 2.0]}, False),
        ({"a": [1, 1, 2], "b": ["x", "y", "a"]}, True),
        ({"a": [1, 1, 2], "b": ["y", "x", "a"]}, False),
        ({"a": [1, 2, 1]}, False),
        ({"a": [7]}, True),
        ({"a": pa.array([], pa.int64())}, True),
    ],
)
def test_neighbours_tell_whether_keys_rise_over_row_groups_too(
    tmp_path: Path, keys: dict[str, Any], rises: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops.data.scanning.keys.ROWS", 2)
    assert increasing(write(tmp_path, **keys), list(keys)) is rises


def test_keys_that_do_not_rise_are_grouped(tmp_path: Path) -> None:
    file = write(tmp_path, id=[3, 1, 3, 2, 1])
    assert complaints(validate_file(contract_of(), file)) == [
        "duplicates: 4 of 5 rows share the key id with another (row 1: 3; row 2: 1; row 3: 3)"
    ]


def test_not_a_number_is_missing_and_other_types_are_read_when_nothing_is_lost(
    tmp_path: Path,
) -> None:
    contract = contract_of(
        column(required=True), column(name="w", logicalType="integer", required=True)
    )
    v, w = pa.array([1, NAN, None], pa.float32()), [1.0, 2.5, 3.0]
    report = validate_file(contract, write(tmp_path, id=[1, 2, 3], v=v, w=w))
    assert complaints(report) == [
        "missing: 2 of 3 values of `v` are missing (row 2; row 3)",
        "schema: 1 of 3 values of `w` are not an integer (row 2: 2.5)",
    ]


def test_text_where_a_number_is_asked_is_read_as_a_batch_is(tmp_path: Path) -> None:
    report = validate_file(contract_of(column()), write(tmp_path, id=[1, 2], v=["1", "x"]))
    assert complaints(report) == ["schema: 1 of 2 values of `v` are not a number (row 2: 'x')"]


def rule(**kwargs: Any) -> dict[str, Any]:
    name = "expect_column_values_to_be_between"
    asked = {"type": name, "kwargs": {"column": "v", "min_value": 0, **kwargs}}
    return {"type": "custom", "engine": "greatExpectations", "implementation": asked}


def test_what_sql_cannot_say_is_great_expectations_up_to_a_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = contract_of(column(), quality=(rule(mostly=0.5),))
    file = write(tmp_path, id=[1, 2], v=[-1.0, 1.0])
    report = validate_file(contract, file)
    assert report.passed
    assert report.engines == {"duckdb": len(report.outcomes) - 1, "great-expectations": 1}
    monkeypatch.setattr(validation, "IN_MEMORY", 1)
    with pytest.raises(BadInput) as raised:
        validate_file(contract, file, subject="rows.parquet")
    (problem,) = raised.value.problems
    assert str(problem) == (
        "rows.parquet: cannot be checked at its size of 2 rows: "
        "t.quality.0 asks expect_column_values_to_be_between; "
        "write the file in the contract's types, and such rules as `type: sql`"
    )


def test_text_in_a_file_too_large_to_read_is_told_by_its_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "IN_MEMORY", 1)
    with pytest.raises(BadInput, match="column `v` is VARCHAR"):
        validate_file(contract_of(column()), write(tmp_path, id=[1, 2], v=["1", "2"]))


def test_a_file_cut_off_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, id=[1, 2])
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(BadInput, match="is not a Parquet file"):
        validate_file(contract_of(), file)


def test_the_profile_of_a_large_file_is_that_of_a_small_one_but_for_what_is_estimated(
    tmp_path: Path,
) -> None:
    contract = contract_of(
        column(), column(name="s", logicalType="string"), column(name="b", logicalType="boolean")
    )
    columns: dict[str, Any] = {
        "id": list(range(5)),
        "v": [0.5, 1.5, None, 2.5, NAN],
        "s": ["a", "a", "b", None, "c"],
        "b": [True, False, True, None, True],
    }
    file = write(tmp_path, **columns)
    exact = profiles_of_file(contract, file, subject="rows")
    with of_file(contract.table, file, file_types(file)) as relation:
        large = profile.profiles_of(relation)
    assert list(large) == list(exact)
    for name, one in large.items():
        other = exact[name]
        assert one.estimated
        assert (one.missing, one.unreadable, one.top) == (other.missing, 0, other.top)
        assert one.quantiles[:1] + one.quantiles[-1:] == other.quantiles[:1] + other.quantiles[-1:]
