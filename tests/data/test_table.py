"""Reading text as types, upserting by key, and Parquet bytes that depend on the rows only."""

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops import digests
from mlops.data import table
from mlops.data.contract import Contract, read_contract
from mlops.data.typed import READERS, read
from mlops.repository import Layout
from mlops.tree import WorkTree
from tests.team import PROJECT

START = datetime(2024, 1, 1)  # noqa: DTZ001 - the table's moments have no zone
Row = tuple[int, float, str, float]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return read_contract(Layout(WorkTree(PROJECT)), "toy-points")


def typed(contract: Contract, rows: list[Row]) -> pd.DataFrame:
    """Rows given as text, as a batch brings them."""
    texts = [
        ((START + timedelta(hours=h)).isoformat(), repr(x), side, repr(y)) for h, x, side, y in rows
    ]
    frame = pd.DataFrame(texts, columns=list(contract.names), dtype=str)
    return read(contract, frame).rows


def digest_after(contract: Contract, batches: list[list[Row]]) -> str:
    current: pd.DataFrame | None = None
    for batch in batches:
        current = table.upsert(contract, current, typed(contract, batch)).rows
    assert current is not None
    return digests.of_bytes(table.encode(contract, current))


numbers = st.floats(-1e6, 1e6, allow_nan=False)
sides = st.sampled_from(["left", "right"])


@st.composite
def batches(draw: st.DrawFn) -> list[list[Row]]:
    """Batches whose rows agree where their keys do: drawn from one row for each key."""
    pool = {h: (h, draw(numbers), draw(sides), draw(numbers)) for h in range(12)}
    keys = st.lists(st.integers(0, 11), min_size=1, max_size=12, unique=True)
    return [[pool[key] for key in draw(keys)] for _ in range(draw(st.integers(1, 4)))]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), first=batches())
def test_order_and_repetition_of_batches_that_agree_do_not_change_the_version(
    data: st.DataObject, first: list[list[Row]], contract: Contract
) -> None:
    shuffled = data.draw(st.permutations(first + first[: len(first) // 2 + 1]))
    rows_shuffled = [data.draw(st.permutations(batch)) for batch in shuffled]
    assert digest_after(contract, first) == digest_after(contract, rows_shuffled)


def test_of_two_rows_with_one_key_the_newest_wins_and_is_counted(contract: Contract) -> None:
    current = typed(contract, [(0, 1.0, "left", 1.0), (1, 2.0, "left", 2.0)])
    batch = typed(contract, [(2, 4.0, "left", 4.0), (1, 9.0, "right", 9.0), (0, 1.0, "left", 1.0)])
    merged = table.upsert(contract, current, batch)
    assert (merged.added, merged.replaced, merged.unchanged) == (1, 1, 1)
    assert list(merged.rows["x"]) == [1.0, 9.0, 4.0]
    assert sorted(merged.fresh["x"]) == [4.0, 9.0]


def test_late_rows_stand_where_their_key_belongs(contract: Contract) -> None:
    rows: list[Row] = [(h, float(h), "left", 0.0) for h in range(6)]
    assert digest_after(contract, [rows]) == digest_after(contract, [rows[3:], rows[:3]])


def test_what_was_written_is_what_is_loaded_with_the_contracts_types(
    contract: Contract, tmp_path: Path
) -> None:
    frame = typed(contract, [(1, 0.1, "left", -0.0), (0, 2.5, "right", 1e-17)])
    file = tmp_path / "t.parquet"
    file.write_bytes(table.encode(contract, frame))
    loaded = table.load(file)
    assert [str(kind) for kind in loaded.dtypes] == ["datetime64[us]", "float64", "str", "float64"]
    assert loaded.values.tolist() == [
        [pd.Timestamp("2024-01-01T00:00"), 2.5, "right", 1e-17],
        [pd.Timestamp("2024-01-01T01:00"), 0.1, "left", 0.0],
    ]


def test_the_bytes_name_no_library_metadata_but_the_schema(contract: Contract) -> None:
    content = table.encode(contract, typed(contract, [(0, 1.0, "left", 1.0)]))
    assert b"pandas" not in content


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "7", 7),
        ("integer", " 7", 7),
        ("integer", "7.5", "7.5"),
        ("integer", "1_000", "1_000"),
        ("integer", "9007199254740993", 9007199254740993),
        ("integer", 7.0, 7),
        ("number", "-0.0", 0.0),
        ("number", "1e3", 1000.0),
        ("number", "nan", "nan"),
        ("number", "inf", "inf"),
        ("number", "1,5", "1,5"),
        ("boolean", "True", True),
        ("boolean", "yes", "yes"),
        ("timestamp", "2024-01-01T00:00:00+02:00", pd.Timestamp("2023-12-31T22:00:00")),
        ("timestamp", "2024-13-01", "2024-13-01"),
        ("timestamp", 5, 5),
        ("string", "", ""),
    ],
)
def test_text_is_read_as_its_type_or_stays_as_it_came(
    kind: str, text: object, value: object
) -> None:
    read = READERS[kind](text)
    assert (type(read), read) == (type(value), value)
