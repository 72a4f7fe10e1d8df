"""The service as its users meet it."""

from pathlib import Path

import pytest

from tests.serving.shipped import asked, example_is_a_record

NAME = "bike-demand"


def test_the_example_is_a_row_the_model_takes() -> None:
    assert example_is_a_record(NAME)


@pytest.mark.slow
def test_it_answers_the_example_as_the_model_does(tmp_path: Path) -> None:
    found = asked(tmp_path, NAME)
    assert found.answer == {"release": 2, "predictions": found.predictions}
    assert "hour of the day" in found.described
