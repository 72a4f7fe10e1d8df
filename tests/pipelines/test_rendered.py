"""infra/workflows: what Argo Workflows runs is what a laptop runs, and is current."""

import re
from typing import Any

import pytest
import yaml
from hera.workflows import models as argo
from pydantic import BaseModel, ValidationError

from mlops.errors import BadInput
from mlops.pipelines import rendered
from mlops.pipelines.graph import pipeline_of
from mlops.pipelines.names import RAW
from mlops.repository import Repository
from tests.derived import NAME, add_derived, add_ingested, learn_from
from tests.search.toy import SEARCH
from tests.strict_schemas import problems
from tests.team import ROOT, Team

MODEL = "models/toy-line/model.yaml"
FILE, ALL, ACCESS, IMAGE = (
    f"infra/workflows/{name}.yaml"
    for name in ("pipeline-toy-line", "all-pipelines", "access", "pipelines")
)
REPOSITORY = '\n[argocd]\nrepository = "https://forge.example/team/toy.git"\n'
SEARCHING = (("tune", "-part"), ("tune", ""), ("suggest", ""))
KINDS: dict[str, type[BaseModel]] = {
    "WorkflowTemplate": argo.WorkflowTemplate,
    "CronWorkflow": argo.CronWorkflow,
}


@pytest.fixture
def watched(team: Team) -> Team:
    """A project of which mlops.toml says where a cluster reads it."""
    add(team, "mlops.toml", REPOSITORY)
    return team


def add(team: Team, path: str, text: str) -> None:
    team.write(path, (team.root / path).read_text() + text)


def documents(text: str | None) -> list[dict[str, Any]]:
    assert text is not None
    return list(yaml.safe_load_all(text))


def dag_of(template: dict[str, Any]) -> dict[str, Any]:
    (dag,) = (each["dag"] for each in template["spec"]["templates"] if "dag" in each)
    return {task["name"]: task for task in dag["tasks"]}


def strictly(document: dict[str, Any]) -> None:
    """By the models of Argo Workflows, or Kubernetes' own; an unknown field is an error."""
    if document["kind"] in KINDS:
        KINDS[document["kind"]].model_validate(document, extra="forbid")
    else:
        assert problems(document) == []


def test_the_shipped_files_are_current_and_valid() -> None:
    repo = Repository.at(ROOT)
    assert rendered.stale(repo) == {}
    paths = [path for path in repo.tree.files(rendered.FOLDER) if rendered.is_rendered(path)]
    assert len(paths) > len(repo.models())
    for path in paths:
        for document in documents((repo.tree.read(path) or b"").decode()):
            strictly(document)


def test_a_field_that_argo_workflows_does_not_know_is_found(watched: Team) -> None:
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    strictly(template)
    template["spec"]["templates"][0]["container"]["arg"] = ["x"]
    with pytest.raises(ValidationError, match="arg"):
        strictly(template)


def test_each_step_calls_the_line_that_a_laptop_calls(watched: Team) -> None:
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    pods = {
        each["name"]: tuple(each["container"]["args"])
        for each in template["spec"]["templates"]
        if "container" in each
    }
    told = pods.pop("tell-forge")
    assert told == ("pipeline", "tell", "toy-line", "--status", "{{workflow.status}}")
    pipeline = pipeline_of(watched.repo, "toy-line", {"toy-points": [RAW]}, propose=True)
    assert pods == {step.name: step.line for step in pipeline.steps}
    after = {name: task.get("depends", "") for name, task in dag_of(template).items()}
    for step in pipeline.steps:
        assert all(each.name in after[step.name] for each in pipeline.after(step))


def test_a_search_is_made_by_as_many_pods_as_it_has_workers_and_only_when_asked(
    watched: Team,
) -> None:
    add(watched, MODEL, SEARCH.replace("trials: 6", "trials: 6\n  workers: 3"))
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    strictly(template)
    tasks = dag_of(template)
    part, tune, suggest = (tasks[f"{name}-toy-line{end}"] for name, end in SEARCHING)
    asked = "'{{workflow.parameters.tune}}' == 'true'"
    assert [task["when"] for task in (part, tune, suggest)] == [asked] * 3
    assert part["withSequence"] == {"start": 1, "end": 3}
    assert {"name": "share", "value": "{{item}}/3"} in part["arguments"]["parameters"]
    assert tune["depends"] == "tune-toy-line-part.Succeeded"
    assert part["depends"] == "validate-toy-points.Succeeded"
    pods = {each["name"]: each["container"] for each in template["spec"]["templates"][:-1]}
    assert pods["tune-toy-line-part"]["args"] == [
        *("tune", "toy-line", "--share", "{{inputs.parameters.share}}")
    ]
    # The model's own code runs in the first two; what may write to the forge is in neither.
    assert "env" not in pods["tune-toy-line-part"]
    assert "env" not in pods["tune-toy-line"]
    assert "FORGE_TOKEN" in [each["name"] for each in pods["suggest-toy-line"]["env"]]


def test_a_search_of_one_worker_is_one_pod(watched: Team) -> None:
    add(watched, MODEL, SEARCH)
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    strictly(template)
    tasks = dag_of(template)
    assert "tune-toy-line-part" not in tasks
    assert tasks["tune-toy-line"]["depends"] == "validate-toy-points.Succeeded"


def test_pods_have_no_rights_no_root_and_an_end(watched: Team) -> None:
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    spec = template["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["synchronization"]["mutexes"] == [{"name": "toy-line"}]
    assert spec["templateDefaults"]["container"]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    # A cluster gives a number no name, and libraries ask for one.
    assert {"name": "USER", "value": "pipelines"} in spec["templateDefaults"]["container"]["env"]
    pods = [each for each in spec["templates"] if "container" in each]
    assert {each["activeDeadlineSeconds"] for each in pods} == {3600}
    tokens = {
        each["name"]
        for each in spec["templates"]
        for one in each.get("container", {}).get("env", [])
        if one["name"] == "FORGE_TOKEN"
    }
    assert tokens == {"propose-toy-points", "tell-forge"}


def test_pods_are_tried_again_and_the_graph_of_them_is_not(watched: Team) -> None:
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    # What stands there goes for a graph, too.
    assert set(template["spec"]["templateDefaults"]) == {"container"}
    for each in template["spec"]["templates"]:
        assert ("retryStrategy" in each) == ("container" in each)
        # It would count from the first start, and so end or forbid the next one of a long step.
        assert "maxDuration" not in each.get("retryStrategy", {}).get("backoff", {})


def test_all_pipelines_starts_a_run_of_each_and_nothing_else_may(watched: Team) -> None:
    found = rendered.stale(watched.repo)
    (template,) = documents(found[ALL])
    strictly(template)
    ready, start, graph = template["spec"]["templates"]
    run = yaml.safe_load(start["resource"]["manifest"])
    assert run["spec"]["workflowTemplateRef"] == {"name": "pipeline-{{inputs.parameters.model}}"}
    # Which models have data is what the revision says; only the start of their runs has a token.
    assert ready["container"]["args"] == ["pipeline", "ready", "--json"]
    assert ready["automountServiceAccountToken"] is False
    assert ready["serviceAccountName"] != template["spec"]["serviceAccountName"]
    first, each = graph["dag"]["tasks"]
    assert each["withParam"] == f"{{{{tasks.{first['name']}.outputs.result}}}}"
    assert each["arguments"]["parameters"] == [{"name": "model", "value": "{{item}}"}]
    token, account, role, binding = documents(found[ACCESS])
    assert "data" not in token
    assert account["metadata"]["name"] == template["spec"]["serviceAccountName"]
    assert role["rules"][0] == {
        "apiGroups": ["argoproj.io"],
        "resources": ["workflows"],
        "verbs": ["create", "get"],
    }
    assert [each["name"] for each in binding["subjects"]] == [account["metadata"]["name"]]


def test_the_step_that_commits_says_who_does(watched: Team) -> None:
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    authors = {
        each["name"]: one["value"]
        for each in template["spec"]["templates"]
        for one in each.get("container", {}).get("env", [])
        if one["name"] == "GIT_COMMITTER_NAME"
    }
    assert authors == {"propose-toy-points": "pipelines"}


def test_predictions_are_kept_from_where_the_project_puts_them(watched: Team) -> None:
    file = watched.root / "mlops.toml"
    file.write_text(re.sub('root = ".*"', 'root = "./of/ours"', file.read_text()))
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    (score,) = (each for each in template["spec"]["templates"] if each["name"] == "score-toy-line")
    (kept,) = score["outputs"]["artifacts"]
    assert kept["path"] == "/work/of/ours/predictions/toy-line"


def test_settings_of_a_model_and_a_project_reach_it(watched: Team) -> None:
    digest = f"registry.example/pipelines@sha256:{'a' * 64}"
    add(watched, "mlops.toml", f'[workflows]\nimage = "{digest}"\ngit_login = "reader"\n')
    add(
        watched,
        MODEL,
        "pipeline: {schedule: '0 4 * * 1', timeout_minutes: 5, cpu: 500m, memory: 3Gi}\n",
    )
    found = rendered.stale(watched.repo)
    template, cron = documents(found[FILE])
    for document in (template, cron):
        strictly(document)
    every = template["spec"]["templateDefaults"]
    assert template["spec"]["templates"][0]["activeDeadlineSeconds"] == 300
    assert every["container"]["resources"]["requests"] == {"cpu": "500m", "memory": "3Gi"}
    assert cron["spec"]["schedules"] == ["0 4 * * 1"]
    git = template["spec"]["templates"][0]["inputs"]["artifacts"][0]["git"]
    assert git["passwordSecret"] == {"name": "reader", "key": "password"}
    (image,) = documents(found[IMAGE])
    assert problems(image) == []
    assert image["data"] == {"image": digest}


def test_a_change_of_one_model_looks_at_that_one_alone(watched: Team) -> None:
    for path, text in rendered.stale(watched.repo).items():
        watched.write(path, text or "")
    assert rendered.stale(watched.repo) == {}
    watched.write(
        "models/other/model.yaml",
        (watched.root / MODEL).read_text().replace("toy-line", "other"),
    )
    watched.write(FILE, "edited: by hand\n")
    other = "infra/workflows/pipeline-other.yaml"
    assert set(rendered.stale(watched.repo, ["models/other/model.yaml"])) == {other}
    assert set(rendered.stale(watched.repo, [FILE])) == {FILE}


def test_of_data_made_of_several_each_has_a_raw_file_that_a_run_may_bring(watched: Team) -> None:
    add_derived(watched, of=("toy-points", "toy-other"))
    learn_from(watched, NAME)
    add_ingested(watched, "toy-other")
    (template,) = documents(rendered.stale(watched.repo)[FILE])
    strictly(template)
    given = [each["name"] for each in template["spec"]["arguments"]["parameters"]]
    assert given == ["revision", "raw-toy-points", "raw-toy-other", "tune", "image"]
    tasks = dag_of(template)
    points, other = (
        f"'{{{{workflow.parameters.raw-{name}}}}}' != ''" for name in ("toy-points", "toy-other")
    )
    assert {name: task.get("when") for name, task in tasks.items()} == {
        "ingest-toy-points": points,
        "validate-toy-points": points,
        "ingest-toy-other": other,
        "validate-toy-other": other,
        f"propose-{NAME}": f"{points} || {other}",
        f"derive-{NAME}": None,
        f"validate-{NAME}": None,
        "train-toy-line": None,
        "evaluate-toy-line": None,
        "score-toy-line": None,
    }
    derive = tasks[f"derive-{NAME}"]
    assert derive["depends"] == " && ".join(
        f"(validate-{name}.Succeeded || validate-{name}.Skipped)"
        for name in ("toy-points", "toy-other")
    )
    assert [each["from"] for each in derive["arguments"]["artifacts"]] == [
        f"{{{{tasks.ingest-{name}.outputs.artifacts.pin-{name}}}}}"
        for name in ("toy-points", "toy-other")
    ]
    (pod,) = (each for each in template["spec"]["templates"] if each["name"] == "ingest-toy-other")
    keys = [each["s3"]["key"] for each in pod["inputs"]["artifacts"] if "s3" in each]
    assert keys == ["{{workflow.parameters.raw-toy-other}}"]


def test_what_a_dataset_is_made_of_decides_the_pipelines_that_learn_from_it(watched: Team) -> None:
    add_derived(watched)
    learn_from(watched, NAME)
    for path, text in rendered.stale(watched.repo).items():
        watched.write(path, text or "")
    add_ingested(watched, "toy-other")
    add_derived(watched, of=("toy-points", "toy-other"))
    contract = f"data-contracts/{NAME}.odcs.yaml"
    assert rendered.concerns(contract)
    assert set(rendered.stale(watched.repo, [contract])) == {FILE}
    assert rendered.stale(watched.repo, ["data-contracts/toy-other.odcs.yaml"]).keys() == {FILE}


def test_the_file_of_a_model_that_is_gone_is_removed(watched: Team) -> None:
    watched.write("infra/workflows/pipeline-gone.yaml", "kind: WorkflowTemplate\n")
    found = rendered.stale(watched.repo)
    path = "infra/workflows/pipeline-gone.yaml"
    assert found[path] is None
    assert str(rendered.stale_problem(watched.repo, path, None)) == (
        f"{path}: belongs to no model; run `mlops render` and commit the result, never edit it "
        "by hand"
    )


def test_without_a_repository_there_are_none(team: Team) -> None:
    assert rendered.stale(team.repo) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "{schedule: daily}",
            (
                f'{MODEL}: `pipeline.schedule` is "daily", not a schedule; write five fields in UTC: '
                "minute, hour, day, month, weekday, as `0 4 * * 1`"
            ),
        ),
        (
            "{memory: 2 GB}",
            (
                f'{MODEL}: `pipeline.memory` is "2 GB", not an amount of memory; write it as `2Gi` or '
                "`512Mi`"
            ),
        ),
        (
            "{cpu: many}",
            (
                f'{MODEL}: `pipeline.cpu` is "many", not an amount of processors; write it as `2` or '
                "`500m`"
            ),
        ),
    ],
)
def test_settings_that_no_cluster_takes_are_refused(
    watched: Team, given: str, message: str
) -> None:
    add(watched, MODEL, f"pipeline: {given}\n")
    with pytest.raises(BadInput) as refused:
        rendered.stale(watched.repo)
    assert [str(each) for each in refused.value.problems] == [message]
