"""GitHub, and GitHub Enterprise Server, by REST v3."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlops.errors import not_good
from mlops.forges.api import Api, Ask, Denied
from mlops.forges.base import Check, Protection, Pull, State, newest
from mlops.forges.hosted import Hosted, moved
from mlops.forges.ruleset import flat, read_ruleset

ACTIONS = "github-actions[bot]"
"""Who writes with the token that GitHub gives a workflow."""
STATES: Mapping[str, State] = {"success": "success", "pending": "pending"}
AGAIN = ("failure", "cancelled", "timed_out")
AS_IT_IS: Mapping[str | None, str] = {
    None: "is still running: if it ends red, run its failed jobs again",
    "success": "is green already",
    "action_required": "waits for a maintainer to let it run: do so",
}
AS_IT_ENDED = "ended otherwise: run it again there"
MERGE_PATIENCE = 30.0
"""Seconds for which a merge that is refused for now is tried again."""


@dataclass(frozen=True)
class Run:
    """A run of a workflow; `conclusion` is None until it has completed."""

    number: int
    conclusion: str | None
    url: str


class GitHub(Hosted):
    """A repository on GitHub."""

    size: ClassVar[dict[str, int]] = {"per_page": 100}
    recent: ClassVar[dict[str, str]] = {"sort": "updated", "direction": "desc"}

    def make_api(self, token: str) -> Api:
        url = self.address.url
        base = "https://api.github.com" if url == "https://github.com" else f"{url}/api/v3"
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return Api(base, self.address.repository, token, headers=headers)

    def own_logins(self) -> frozenset[str]:
        try:
            user = self.api.send(Ask("GET", "/user", "the token", "`metadata: read`")).value
        except Denied:
            # An app has no user: its token, and that of a workflow, may not ask who it is.
            bot = self.repo.project.forge.bot
            return frozenset({ACTIONS, bot} if bot else {ACTIONS})
        return frozenset({self.api.parsed(lambda value: str(value["login"]), user)})

    def checks(self, commit: str) -> tuple[Check, ...]:
        said = [self.api.parsed(_status, each) for each in self.statuses(commit)]
        return newest([*said, *self._runs(commit)])

    def _runs(self, commit: str) -> list[Check]:
        ask = Ask(
            "GET",
            self.path("commits", commit, "check-runs"),
            f"commit {commit[:12]}",
            "`checks: read`",
            {"filter": "latest"},
        )
        return [
            self.api.parsed(_run, each)
            for page in self.api.pages(ask, size=self.size)
            for each in self.api.parsed(lambda value: value["check_runs"], page)
        ]

    def state_of(self, status: Any) -> State:
        return STATES.get(status["state"], "failure")

    def run_again(self, workflow: str, commit: str) -> str:
        run = self._newest_run(workflow, commit)
        if run is None:
            return f"{workflow} has not run for {commit[:12]}: it will find what is said of it now"
        if run.conclusion not in AGAIN:
            return f"{run.url} {AS_IT_IS.get(run.conclusion, AS_IT_ENDED)}"
        ask = Ask(
            "POST",
            self.path("actions", "runs", run.number, "rerun-failed-jobs"),
            run.url,
            "`actions: write`",
            allowed=(403,),
            repeatable=True,
        )
        answer = self.api.send(ask)
        if answer.status == 403 and self._newest_run(workflow, commit) == run:
            raise not_good(
                run.url,
                f"its failed jobs cannot be run again ({self.api.reason(answer.value)})",
                "give the token `actions: write`; after a month close and reopen the pull request",
            )
        return f"the failed jobs of {run.url} run again"

    def _newest_run(self, workflow: str, commit: str) -> Run | None:
        ask = Ask(
            "GET",
            self.path("actions", "workflows", workflow, "runs"),
            f"workflow {workflow}",
            "`actions: read`",
            {"event": "pull_request", "head_sha": commit, **self.size},
        )
        value = self.api.send(ask).value
        runs = self.api.parsed(
            lambda found: [_workflow_run(x) for x in found], value["workflow_runs"]
        )
        return max(runs, key=lambda run: run.number, default=None)

    def merge(self, pull: Pull, commit: str, title: str) -> None:
        ask = Ask(
            "PUT",
            self.path("pulls", pull.number, "merge"),
            f"pull request {pull.number}",
            "`contents: write`",
            json={"merge_method": "squash", "sha": commit, "commit_title": title},
            allowed=(405, 409),
        )
        end = time.monotonic() + MERGE_PATIENCE
        while (answer := self.api.send(ask)).status == 405 and time.monotonic() < end:
            if "Base branch was modified" not in str(answer.value):
                break
            time.sleep(1)
        if answer.status == 409:
            raise moved(pull.number, commit)
        if answer.status == 405:
            reason = self.api.reason(answer.value)
            raise not_good(ask.about, f"cannot be merged ({reason})", "see what it waits for there")

    def protection(self) -> Protection:
        name = read_ruleset(self.repo).name
        needs = "`metadata: read`"
        ask = Ask("GET", self.path("rulesets"), self.address.repository, needs)
        found = [
            each["id"]
            for page in self.api.pages(ask, size=self.size)
            for each in page
            if each["name"] == name and each["target"] == "branch"
        ]
        if not found:
            return Protection({})
        one = Ask("GET", self.path("rulesets", found[0]), f"ruleset {name}", needs)
        value = self.api.send(one).value
        # Who may bypass is told only to those who may write the ruleset.
        unseen = () if "bypass_actors" in value else ("bypass_actors",)
        return Protection(self.api.parsed(flat, value), unseen)


def _status(value: Any) -> Check:
    return Check(value["context"], STATES.get(value["state"], "failure"))


def _workflow_run(value: Any) -> Run:
    return Run(value["id"], value["conclusion"], value["html_url"])


def _run(value: Any) -> Check:
    app = value["app"]
    return Check(value["name"], _state(value), app["id"] if app else None)


def _state(value: Any) -> State:
    # A run that was skipped has not looked at anything, whatever a forge lets pass.
    if value["status"] != "completed":
        return "pending"
    return "success" if value["conclusion"] in ("success", "neutral") else "failure"
