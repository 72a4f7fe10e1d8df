"""Part `policy`: each kind of bad file is told by the rule or tool that is there for it."""

import shutil

import pytest

from mlops.checks import policy
from mlops.checks.policy import run
from mlops.checks.workflow_rules import unlimited, unpinned
from tests.checks.contexts import context_of, told
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
GOOD = """name: Pull request
on: pull_request
permissions: {}
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: "true"
"""
POD = """apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  hostPID: true
  containers: []
"""


def put(team: Team, reason: str, file: str, path: str) -> str:
    """Copy a fixture's file into the clone; the message that is expected."""
    (team.root / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(INVALID / reason / file, team.root / path)
    return (INVALID / reason / "message.txt").read_text()


def test_a_binary_file_where_yaml_is_expected_is_told_once(team: Team) -> None:
    path = "environments/dev/toy/settings.yaml"
    expected = put(team, "check-binary-yaml", "settings.yaml", path)
    found = run(context_of(team, "policy"))
    assert (found.outcome, told(found)) == ("not good", expected)


def test_a_workflow_with_unpinned_actions_is_told_by_place(team: Team) -> None:
    path = ".github/workflows/pr.yaml"
    expected = put(team, "check-unpinned-action", "pr.yaml", path)
    text = (team.root / path).read_text()
    assert "".join(f"{problem}\n" for problem in unpinned(path, text)) == expected
    found = run(context_of(team, "policy"))
    assert found.outcome == "not good"
    assert expected in told(found)
    assert "zizmor: unpinned-uses" not in told(found)  # once is enough


def test_what_is_pinned_with_its_version_and_what_is_local_are_fine() -> None:
    commit = "5fda3b95a4ea91299a34e894583c3862153e4b97"
    digest = f"sha256:{'0' * 64}"
    text = f"""jobs:
  one:
    uses: ./.github/workflows/reusable-plan.yaml
  two:
    steps:
      - uses: actions/setup-python@{commit} # v7.0.0
      - {{uses: "actions/setup-python/sub@{commit}"}} # 7
      - uses: docker://alpine@{digest}
"""
    told_of = unpinned("pr.yaml", text)
    assert [problem.path for problem in told_of] == ["pr.yaml:7"]  # the comment is not beside it


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (GOOD, None),
        (GOOD.replace("permissions: {}\n", ""), "pr.yaml:1"),
        (GOOD.replace("permissions: {}", "permissions: write-all"), "pr.yaml:3"),
        (GOOD.replace("permissions: {}", "permissions: {contents: read}"), "pr.yaml:3"),
        ("jobs: [", None),
    ],
)
def test_a_workflow_starts_from_no_permission_at_all(text: str, path: str | None) -> None:
    assert [problem.path for problem in unlimited("pr.yaml", text)] == ([path] if path else [])


def test_each_tool_tells_what_is_its_matter(team: Team) -> None:
    team.write(".github/workflows/pr.yaml", GOOD.replace('run: "true"', "run:  1\n        x: y"))
    team.write(".github/actions/one/action.yaml", "name: one\nruns: {using: strange}\n")
    team.write("models/toy-line/model.yaml", "model: [\n")
    team.write("infra/other.yaml", "a:   1\n")
    said = told(run(context_of(team, "policy")))
    assert ".github/workflows/pr.yaml:8: yamllint: too many spaces after colon" in said
    assert ".github/workflows/pr.yaml: schema: $.jobs.one" in said
    assert ".github/actions/one/action.yaml: schema: $.runs" in said
    assert "models/toy-line/model.yaml: is not valid YAML (line 2" in said
    assert "models/toy-line/model.yaml:" in said
    assert "infra/other.yaml:1: yamllint" in said


def test_files_that_are_wrong_on_purpose_are_left_alone(team: Team) -> None:
    team.write("tests/fixtures/invalid/one/bad.yaml", "a:   [\n")
    assert run(context_of(team, "policy")).outcome == "good"


def test_a_quick_run_says_what_it_left_out(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "ACTIONLINT", team.root / "absent")
    monkeypatch.setattr(policy, "CHECKOV", team.root / "absent")
    team.write(".github/workflows/pr.yaml", GOOD)
    found = run(context_of(team, "policy"))
    assert found.outcome == "good"
    assert "left out: actionlint (absent is not installed)" in found.summary
    assert found.summary.endswith("; `mlops check --part policy` looks at all")


@pytest.mark.slow
def test_a_job_of_this_part_is_not_evaluated_without_a_tool(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "ACTIONLINT", team.root / "absent")
    team.write(".github/workflows/pr.yaml", GOOD)
    found = run(context_of(team, "policy", quick=False))
    assert found.outcome == "not evaluated"
    assert found.problems[0].path == "actionlint"


@pytest.mark.slow
def test_a_secret_is_told_by_its_place_whatever_the_file_is_named(team: Team) -> None:
    planted = "ghp_" + "x7Qz" * 9
    team.write("apps/toy/-notes", f"first\nremember {planted}\n")
    said = told(run(context_of(team, "policy", quick=False)))
    assert "apps/toy/-notes:2: detect-secrets: looks like a secret (GitHub Token); take it" in said
    assert planted not in said


@pytest.mark.slow
def test_checkov_and_actionlint_are_made_and_tell_what_is_theirs(team: Team) -> None:
    step = "run: echo ${{ github.event.pull_request.title }}"
    team.write(".github/workflows/pr.yaml", GOOD.replace('run: "true"', step))
    team.write("environments/dev/toy/manifests.yaml", POD)
    said = told(run(context_of(team, "policy", quick=False)))
    assert ".github/workflows/pr.yaml:8: actionlint: " in said
    assert "checkov: CKV_GHA_2 " in said
    assert "environments/dev/toy/manifests.yaml:1: checkov: CKV_K8S_17 " in said
