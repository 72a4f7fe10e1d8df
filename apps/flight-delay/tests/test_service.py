"""The service as its users meet it."""

from pathlib import Path

import pytest

from tests.serving.shipped import answers_the_example, example_is_a_record, served

NAME = "flight-delay"


def test_the_example_is_a_row_the_model_takes() -> None:
    assert example_is_a_record(NAME)


@pytest.mark.slow
def test_it_answers_the_example_as_the_model_does(tmp_path: Path) -> None:
    with served(tmp_path, NAME) as found:
        answers_the_example(found, NAME)
        assert "of the planned departure, local time" in found.client.get("/docs.json").text
