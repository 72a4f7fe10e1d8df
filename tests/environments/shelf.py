"""Releases that lie in a team's environments, committed and pushed as merges would."""

from dataclasses import dataclass
from functools import cache

from mlops import bento
from mlops.commands.render import render
from mlops.specs.release import Release
from tests.releases import Made, fake_digest, files_of, make_decision, make_release
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
PREVIOUS = {"dev": None, "staging": "dev", "prod": "staging"}


def message(reason: str, **values: object) -> str:
    """The exact message of a fixture."""
    return (INVALID / reason / "message.txt").read_text().rstrip("\n").format(**values)


@dataclass(frozen=True)
class Shelf:
    """Releases without models (nothing has to be scored), with bentos in the store."""

    team: Team
    commit: str
    image: bool = False

    @cache  # noqa: B019 - lives as long as one test
    def made(self, number: int) -> Made:
        """The release of that number: the same bytes each time."""
        return make_release(
            number,
            commit=self.commit,
            source_tree=fake_digest("tree", number),
            bare=True,
            bento=self._bento(number),
            image=self.image,
        )

    def _bento(self, number: int) -> str:
        folder = self.team.stores / "bentos" / "toy" / f"new-{number}"
        folder.mkdir(parents=True)
        (folder / "bento.yaml").write_text(f"number: {number}\n")
        digest = bento.content_digest(folder)
        folder.rename(folder.parent / digest.removeprefix("sha256:"))
        return digest

    def held(self, environment: str) -> Release | None:
        """What the environment holds now."""
        return self.team.repo.release(environment, "toy")

    def put(self, number: int, *environments: str) -> str:
        """Put a release into environments, each a commit; the last one is returned."""
        commit = ""
        for environment in environments:
            made, previous = self.made(number), PREVIOUS[environment]
            kind = "promotion" if previous else "release"
            decision = make_decision(
                made, environment, kind=kind, came_from=previous, champion=self.held(environment)
            )
            for path, content in files_of(made, environment, decision).items():
                self.team.write(path, content)
            render(self.team.repo, as_json=True)
            commit = self.team.commit(f"Put {number} into {environment}")
        return commit

    def revert(self) -> str:
        """Revert the newest commit and push it."""
        self.team.git("revert", "--no-edit", "HEAD")
        self.team.git("push", "--quiet", "origin", "main")
        return self.team.git("rev-parse", "HEAD")

    def merge(self, branch: str, subject: str = "Merge") -> str:
        """Squash-merge a branch of the forge and push it, as a forge's button does."""
        self.team.git("fetch", "--quiet", "origin")
        self.team.git("merge", "--quiet", "--squash", f"origin/{branch}")
        return self.team.commit(subject)

    def day(self, commit: str) -> str:
        """The day a commit was made."""
        return self.team.git("log", "-1", "--format=%cs", commit)


def shelf_of(team: Team, *, image: bool = False) -> Shelf:
    """An empty shelf whose releases have the commit checked out as their source.

    Args:
        image: whether the releases have images, so that workloads are rendered (slower).
    """
    return Shelf(team, team.git("rev-parse", "HEAD"), image)
