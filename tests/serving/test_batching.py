"""Requests that come together are scored together, and nobody notices."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlops.bento import scorer
from mlops.serving.batching import Batcher
from tests.serving.toy import MODEL, Toy, rows

SIZES = st.lists(st.integers(0, 20), min_size=1, max_size=12)


class Counted:
    """Doubles numbers; refuses negative ones; remembers how many it was called with."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, records: Sequence[Any]) -> NDArray[np.float64]:
        self.calls.append(len(records))
        if any(record < 0 for record in records):
            raise ValueError("negative")
        return np.array(records, dtype=np.float64) * 2


async def together(batcher: Batcher, requests: Sequence[Sequence[Any]]) -> list[Any]:
    return await asyncio.gather(*map(batcher.score, requests), return_exceptions=True)


def test_requests_of_one_turn_of_the_loop_are_one_call() -> None:
    score = Counted()
    assert asyncio.run(together(Batcher(score), [[1], [2, 3], []])) == [[2], [4, 6], []]
    assert score.calls == [3]


def test_an_error_reaches_the_caller_whose_rows_it_was_and_nobody_else() -> None:
    answers = asyncio.run(together(Batcher(Counted()), [[1], [-2, 3], [4]]))
    assert answers[0] == [2]
    assert isinstance(answers[1], ValueError)
    assert answers[2] == [8]


def test_a_caller_that_gave_up_does_not_disturb_the_others() -> None:
    async def story() -> list[float]:
        batcher = Batcher(Counted())
        gone = asyncio.create_task(batcher.score([1]))
        stays = asyncio.create_task(batcher.score([2]))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(story()) == [4]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1))
def test_a_prediction_has_the_same_bits_alone_and_in_any_batch(
    toy: Toy, sizes: list[int], seed: int
) -> None:
    model = scorer(toy.bento.path, MODEL, toy.model.digest)
    points = [model.features.record(**row) for row in rows(sum(sizes), seed)]
    ends = np.cumsum(sizes)
    requests = [points[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    batched = asyncio.run(together(Batcher(model.score), requests))
    alone = [[model.score([point])[0].hex() for point in request] for request in requests]
    assert [[value.hex() for value in answer] for answer in batched] == alone
