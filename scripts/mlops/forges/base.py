"""What the project asks of a forge, and the words for what a forge holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["success", "failure", "pending"]
TEXT_LIMIT = 65_536
"""Characters of a pull-request text or a comment that GitHub takes."""


@dataclass(frozen=True)
class PullRequest:
    """A branch that waits for its merge.

    Attributes:
        branch: its name on the remote.
        commit: the one commit on it.
        place: where its text is (a path or an address).
        merge: how to merge it, a line a step.
        new: False when this very branch was there already.
        number: what the forge calls it; None where there are no numbers.
    """

    branch: str
    commit: str
    place: str
    merge: tuple[str, ...]
    new: bool
    number: int | None = None


class Forge(Protocol):
    """What every forge is able to do, a bare repository too."""

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


@dataclass(frozen=True)
class Pull:
    """A pull request as the forge holds it now. Title and branch are foreign text.

    Attributes:
        author: the login of who opened it.
        branch: the head branch; another repository may have one of the same name.
        commit: the head commit.
        own: whether the head branch is in the repository itself, not in a fork.
        base: the branch it goes to.
        squashed: the commit it became, when it is merged.
    """

    number: int
    title: str
    author: str
    branch: str
    commit: str
    own: bool
    base: str
    open: bool
    merged: bool
    squashed: str | None
    changed_files: int | None
    url: str


@dataclass(frozen=True)
class Check:
    """What was said of a commit under one name, a status or a check run.

    Attributes:
        app: the number of the app that said it; None for a status.
    """

    name: str
    state: State
    app: int | None = None


@dataclass(frozen=True)
class Status:
    """What was said of a commit under a name, and where there is more of it."""

    state: State
    url: str | None


@dataclass(frozen=True)
class Review:
    """What one person said of one commit; oldest first where several are told."""

    author: str
    commit: str
    verdict: Literal["approved", "refused", "other"]
    dismissed: bool = False


@dataclass(frozen=True)
class Comment:
    """A comment of a pull request."""

    number: int
    author: str
    body: str
    url: str


class HostedForge(Forge, Protocol):
    """A forge with a server: what it holds beside Git.

    Every method raises BadInput when the forge cannot be reached, when the token may not, and
    when the forge refuses; each with what to do.
    """

    def pull(self, number: int) -> Pull:
        """The pull request of that number."""
        ...

    def fetch_pull(self, number: int) -> None:
        """Bring the head of a pull request into the clone, a fork's too; no ref names it."""
        ...

    def pulls_from(self, branch: str) -> tuple[Pull, ...]:
        """Open pull requests from a branch of the repository itself."""
        ...

    def pulls_at(self, commit: str) -> tuple[Pull, ...]:
        """Open pull requests whose head is that commit, forks' too."""
        ...

    def update_pull(self, number: int, title: str, body: str) -> Pull:
        """Give an open pull request another title and text."""
        ...

    def upsert_comment(self, number: int, marker: str, body: str) -> Comment:
        """Write the one comment that is ours and begins with the marker, in place if it is there.

        Args:
            marker: an HTML comment, which readers do not see; comes before the body.
        """
        ...

    def set_status(
        self, commit: str, name: str, state: State, text: str, url: str | None = None
    ) -> None:
        """Say of a commit, under a name, how it is."""
        ...

    def own_status(self, commit: str, name: str) -> Status | None:
        """The newest status under a name that was set by whom this token belongs to."""
        ...

    def run_again(self, workflow: str, commit: str) -> str:
        """Start the failed jobs of a pull request's newest run again.

        Args:
            workflow: the file's name.
            commit: the pull request's head.

        Returns:
            What came of it, in words.

        Raises:
            NotGood: when the forge does not start them.
        """
        ...

    def checks(self, commit: str) -> tuple[Check, ...]:
        """The newest word under each name about a commit."""
        ...

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Every review of a pull request, oldest first."""
        ...

    def approvals(self, pull: Pull) -> tuple[str, ...]:
        """Who approved exactly the head commit; see `holding`."""
        ...

    def merge(self, pull: Pull, commit: str, title: str) -> None:
        """Squash-merge, only when the head is exactly that commit."""
        ...

    def files(self, pull: Pull) -> tuple[str, ...]:
        """Paths that a pull request changes; a rename is both of its names."""
        ...

    def protection(self) -> "Protection":
        """What the forge holds the main branch to."""
        ...


@dataclass(frozen=True)
class Protection:
    """What a forge holds its main branch to.

    Attributes:
        values: settings by name, in the words of the forge's answer.
        unseen: names that the token may not see.
    """

    values: Mapping[str, object]
    unseen: tuple[str, ...] = ()


def holding(reviews: Iterable[Review], pull: Pull) -> tuple[str, ...]:
    """Who approved exactly the head commit, sorted.

    The newest word of a person counts; a comment takes nothing back. One's own approval and one
    of an earlier commit do not hold.
    """
    said: dict[str, Review] = {}
    for review in reviews:
        if review.verdict != "other" or review.dismissed:
            said[review.author] = review
    return tuple(
        sorted(
            author
            for author, review in said.items()
            if review.verdict == "approved"
            and not review.dismissed
            and review.commit == pull.commit
            and author != pull.author
        )
    )


def newest(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The first word under each name and app, of words told newest first."""
    found: dict[tuple[str, int | None], Check] = {}
    for check in checks:
        found.setdefault((check.name, check.app), check)
    return tuple(found.values())
