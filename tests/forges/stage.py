"""A team's clone whose forge has a server, and people who do there what people do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mlops.forges.hosted import Address, Hosted
from mlops.forges.ruleset import PATH as RULESET
from mlops.rendering import stale
from mlops.repository import Repository
from tests.team import ROOT, Team


class Stage(Protocol):
    """One repository on one forge; `bot`, `alice` and `bob` may write to it."""

    @property
    def kind(self) -> str:
        """Of the forge."""
        ...

    @property
    def team(self) -> Team:
        """Whose clone it is."""
        ...

    def forge(self, user: str = "bot") -> Hosted:
        """The adapter with the token of a person."""
        ...

    def environment(self, user: str = "bot") -> Mapping[str, str]:
        """The environment of a command that a person runs."""
        ...

    def comment(self, user: str, number: int, body: str) -> None:
        """Write a comment."""
        ...

    def comments(self, number: int) -> list[tuple[str, str]]:
        """Authors and bodies, oldest first."""
        ...

    def review(self, user: str, number: int, *, approve: bool) -> None:
        """Approve the pull request's head, or ask for changes."""
        ...

    def protect(self, *contexts: str) -> None:
        """Require checks on main."""
        ...

    def check(self, commit: str, name: str, state: str) -> None:
        """Say of a commit what the required check found."""
        ...


@dataclass(frozen=True)
class Settings:
    """What [forge] of mlops.toml says."""

    kind: str
    url: str
    repository: str


def settle(team: Team, settings: Settings) -> None:
    """Write what `mlops init` writes for a forge, and the ruleset of its main branch."""
    text = (team.root / "mlops.toml").read_text()
    lines = "\n".join(
        (
            "[forge]",
            f'kind = "{settings.kind}"',
            f'url = "{settings.url}"',
            f'repository = "{settings.repository}"',
            'bot = "bot"',
        )
    )
    team.write("mlops.toml", re.sub(r'\[forge\]\nkind = "local"', lines, text))
    team.write(RULESET, (ROOT / RULESET).read_text())
    for path, rendered in stale(team.repo).items():
        team.write(path, rendered or "")


def address_of(repo: Repository) -> Address:
    """The forge's address as mlops.toml has it."""
    forge = repo.project.forge
    assert forge.url
    assert forge.repository
    return Address(forge.url, forge.repository)


def branch_commit(team: Team, name: str, content: str = "one\n", *, parent: str = "HEAD") -> str:
    """A commit beside the branches, with one file."""
    return team.repo.git.commit_files(parent, {f"{name}.txt": content.encode()}, f"Write {name}")
