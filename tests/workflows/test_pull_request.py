"""pr.yaml, run for real: the plan, the shares, the report and the gate."""

import re

import pytest

from tests.team import Team
from tests.workflows.harness import Ran, add_template, pin_data, run

pytestmark = pytest.mark.slow
MODEL = "models/toy-line/model.yaml"
CONTRACT = "data-contracts/toy-points.odcs.yaml"
# In a shell each of these would leave a file beside the run's folder.
SENTINEL = "${RUN_WORKFLOW_OUT}.pwned"
BRANCH = "$(touch${IFS}" + SENTINEL + ")"
TITLE = f'"; touch {SENTINEL}; echo "$(touch {SENTINEL})`touch {SENTINEL}` ${{{{ github.token }}}}'
NAMES = (f"$(touch {SENTINEL}).md", f"`touch {SENTINEL}`.md", f"'; touch {SENTINEL}; '.md", "-rf.md",
         "::error::a\nmatrix={}\n.md")  # fmt: skip


@pytest.fixture
def fork(team: Team) -> Team:
    """A project with the template's workflows and a pinned month of data."""
    add_template(team)
    pin_data(team)
    team.commit("Start with the template")
    return team


def pull_request(team: Team, *, title: str = "A change") -> Ran:
    """The workflow of a pull request from the branch checked out."""
    return run(team, "pull_request", "pr.yaml", payload={"pull_request": {"title": title}})


def change(team: Team, old: str, new: str, path: str = MODEL) -> None:
    """Change the model's file, or another."""
    text = (team.root / path).read_text()
    assert old in text
    team.write(path, text.replace(old, new))


def test_one_model_is_planned_checked_and_reported(fork: Team) -> None:
    fork.git("switch", "--quiet", "--create", "another-seed")
    change(fork, "seed: 3", "seed: 4")
    change(fork, "with noise", "with a little noise", CONTRACT)
    change(fork, "version: 1.0.0", "version: 1.0.1", CONTRACT)
    fork.commit("Try another seed, and say what the data is", push=False)
    ran = pull_request(fork)
    assert ran.code == 0, ran.log
    found = ran.results()
    assert {name.partition("-")[0] for name in found} >= {"models", "policy"}
    assert {result["outcome"] for result in found.values()} == {"good"}
    assert [m["evidence"]["model"] for m in found["models-1-of-1"]["models"]] == ["toy-line"]
    assert "toy-line" in ran.summary
    (page,) = ran.out.glob("artifacts/*/results-contracts-1-of-1/data-toy-points.html")
    assert "Good: all " in page.read_text()
    (comment,) = ran.out.glob("artifacts/*/report/comment.md")
    where = r"\[`data-toy-points\.html`\]\(<https?://\S+/actions/runs/\d+#artifacts>\)"
    link = rf"{where} in `results-contracts-1-of-1` \|"
    assert re.search(link, comment.read_text()), comment.read_text()
    assert (comment.parent / page.name).read_bytes() == page.read_bytes()


def test_a_gate_that_is_not_met_closes_the_gate_and_hostile_names_reach_no_shell(
    fork: Team,
) -> None:
    fork.git("switch", "--quiet", "--create", BRANCH)
    change(fork, "{metric: mae, max: 3.0}", "{metric: mae, max: 0.1}")
    for name in NAMES:
        fork.write(f"models/toy-line/{name}", "words\n")
    fork.commit(TITLE, push=False)
    ran = pull_request(fork, title=TITLE)
    assert ran.code == 1
    # Of the matrix act sometimes tells the result of the leg that ended last.
    assert re.search(r"found:  plan success, check \w+, report failure", ran.log), ran.log
    assert ran.results()["models-1-of-1"]["outcome"] == "not good"
    assert "absolute mae" in ran.summary
    assert not list(ran.out.parent.glob("*.pwned")), ran.log
    assert "token" not in ran.summary


def test_words_alone_are_planned_and_nothing_else(fork: Team) -> None:
    fork.git("switch", "--quiet", "--create", "words")
    fork.write("README.md", "words\n")
    fork.commit("Words", push=False)
    ran = pull_request(fork)
    assert ran.code == 0, ran.log
    assert ran.artifacts == []
    assert ran.results() == {}
    assert ran.jobs() == {"plan/Plan/plan", "Pull request/checks-pass"}
