"""Branches of the remote, by Git: what every forge has."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.errors import bad_input
from mlops.git import GitFailed
from mlops.repository import Repository


@dataclass(frozen=True)
class Branches:
    """Fetching from and pushing to the project's remote.

    Attributes:
        env: environment variables for Git beside the process's own, with the way to log in.
    """

    repo: Repository
    env: Mapping[str, str] | None = None

    @property
    def remote(self) -> str:
        """The remote's name."""
        return self.repo.project.forge.remote

    def fetch(self, *refs: str) -> None:
        """Bring the remote's branches, or the refs named, into the clone.

        Raises:
            BadInput: when the remote does not give them.
        """
        try:
            self.repo.git.run("fetch", "--quiet", "--prune", self.remote, *refs, env=self.env)
        except GitFailed as error:
            raise bad_input(
                self.remote,
                f"cannot be fetched from ({last_line(error)})",
                "check the remote and your access to it, then run this again",
            ) from error

    def main(self) -> str:
        """The commit of the main branch, as last fetched."""
        return self.repo.commit_id(f"{self.remote}/{self.repo.project.forge.main}")

    def waiting(self, branch: str) -> str | None:
        """The commit of a branch, as last fetched, or None."""
        return self.repo.git.commit_of(f"refs/remotes/{self.remote}/{branch}")

    def push(self, branch: str, commit: str, replaces: str | None) -> None:
        """Push with compare-and-swap: what somebody else pushed meanwhile stays.

        Raises:
            BadInput: when the branch is not at `replaces`, or the remote refuses.
        """
        lease = f"--force-with-lease=refs/heads/{branch}:{replaces or ''}"
        target = f"{commit}:refs/heads/{branch}"
        try:
            self.repo.git.run("push", "--quiet", lease, self.remote, target, env=self.env)
        except GitFailed as error:
            raise bad_input(
                branch,
                f"could not be pushed to {self.remote} ({last_line(error)})",
                "git fetch, look at what that branch holds now, then run this again",
            ) from error


def last_line(error: GitFailed) -> str:
    """The line of Git's answer that says why."""
    lines = [line.strip() for line in error.text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("!", "fatal:", "error:"))]
    return (told or lines or ["no reason given"])[0].removeprefix("fatal: ").removeprefix("error: ")
