"""The graph of a pipeline: each step after those that write what it reads."""

import pytest

from mlops.errors import BadInput
from mlops.pipelines.graph import Pipeline, pipeline_of, raw_files
from tests.derived import NAME, add_derived, add_ingested, learn_from
from tests.search.toy import SEARCH, SPEC, add
from tests.team import Team

FILE = "2024-01.csv"
RAW = {"toy-points": [FILE]}


@pytest.mark.parametrize("propose", [False, True])
@pytest.mark.parametrize("raw", [{}, RAW])
def test_each_step_comes_after_those_that_write_what_it_reads(
    team: Team, raw: dict[str, list[str]], propose: bool
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


def test_data_made_of_others_is_derived_after_an_ingest_or_in_its_place(team: Team) -> None:
    add_derived(team, of=("toy-points", "toy-other"))
    add_ingested(team, "toy-other")
    add_derived(team, "toy-few", of=(NAME,))
    learn_from(team, "toy-few")
    last = ["validate-toy-few", "train-toy-line", "evaluate-toy-line", "score-toy-line"]
    pipeline = pipeline_of(team.repo, "toy-line", propose=True)
    assert names(pipeline) == [f"derive-{NAME}", "derive-toy-few", *last]
    pipeline = pipeline_of(team.repo, "toy-line", {"toy-other": [FILE]}, propose=True)
    given = ["ingest-toy-other", "validate-toy-other", "propose-toy-few"]
    assert names(pipeline) == [*given, f"derive-{NAME}", "derive-toy-few", *last]
    after = {step.name: [each.name for each in pipeline.after(step)] for step in pipeline.steps}
    assert after["propose-toy-few"] == after[f"derive-{NAME}"] == ["validate-toy-other"]
    assert after["derive-toy-few"] == [f"derive-{NAME}"]


def test_a_raw_file_goes_into_the_one_dataset_or_says_into_which_of_several(team: Team) -> None:
    add_derived(team)
    learn_from(team, NAME)
    assert raw_files(team.repo, "toy-line", ["a=1.csv", "b.csv"]) == {
        "toy-points": ["a=1.csv", "b.csv"]
    }
    add_ingested(team, "toy-other")
    add_derived(team, of=("toy-points", "toy-other"))
    given = ["toy-other=a.csv", "toy-points=b.csv", "toy-other=c.csv"]
    assert raw_files(team.repo, "toy-line", given) == {
        "toy-other": ["a.csv", "c.csv"],
        "toy-points": ["b.csv"],
    }
    with pytest.raises(BadInput) as refused:
        raw_files(team.repo, "toy-line", ["a.csv"])
    assert str(refused.value) == (
        "--raw: 'a.csv' does not say which data of toy-line it is: toy-points, toy-other; "
        "write --raw toy-points=a.csv"
    )


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


def names(pipeline: Pipeline) -> list[str]:
    return [step.name for step in pipeline.steps]


def verbs(pipeline: Pipeline) -> list[str]:
    return [step.verb for step in pipeline.steps]
