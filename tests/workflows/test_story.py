"""The main story, on a real forge: from a branch to staging and back, each workflow really run.

People and pull requests are a real Gitea's. What GitHub does by a workflow is that workflow, run
by act against it.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.errors import NotGood
from mlops.forges.base import Pull
from mlops.forges.ruleset import gitea_values, read_ruleset
from mlops.records import Record, append
from tests.forges.gitea_stage import add_repository
from tests.gitea import Gitea, needs_gitea
from tests.team import Team
from tests.workflows.around import CHECK, Around, Finished, around
from tests.workflows.harness import DATASET, Ran, add_template, pin_data

MODEL = "models/toy-line/model.yaml"
STAGING = "environments/staging/env.yaml"
VERDICT = "mlops / verdict"


@pytest.fixture
def town(team: Team, gitea: Gitea, tmp_path: Path) -> Around:
    """A private repository with the template, a protected main branch and stores of its own."""
    add_template(team)
    pin_data(team)
    staging = (team.root / STAGING).read_text()
    team.write(STAGING, f"{staging}soak: PT30M\nopen_promotions: true\n")
    stage = add_repository(team, gitea)
    stage.ask("bot", "PATCH", "", json={"private": True})
    rules = gitea_values(read_ruleset(team.repo))
    stage.ask("bot", "POST", "/branch_protections", json={"rule_name": "main", **rules})
    return around(stage, tmp_path / "around")


@needs_gitea
def test_a_model_goes_to_staging_by_pull_requests_and_comes_back(town: Around) -> None:
    start = town.main()
    a_change_is_refused_corrected_approved_and_merged(town)
    a_release_merges_itself_when_it_is_green(town, start)
    a_promotion_is_reported_approved_and_merged(town)
    trained = new_data_becomes_the_next_release(town)
    a_release_that_is_overtaken_is_opened_again(town, trained)
    a_rollback_puts_the_release_before_back(town)
    a_plain_revert_does_too(town)


def a_change_is_refused_corrected_approved_and_merged(town: Around) -> None:
    change(town, "seed: 3", "seed: 4")
    number = push(town, "another-seed", "{metric: mae, max: 3.0}", "{metric: mae, max: 0.1}")
    refused = town.pull_request(number)
    assert refused.ran.code == 1, refused.ran.log
    assert town.after(refused, "report.yaml").code == 0
    assert said(town, refused.pull) == {CHECK: "failure", VERDICT: "failure"}
    assert comment(town, number).startswith("**Not good: 1 thing to do.**")
    assert "gate `absolute mae` is not met" in comment(town, number)
    with pytest.raises(NotGood, match="status check"):
        merge(town, refused.pull)

    town.team.git("switch", "--quiet", "another-seed")
    change(town, "max: 0.1", "max: 6.0")
    change(town, "max: 4.0", "max: 6.0")  # February is not like January
    assert number == push(town, "another-seed", "max_worse: 0.05", "max_worse: 9.0")
    good = town.pull_request(number)
    assert good.ran.code == 0, good.ran.log
    assert town.after(good, "report.yaml").code == 0
    assert said(town, good.pull) == {CHECK: "success", VERDICT: "success"}
    assert comment(town, number).startswith("**Good.** With the next release `toy-line` is ")
    assert f"actions/runs/{good.number}>" in comment(town, number)
    town.stage.review("bob", number, approve=True)
    merge(town, good.pull)


def a_release_merges_itself_when_it_is_green(town: Around, start: str) -> None:
    overtaken = town.push(start)
    assert overtaken.code == 0, overtaken.log
    assert "the run of the newer commit does it" in overtaken.log
    assert opened(town, "release/toy-1") is None

    released = town.push()
    assert released.code == 0, released.log
    pull = found(town, "release/toy-1")
    assert (pull.title, pull.author) == ("Release toy 1 to dev", "bot")
    done = town.pull_request(pull.number)
    assert done.ran.code == 0, done.ran.log
    assert town.after(done, "report.yaml").code == 0
    assert "`toy` in `dev` would answer from release 1" in comment(town, pull.number)

    town.stage.check(pull.commit, CHECK, "failure")
    red = town.after(done, "merge-release.yaml")
    assert red.code == 1
    assert "the required check checks-pass has failed" in red.log
    town.stage.check(pull.commit, CHECK, "success")
    green = town.after(done, "merge-release.yaml")
    assert green.code == 0, green.log
    assert held(town, "dev") == 1
    confirm(town, 1)


def a_promotion_is_reported_approved_and_merged(town: Around) -> None:
    asked_by_nobody = town.push()
    assert asked_by_nobody.code == 0, asked_by_nobody.log
    pull = found(town, "promote/toy-1-to-staging")
    body = town.stage.ask("alice", "GET", f"/pulls/{pull.number}")["body"]
    assert body.startswith("**Promote release 1 of toy from dev to staging: all ")
    assert "`toy-line` is " in body
    done = town.pull_request(pull.number)
    assert done.ran.code == 0, done.ran.log
    assert town.after(done, "report.yaml").code == 0
    assert "Environment: `promotion` of `toy` in `staging`" in comment(town, pull.number)
    assert "| ok | time served in dev | 1 h " in comment(town, pull.number)
    town.stage.review("alice", pull.number, approve=True)
    assert town.stage.forge().approvals(pull) == ("alice",)
    merge(town, pull)
    assert held(town, "staging") == 1


def new_data_becomes_the_next_release(town: Around) -> Ran:
    raw = "data-contracts/toy-points/raw/2024-02.csv"
    done = town.team.mlops("data", "ingest", DATASET, raw)
    assert done.returncode == 0, done.stderr
    pull = town.stage.forge().pull(push(town, "february"))
    shown_before(town, pull)

    trained = town.dispatch("retrain.yaml", model="toy-line")
    assert trained.code == 0, trained.log
    return trained


def a_release_that_is_overtaken_is_opened_again(town: Around, trained: Ran) -> None:
    overtaken = found(town, "release/toy-2")
    town.team.write("README.md", "words\n")
    shown_before(town, town.stage.forge().pull(push(town, "words")))
    town.stage.check(overtaken.commit, CHECK, "success")
    left = town.after(Finished(0, overtaken, trained), "merge-release.yaml")
    assert left.code == 0, left.log
    assert "the run of that commit opens it again" in left.log
    released = town.push()
    assert released.code == 0, released.log
    pull = found(town, "release/toy-2")
    assert (pull.number, pull.commit != overtaken.commit) == (overtaken.number, True)
    shown_before(town, pull)
    assert held(town, "dev") == 2
    confirm(town, 2)
    again = town.dispatch("retrain.yaml", model="toy-line")
    assert again.code == 0, again.log
    assert "nothing to do" in again.log


def a_rollback_puts_the_release_before_back(town: Around) -> None:
    shown_before(town, promote(town, 2))
    assert held(town, "staging") == 2
    asked = {"service": "toy", "environment": "staging", "reason": 'worse on "left"; $(date)'}
    ran = town.dispatch("rollback.yaml", **asked)
    assert ran.code == 0, ran.log
    pull = found(town, "rollback/toy-staging-to-1")
    done = town.pull_request(pull.number)
    assert done.ran.code == 0, done.ran.log
    assert town.after(done, "report.yaml").code == 0
    assert "Environment: `rollback` of `toy` in `staging`" in comment(town, pull.number)
    before = town.team.git("rev-parse", "HEAD~1:environments/staging/toy/release.yaml")
    merge(town, pull)
    assert town.team.git("rev-parse", "HEAD:environments/staging/toy/release.yaml") == before


def a_plain_revert_does_too(town: Around) -> None:
    refused = town.dispatch("promote.yaml", service="toy", environment="staging")
    assert refused.code == 1
    assert "release 2 was taken back in staging" in refused.log
    shown_before(town, promote(town, 2, again="It was the sensor"))
    town.team.git("revert", "--no-edit", "HEAD")
    pull = town.stage.forge().pull(push(town, "undo"))
    done = town.pull_request(pull.number)
    assert done.ran.code == 0, done.ran.log
    merge(town, pull)
    assert held(town, "staging") == 1


def change(town: Around, old: str, new: str) -> None:
    """Change the model's file."""
    text = (town.team.root / MODEL).read_text()
    assert old in text
    town.team.write(MODEL, text.replace(old, new))


def push(town: Around, branch: str, old: str = "", new: str = "") -> int:
    """Commit what differs and push it as a branch of alice's; the number of its pull request."""
    team, forge = town.team, town.stage.forge("alice")
    team.git("switch", "--quiet", "-C", branch)
    if old:
        change(town, old, new)
    if team.git("status", "--porcelain"):
        team.commit(f"Work on {branch}", push=False)
    commit = team.git("rev-parse", "HEAD")
    there = forge.waiting(branch)
    number = forge.open_pull_request(branch, commit, "A change", "Text", replaces=there).number
    assert number
    town.main()
    return number


def promote(town: Around, number: int, **more: str) -> Pull:
    """The pull request of promote.yaml for staging."""
    ran = town.dispatch("promote.yaml", service="toy", environment="staging", **more)
    assert ran.code == 0, ran.log
    return found(town, f"promote/toy-{number}-to-staging")


def merge(town: Around, pull: Pull) -> None:
    """Bob merges it at the commit that was checked."""
    title = f"{pull.title} (#{pull.number})"
    town.stage.forge("bob").merge(pull, pull.commit, title)
    town.main()


def shown_before(town: Around, pull: Pull) -> None:
    """Merge it with the check said to be green: the story has shown such a check already."""
    town.stage.check(pull.commit, CHECK, "success")
    merge(town, pull)


def confirm(town: Around, number: int) -> None:
    """What the follower of dev adds to the records: the release has served for an hour."""
    stage = town.stage
    login = stage.server.url.replace("://", f"://x:{stage.server.token('bot')}@")
    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    serving = Record(
        kind="serving", environment="dev", service="toy", release=number, at=at,
        commit=town.main(),
    )  # fmt: skip
    append(town.team.repo.git, f"{login}/{stage.repository}.git", serving)


def opened(town: Around, branch: str) -> Pull | None:
    """The open pull request of a branch."""
    return next(iter(town.stage.forge().pulls_from(branch)), None)


def found(town: Around, branch: str) -> Pull:
    """The open pull request of a branch, which has to be there."""
    pull = opened(town, branch)
    assert pull is not None
    return pull


def comment(town: Around, number: int) -> str:
    """The one comment of the pull request, without its marker."""
    (_, body) = town.stage.comments(number)[0]
    assert len(town.stage.comments(number)) == 1
    return body.partition("-->\n")[2]


def said(town: Around, pull: Pull) -> dict[str, str]:
    """What is said of the head, by name."""
    return {check.name: check.state for check in town.stage.forge().checks(pull.commit)}


def held(town: Around, environment: str) -> int | None:
    """The number of the release an environment holds on the forge's main branch."""
    release = town.team.repo.commit(town.main()).release(environment, "toy")
    return release.release if release else None
