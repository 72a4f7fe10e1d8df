"""The stage on a small GitHub."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from mlops.forges.github import GitHub
from tests.forges.hub import Hub
from tests.forges.hub_answers import ACTIONS_APP, add_comment
from tests.forges.hub_server import Server
from tests.forges.stage import address_of
from tests.team import Team


@dataclass(frozen=True)
class GitHubStage:
    """A team whose clone's remote is the hub's bare repository."""

    team: Team
    server: Server
    kind: str = "github"

    @property
    def hub(self) -> Hub:
        """What the server holds."""
        return self.server.hub

    def forge(self, user: str = "bot") -> GitHub:
        repo = self.team.repo
        return GitHub(repo, address_of(repo), f"token-of-{user}")

    def environment(self, user: str = "bot") -> Mapping[str, str]:
        return {**os.environ, "FORGE_TOKEN": f"token-of-{user}"}

    def comment(self, user: str, number: int, body: str) -> None:
        add_comment(self.hub, user, number, body)

    def comments(self, number: int) -> list[tuple[str, str]]:
        found = [each for each in self.hub.comments if each["number"] == number]
        return [(each["user"], each["body"]) for each in found]

    def review(self, user: str, number: int, *, approve: bool) -> None:
        branch = self.hub.pulls[number - 1]["branch"]
        self.hub.reviews.append(
            {
                "number": number,
                "user": user,
                "state": "APPROVED" if approve else "CHANGES_REQUESTED",
                "commit_id": self.hub.head(branch),
            }
        )

    def protect(self, *contexts: str) -> None:
        """Nothing: what a merge needs is shown on Gitea."""

    def check(self, commit: str, name: str, state: str) -> None:
        self.hub.runs = [
            run for run in self.hub.runs if (run["commit"], run["name"]) != (commit, name)
        ]
        done = state != "pending"
        self.hub.runs.append(
            {
                "commit": commit,
                "name": name,
                "status": "completed" if done else "in_progress",
                "conclusion": state if done else None,
                "app": ACTIONS_APP,
            }
        )
