"""The service as its users meet it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlops.data.contract import read_contract
from mlops.repository import Repository
from tests.data.rows import good_rows
from tests.serving.one_code import agree
from tests.serving.shipped import Served, answers_the_example, example_is_a_record, served
from tests.serving.toy import body
from tests.team import ROOT

NAME = "bike-demand"
DATA = read_contract(Repository.at(ROOT), "bike-rentals")
LATEST = 21
"""Hour that the small model's limits end with, before Record's do."""


def test_the_example_is_a_row_the_model_takes() -> None:
    assert example_is_a_record(NAME)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), NAME, {"hr": LATEST}) as found:
        yield found


@pytest.mark.slow
def test_it_answers_the_example_as_the_model_does(service: Served) -> None:
    answers_the_example(service, NAME)
    assert "hour of the day" in service.client.get("/docs.json").text


@pytest.mark.slow
@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(good_rows(DATA), min_size=1, max_size=20))
def test_training_and_serving_make_the_same_of_any_rows_that_the_contract_allows(
    service: Served, rows: list[dict[str, Any]]
) -> None:
    agree(DATA, rows, service.offline, service.client)


@pytest.mark.slow
def test_a_feature_outside_its_contract_is_answered_and_counted(service: Served) -> None:
    example = Repository.at(ROOT).service(NAME).example
    before = counted(service, "hr")
    rows = [{**example, "hr": hour} for hour in (LATEST - 1, LATEST, LATEST + 1, LATEST + 2)]
    assert service.client.post("/predict", content=body(*rows)).status_code == 200
    assert counted(service, "hr") == before + 2
    assert counted(service, "temp") == 0


def counted(service: Served, feature: str) -> float:
    name = f'mlops_features_outside_total{{feature="{feature}",model="{NAME}",release="2"}} '
    lines = service.client.get("/metrics").text.splitlines()
    (line,) = [line for line in lines if line.startswith(name)]
    return float(line.removeprefix(name))
