"""Gitea (and Forgejo), by its REST interface."""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from mlops.errors import not_good
from mlops.forges.api import Answer, Api, Ask
from mlops.forges.base import Check, Protection, Pull, State, newest
from mlops.forges.hosted import Hosted, moved

STATES: Mapping[str, State] = {"success": "success", "pending": "pending"}
MERGE_PATIENCE = 30.0
"""Seconds for which a merge that is refused for now is tried again."""


class Gitea(Hosted):
    """A repository on a Gitea server."""

    size: ClassVar[dict[str, int]] = {"limit": 50}
    recent: ClassVar[dict[str, str]] = {"sort": "recentupdate"}

    def make_api(self, token: str) -> Api:
        base = f"{self.address.url}/api/v1"
        return Api(base, self.address.repository, token, headers={"Accept": "application/json"})

    def own_logins(self) -> frozenset[str]:
        user = self.api.send(Ask("GET", "/user", "the token", "`user: read`")).value
        return frozenset({self.api.parsed(lambda value: str(value["login"]), user)})

    def checks(self, commit: str) -> tuple[Check, ...]:
        return newest([self.api.parsed(_status, each) for each in self.statuses(commit)])

    def state_of(self, status: Any) -> State:
        return STATES.get(status["status"], "failure")

    def run_again(self, workflow: str, commit: str) -> str:
        return (
            f"Gitea starts no run again by itself: let {workflow} run once more for {commit[:12]}"
        )

    def merge(self, pull: Pull, commit: str, title: str) -> None:
        ask = Ask(
            "POST",
            self.path("pulls", pull.number, "merge"),
            f"pull request {pull.number}",
            "`repository: write`",
            json={"Do": "squash", "head_commit_id": commit, "MergeTitleField": title},
            allowed=(405, 409),
            repeatable=True,
        )
        end = time.monotonic() + MERGE_PATIENCE
        while _is_for_now(answer := self.api.send(ask)) and time.monotonic() < end:
            time.sleep(0.5)
        if answer.status == 409:
            raise moved(pull.number, commit)
        if answer.status == 405:
            reason = self.api.reason(answer.value)
            raise not_good(ask.about, f"cannot be merged ({reason})", "see what it waits for there")

    def protection(self) -> Protection:
        ask = Ask(
            "GET",
            self.path("branch_protections"),
            self.address.repository,
            "`repository: write` of an administrator",
        )
        rules = self.api.send(ask).value or []
        main = self.repo.project.forge.main
        return Protection(next((rule for rule in rules if rule["rule_name"] == main), {}))


def _is_for_now(answer: Answer) -> bool:
    """Gitea looks at a branch for a second or so after every push, review and new protection."""
    return answer.status == 405 and "try again later" in str(answer.value).lower()


def _status(value: Any) -> Check:
    return Check(value["context"], STATES.get(value["status"], "failure"))
