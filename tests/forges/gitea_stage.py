"""The stage on a real Gitea."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from mlops.forges.gitea import Gitea as Adapter
from mlops.forges.login import login
from tests.forges.stage import Settings, address_of, settle
from tests.gitea import Gitea
from tests.team import Team


@dataclass(frozen=True)
class GiteaStage:
    """A team whose clone's remote is a repository of the bot's on the server."""

    team: Team
    server: Gitea
    repository: str
    kind: str = "gitea"

    def forge(self, user: str = "bot") -> Adapter:
        repo = self.team.repo
        return Adapter(repo, address_of(repo), self.server.token(user))

    def environment(self, user: str = "bot") -> Mapping[str, str]:
        return {**os.environ, "FORGE_TOKEN": self.server.token(user)}

    def ask(self, user: str, method: str, path: str, **values: Any) -> Any:
        """The value of an answer, asked past the adapter."""
        answer = httpx.request(
            method,
            f"{self.server.url}/api/v1/repos/{self.repository}{path}",
            headers={"Authorization": f"Bearer {self.server.token(user)}"},
            trust_env=False,
            **values,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def comment(self, user: str, number: int, body: str) -> None:
        self.ask(user, "POST", f"/issues/{number}/comments", json={"body": body})

    def comments(self, number: int) -> list[tuple[str, str]]:
        found = self.ask("bot", "GET", f"/issues/{number}/comments")
        return [(each["user"]["login"], each["body"]) for each in found]

    def review(self, user: str, number: int, *, approve: bool) -> None:
        event = "APPROVED" if approve else "REQUEST_CHANGES"
        values = {"event": event, "body": "as it is"}
        self.ask(user, "POST", f"/pulls/{number}/reviews", json=values)

    def protect(self, *contexts: str) -> None:
        values = {
            "rule_name": "main",
            "enable_status_check": bool(contexts),
            "status_check_contexts": list(contexts),
            "enable_push": True,
        }
        self.ask("bot", "POST", "/branch_protections", json=values)

    def check(self, commit: str, name: str, state: str) -> None:
        values = {"context": name, "state": state}
        self.ask("bot", "POST", f"/statuses/{commit}", json=values)


def add_repository(team: Team, server: Gitea) -> GiteaStage:
    """A repository of its own for a team: the bot owns it, alice and bob may write."""
    repository = f"bot/toy-{uuid4().hex[:8]}"
    settle(team, Settings("gitea", server.url, repository))
    team.git("remote", "set-url", "origin", f"{server.url}/{repository}.git")
    team.commit("The project is on Gitea", push=False)
    env = login(server.url, server.token("bot"), os.environ)
    team.repo.git.run("push", "--quiet", "origin", "HEAD:refs/heads/main", env=env)
    stage = GiteaStage(team, server, repository)
    for user in ("alice", "bob"):
        stage.ask("bot", "PUT", f"/collaborators/{user}", json={"permission": "write"})
    stage.forge().fetch()
    return stage
