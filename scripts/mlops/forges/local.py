"""A Git remote without a web page."""

import shlex
from dataclasses import dataclass

from mlops.files import write_whole
from mlops.forges.base import PullRequest
from mlops.forges.branches import Branches
from mlops.repository import Repository


@dataclass(frozen=True)
class LocalForge:
    """A Git remote without a web page: pull-request texts are files in the stores."""

    repo: Repository

    @property
    def _branches(self) -> Branches:
        return Branches(self.repo)

    def fetch(self) -> None:
        self._branches.fetch()

    def main(self) -> str:
        return self._branches.main()

    def waiting(self, branch: str) -> str | None:
        return self._branches.waiting(branch)

    def open_pull_request(
        self, branch: str, commit: str, title: str, body: str, *, replaces: str | None = None
    ) -> PullRequest:
        if replaces != commit:
            self._branches.push(branch, commit, replaces)
        place = self.repo.stores / "pull-requests" / f"{branch.replace('/', '__')}.md"
        write_whole(place, f"# {title}\n\n{body}")
        merge = self._merge(branch, title)
        return PullRequest(branch, commit, str(place), merge, replaces != commit)

    def _merge(self, branch: str, title: str) -> tuple[str, ...]:
        remote, main = self._branches.remote, self.repo.project.forge.main
        return (
            f"git fetch {remote}",
            f"git switch {main} && git merge --ff-only {remote}/{main}",
            f"git merge --squash {remote}/{branch}",
            f"git commit --message {shlex.quote(title)}",
            f"git push {remote} {main}",
        )
