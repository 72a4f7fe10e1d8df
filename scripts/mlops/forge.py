"""Where pull requests live: pushing their branches and giving reviewers their text."""

import shlex
from dataclasses import dataclass
from typing import Protocol

from mlops.errors import bad_input
from mlops.files import write_whole
from mlops.git import GitFailed
from mlops.repository import Repository

TEXT_LIMIT = 65_536
"""Characters of a pull-request text that GitHub takes."""


@dataclass(frozen=True)
class PullRequest:
    """A branch that waits for its merge.

    Attributes:
        branch: its name on the remote.
        commit: the one commit on it.
        place: where its text is (a path or an address).
        merge: how to merge it, a line a step.
        new: False when this very branch was there already.
    """

    branch: str
    commit: str
    place: str
    merge: tuple[str, ...]
    new: bool


class Forge(Protocol):
    """What a forge has to be able to do."""

    def fetch(self) -> None:
        """Bring the remote's branches into the clone."""
        ...

    def main(self) -> str:
        """The commit that the forge's main branch is at, as last fetched."""
        ...

    def waiting(self, branch: str) -> str | None:
        """The commit a branch of that name is at on the forge, or None."""
        ...

    def open_pull_request(
        self, branch: str, commit: str, title: str, body: str, *, replaces: str | None
    ) -> PullRequest:
        """Push the commit as the branch and tell its text.

        Args:
            replaces: the commit that the branch may be at now; None when it has to be new.
        """
        ...


def forge_of(repo: Repository) -> Forge:
    """The forge that mlops.toml names.

    Raises:
        BadInput: when there is no adapter for its kind.
    """
    kind = repo.project.forge.kind
    if kind != "local":
        raise bad_input(
            "mlops.toml",
            f"`forge.kind` is {kind!r}, which this version cannot open pull requests on",
            'write `kind = "local"`: the branch is pushed and the text written to a file',
        )
    return LocalForge(repo)


def open_pull_request(
    repo: Repository,
    branch: str,
    commit: str,
    title: str,
    body: str,
    *,
    replaces: str | None = None,
) -> PullRequest:
    """Open (or bring up to date) a pull request on the project's forge."""
    return forge_of(repo).open_pull_request(branch, commit, title, body, replaces=replaces)


@dataclass(frozen=True)
class LocalForge:
    """A Git remote without a web page: pull-request texts are files in the stores."""

    repo: Repository

    @property
    def _remote(self) -> str:
        return self.repo.project.forge.remote

    def fetch(self) -> None:
        try:
            self.repo.git.run("fetch", "--quiet", "--prune", self._remote)
        except GitFailed as error:
            raise bad_input(
                self._remote,
                f"cannot be fetched from ({_last_line(error)})",
                "check the remote and your access to it, then run this again",
            ) from error

    def main(self) -> str:
        return self.repo.commit_id(f"{self._remote}/{self.repo.project.forge.main}")

    def waiting(self, branch: str) -> str | None:
        return self.repo.git.commit_of(f"refs/remotes/{self._remote}/{branch}")

    def open_pull_request(
        self, branch: str, commit: str, title: str, body: str, *, replaces: str | None = None
    ) -> PullRequest:
        if replaces != commit:
            self._push(branch, commit, replaces)
        place = self.repo.stores / "pull-requests" / f"{branch.replace('/', '__')}.md"
        write_whole(place, f"# {title}\n\n{body}")
        merge = self._merge(branch, title)
        return PullRequest(branch, commit, str(place), merge, replaces != commit)

    def _push(self, branch: str, commit: str, replaces: str | None) -> None:
        """Push with compare-and-swap: what somebody else pushed meanwhile stays."""
        lease = f"--force-with-lease=refs/heads/{branch}:{replaces or ''}"
        try:
            self.repo.git.run(
                "push", "--quiet", lease, self._remote, f"{commit}:refs/heads/{branch}"
            )
        except GitFailed as error:
            raise bad_input(
                branch,
                f"could not be pushed to {self._remote} ({_last_line(error)})",
                "git fetch, look at what that branch holds now, then run this again",
            ) from error

    def _merge(self, branch: str, title: str) -> tuple[str, ...]:
        main = self.repo.project.forge.main
        return (
            f"git fetch {self._remote}",
            f"git switch {main} && git merge --ff-only {self._remote}/{main}",
            f"git merge --squash {self._remote}/{branch}",
            f"git commit --message {shlex.quote(title)}",
            f"git push {self._remote} {main}",
        )


def _last_line(error: GitFailed) -> str:
    lines = [line.strip() for line in error.text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("!", "fatal:", "error:"))]
    return (told or lines or ["no reason given"])[0].removeprefix("fatal: ").removeprefix("error: ")
