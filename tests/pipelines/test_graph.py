"""The graph of a pipeline: each step after those that write what it reads."""

import pytest

from mlops.errors import BadInput
from mlops.pipelines.graph import Pipeline, pipeline_of, refuse_raw
from tests.derived import NAME, add_derived
from tests.search.toy import SEARCH, SPEC, add
from tests.team import Team

RAW = ["2024-01.csv"]


@pytest.mark.parametrize("propose", [False, True])
@pytest.mark.parametrize("raw", [[], RAW])
def test_each_step_comes_after_those_that_write_what_it_reads(
    team: Team, raw: list[str], propose: bool
) -> None:
    add(team, SPEC, SEARCH)
    pipeline = pipeline_of(team.repo, "toy-line", raw, propose=propose, tune=True)
    there = {data for step in pipeline.steps for data in step.reads if data.kind == "raw"}
    if not raw:
        there |= {data for step in pipeline.steps for data in step.reads if data.kind == "dataset"}
    for step in pipeline.steps:
        assert set(step.reads) <= there, step.name
        assert there.isdisjoint(step.writes), "nothing is written twice"
        there |= set(step.writes)


def test_an_ingest_and_its_proposal_are_in_it_only_when_there_is_something_to_ingest(
    team: Team,
) -> None:
    assert verbs(pipeline_of(team.repo, "toy-line", propose=True)) == [
        *("validate", "train", "evaluate", "score")
    ]
    assert verbs(pipeline_of(team.repo, "toy-line", RAW, propose=True)) == [
        *("ingest", "validate", "propose", "train", "evaluate", "score")
    ]


def test_a_step_names_only_the_nearest_before_it(team: Team) -> None:
    pipeline = pipeline_of(team.repo, "toy-line", RAW)
    after = {step.name: [each.name for each in pipeline.after(step)] for step in pipeline.steps}
    assert after == {
        "ingest-toy-points": [],
        "validate-toy-points": ["ingest-toy-points"],
        "train-toy-line": ["validate-toy-points"],
        "evaluate-toy-line": ["train-toy-line"],
        "score-toy-line": ["evaluate-toy-line"],
    }


def test_data_made_of_others_is_derived_in_place_of_an_ingest(team: Team) -> None:
    learn_from_derived(team)
    pipeline = pipeline_of(team.repo, "toy-line", RAW, propose=True)
    assert verbs(pipeline) == ["derive", "validate", "train", "evaluate", "score"]
    derive = pipeline.steps[0]
    assert derive.line == ("data", "derive", NAME)
    assert [str(each) for each in derive.reads] == ["dataset toy-points"]
    assert pipeline == pipeline_of(team.repo, "toy-line")


def test_a_raw_file_for_data_made_of_others_is_refused(team: Team) -> None:
    learn_from_derived(team)
    with pytest.raises(BadInput) as refused:
        refuse_raw(team.repo, "toy-line")
    assert str(refused.value) == (
        f"--raw: is not for toy-line: its data {NAME} is made of toy-points; "
        "mlops data ingest one of these, then run without --raw"
    )


def learn_from_derived(team: Team) -> None:
    add_derived(team)
    path = "models/toy-line/model.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace("dataset: toy-points", f"dataset: {NAME}"))


def test_a_search_is_in_it_when_it_is_asked_for_and_model_yaml_has_one(team: Team) -> None:
    steps = ["validate", "train", "evaluate", "score"]
    assert verbs(pipeline_of(team.repo, "toy-line", tune=True)) == steps
    add(team, SPEC, SEARCH)
    assert verbs(pipeline_of(team.repo, "toy-line")) == steps
    assert verbs(pipeline_of(team.repo, "toy-line", tune=True)) == [*steps, "tune"]
    whole = pipeline_of(team.repo, "toy-line", propose=True, tune=True)
    assert verbs(whole) == [*steps, "tune", "suggest"]
    after = {step.verb: [each.verb for each in whole.after(step)] for step in whole.steps}
    assert (after["tune"], after["suggest"]) == (["validate"], ["tune"])


def verbs(pipeline: Pipeline) -> list[str]:
    return [step.verb for step in pipeline.steps]
