"""Reusable workflows in a repository that does not hold the template.

The harness cannot check out another repository, nor call a workflow of one. So the template is
a branch of the caller's repository that shares nothing with its main branch; what runs is that
branch's set-up and tool, beside files that hold neither.
"""

import shutil

import pytest

from tests.team import ROOT, Team
from tests.workflows.harness import add_template, pin_data, run

pytestmark = pytest.mark.slow
CALLER = """\
name: Theirs
on: pull_request
permissions: {}
jobs:
  plan:
    permissions:
      contents: read
    uses: ./.github/workflows/reusable-plan.yaml
    with:
      template-ref: TEMPLATE
  check:
    needs: plan
    permissions:
      contents: read
      id-token: write
    uses: ./.github/workflows/reusable-check.yaml
    with:
      template-ref: TEMPLATE
      matrix: '{"include": [{"part": "models", "shard": 1, "of": 1}]}'
  # The harness gets ready only what a file of this repository names, and these are named in
  # the template's set-up action.
  never:
    if: false
    runs-on: ubuntu-latest
    steps:
NAMED
"""
CALLED = ("reusable-plan.yaml", "reusable-check.yaml")


def caller(template: str) -> str:
    """Their workflow, calling the template at a commit."""
    action = (ROOT / ".github/actions/setup/action.yaml").read_text()
    named = [line.strip() for line in action.splitlines() if line.strip().startswith("uses: ")]
    steps = "\n".join(f"      - {line}" for line in named)
    return CALLER.replace("TEMPLATE", template).replace("NAMED", steps)


def template_branch(team: Team) -> str:
    """A branch of its own that holds the template, and its commit."""
    team.git("switch", "--quiet", "--orphan", "template")
    add_template(team)
    shutil.copytree(team.root.parent / "requirements", team.root / "requirements")
    commit = team.commit("The template", push=False)
    team.git("switch", "--quiet", "main")
    return commit


def test_a_foreign_repository_checks_its_own_files_with_the_templates_tool(team: Team) -> None:
    (team.root / "requirements").rename(team.root.parent / "requirements")
    pin_data(team)
    team.commit("Only their own files")
    commit = template_branch(team)
    for name in CALLED:
        content = team.git("show", f"template:.github/workflows/{name}")
        team.write(f".github/workflows/{name}", content + "\n")
    team.write(".github/workflows/theirs.yaml", caller(commit))
    team.commit("Call the template's workflows")
    assert not (team.root / "scripts").exists()
    team.git("switch", "--quiet", "--create", "another-seed")
    model = (team.root / "models/toy-line/model.yaml").read_text()
    team.write("models/toy-line/model.yaml", model.replace("seed: 3", "seed: 4"))
    team.commit("Try another seed", push=False)
    ran = run(team, "pull_request", "theirs.yaml")
    assert ran.code == 0, ran.log
    assert "models       toy-line" in ran.log
    assert ran.results()["models-1-of-1"]["outcome"] == "good"
