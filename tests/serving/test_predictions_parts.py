"""Parts of the prediction log by themselves: ids, names of files, columns, the bounds of what waits."""

import random
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Any, Literal
from uuid import RFC_4122, UUID

import pyarrow as pa
import pytest
from pydantic import BaseModel, Field

from mlops.serving.predictions import backlog as bounds
from mlops.serving.predictions.asked import Asked
from mlops.serving.predictions.backlog import Backlog
from mlops.serving.predictions.columns import Answer, Columns, Rows
from mlops.serving.predictions.identity import EPOCH, PRECISION, identity_at, moment_of
from mlops.serving.predictions.places import MOMENT, Place, named


def nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def test_an_id_is_a_uuid_of_version_7_that_tells_its_moment() -> None:
    for _ in range(2000):
        at = random.randrange(1 << 60, 1 << 62)
        text = identity_at(at)
        assert str(UUID(text)) == text
        assert (UUID(text).version, UUID(text).variant) == (7, RFC_4122)
        moment = moment_of(text)
        assert moment is not None
        exact = EPOCH + timedelta(microseconds=at // 1000)
        assert timedelta(0) <= exact - moment <= PRECISION


def test_ids_rise_with_time_and_differ_at_one() -> None:
    start = nanoseconds(datetime(2026, 3, 1, tzinfo=UTC))
    risen = [identity_at(start + step * 250) for step in range(5000)]
    assert risen == sorted(risen)
    assert len({identity_at(start) for _ in range(5000)}) == 5000


@pytest.mark.parametrize(
    "text",
    [
        "bike-demand",
        "sha256:ab12",
        "3f9d8c70-0000-4000-8000-000000000000",  # of version 4
        "01a22cc68584740cbbd2e6b3c03a25ec",
        "",
    ],
)
def test_what_is_no_id_of_an_answer_is_told_apart(text: str) -> None:
    assert moment_of(text) is None


def test_a_files_name_is_read_as_it_was_written() -> None:
    first = datetime(2026, 2, 28, 23, 59, 59, 1, tzinfo=UTC)
    place = Place(first, first + timedelta(seconds=30), 12, "a" * 64)
    assert named(place.path) == place
    assert place.path.startswith("day=2026-02-28/")
    other = f"{first:{MOMENT}}.parquet"
    assert named(other) is named(f".{place.path.partition('/')[2]}.tmp") is None


class Kind(Enum):
    """For a field of an unusual type."""

    A = "a"


class Inner(BaseModel):
    """A record in a record."""

    deep: int


class Wide(BaseModel):
    """A record with a field of each kind."""

    whole: int
    real: float = Field(ge=0)
    flag: bool
    text: str
    word: Literal["a", "b"]
    maybe: float | None = None
    when: datetime
    day: date
    kind: Kind
    inner: Inner
    several: list[Inner]
    either: int | str = 1


def wide(**more: Any) -> Wide:
    there = timezone(timedelta(hours=2))
    given = {
        "whole": 1,
        "real": 0.5,
        "flag": True,
        "text": "ä",
        "word": "a",
        "kind": "a",
        "when": datetime(2026, 1, 1, 2, tzinfo=there),
        "day": date(2026, 1, 1),
        "inner": {"deep": 1},
        "several": [{"deep": 2}],
    }
    return Wide(**{**given, **more})


def answer(*rows: BaseModel, size: int = 1) -> Answer:
    at = nanoseconds(datetime(2026, 1, 1, tzinfo=UTC))
    return Answer("id", at, rows, [0.5] * len(rows), 0.001, size)


def test_fields_have_their_own_types_and_what_has_none_is_json() -> None:
    batch = Columns(Rows(Wide, ()), {"service": "toy", "release": 1}).batch(
        [answer(wide(), wide())]
    )
    assert batch.schema.names == [
        *("id", "row", "time", "service", "release", "record", "prediction", "seconds")
    ]
    assert batch.schema.field("time").type == pa.timestamp("us", "UTC")
    types = {one.name: str(one.type) for one in batch.schema.field("record").type}
    assert types == {
        "whole": "int64",
        "real": "double",
        "flag": "bool",
        "text": "string",
        "word": "string",
        "maybe": "double",
        "when": "timestamp[us, tz=UTC]",
        "day": "date32[day]",
        "kind": "string",
        "inner": "string",
        "several": "string",
        "either": "string",
    }
    first, _ = batch.column("record").to_pylist()
    assert first["when"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert first["maybe"] is None
    assert (first["inner"], first["several"]) == ('{"deep":1}', '[{"deep":2}]')
    assert first["kind"] == '"a"'


def test_a_number_that_no_column_holds_is_null_and_costs_no_other() -> None:
    batch = Columns(Rows(Wide, ()), {}).batch([answer(wide(whole=1 << 70), wide(whole=7))])
    assert [row["whole"] for row in batch.column("record").to_pylist()] == [None, 7]


def test_without_any_field_there_is_no_record() -> None:
    batch = Columns(Rows(Inner, ["deep"]), {}).batch([answer(Inner(deep=1))])
    assert "record" not in batch.schema.names
    assert batch.num_rows == 1


class Called(BaseModel):
    """A record whose field has another name in JSON."""

    mail: str = Field(alias="e-mail")
    age: int


def test_what_is_left_out_is_named_as_the_field_or_as_clients_write_it() -> None:
    for name in ("mail", "e-mail"):
        assert list(Rows(Called, [name]).fields) == ["age"]
        assert list(Rows(Called, (), [name]).fields) == ["age"]
    assert Rows(Called, ["mail", "agee"], ["of the dataset alone"]).unknown == ["agee"]


def test_what_waits_is_bounded_in_rows_and_bytes_and_the_rest_is_counted() -> None:
    one = Inner(deep=1)
    waiting = Backlog()
    for size in (bounds.SIZE - 1, 1):
        assert waiting.has_room(1, size)
        waiting.add(answer(one, size=size))
    assert not waiting.has_room(1, 1)
    assert not waiting.has_room(bounds.ROWS, 0)
    assert waiting.refused == 1 + bounds.ROWS
    assert waiting.rows == 2
    assert len(waiting.take(1)) == 1
    assert waiting.has_room(1, 1)
    waiting.close()
    assert waiting.rows == 0
    assert not waiting.has_room(1, 1)
    assert waiting.refused == 3 + bounds.ROWS


def test_what_is_asked_for_is_read_as_it_was_told_and_unknown_keys_are_passed_over() -> None:
    place = {"to": "/logs", "shown": "/logs", "project": "p", "environment": "dev"}
    asked = Asked(**place, service="toy", without=frozenset({"b", "a"}), share=0.5)
    text = asked.variable()
    assert Asked.model_validate_json(text) == asked
    assert '"without":["a","b"]' in text
    newer = text.replace("{", '{"key_of_next_year":1,', 1)
    assert Asked.model_validate_json(newer) == asked
