"""What GitHub's and Gitea's REST interfaces have in common."""

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

from mlops.errors import NotGood, bad_input, not_good
from mlops.forges.api import Api, Ask, Unsure
from mlops.forges.base import (
    TEXT_LIMIT,
    Check,
    Comment,
    Protection,
    Pull,
    PullRequest,
    Review,
    State,
    Status,
    holding,
)
from mlops.forges.branches import Branches
from mlops.forges.login import login
from mlops.git import GitFailed
from mlops.repository import Repository

PULLS_READ, PULLS_WRITE = "`pull requests: read`", "`pull requests: write`"
DESCRIPTION_LIMIT = 140
T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    """Where a repository is: the forge's web address and `OWNER/NAME`."""

    url: str
    repository: str


class Hosted:
    """A repository on a forge with a server; what differs between forges is in the subclasses."""

    size: ClassVar[dict[str, int]]
    recent: ClassVar[dict[str, str]]
    """Parameters that list the pull request changed last first."""

    def __init__(self, repo: Repository, address: Address, token: str) -> None:
        self.repo = repo
        self.address = address
        self.api = self.make_api(token)
        # Where Git itself is asked to log in, the token goes to the forge's own host only.
        self._branches = Branches(repo, login(address.url, token, os.environ))

    @abstractmethod
    def make_api(self, token: str) -> Api:
        """The interface with this forge's headers."""

    @abstractmethod
    def own_logins(self) -> frozenset[str]:
        """By which names what we write is signed."""

    @abstractmethod
    def checks(self, commit: str) -> tuple[Check, ...]:
        """The newest word under each name about a commit."""

    @abstractmethod
    def run_again(self, workflow: str, commit: str) -> str:
        """Start the failed jobs of a pull request's newest run again."""

    @abstractmethod
    def state_of(self, status: Any) -> State:
        """What a status of this forge says."""

    @abstractmethod
    def merge(self, pull: Pull, commit: str, title: str) -> None:
        """Squash-merge, only when the head is exactly that commit."""

    @abstractmethod
    def protection(self) -> Protection:
        """What the forge holds the main branch to."""

    # Branches

    def fetch(self) -> None:
        self._branches.fetch()

    def main(self) -> str:
        return self._branches.main()

    def waiting(self, branch: str) -> str | None:
        return self._branches.waiting(branch)

    # Pull requests

    def path(self, *parts: str | int) -> str:
        """`/repos/OWNER/NAME/...`; parts are quoted."""
        rest = "".join(f"/{quote(str(part), safe='')}" for part in parts)
        return f"/repos/{self.address.repository}{rest}"

    def pull(self, number: int) -> Pull:
        ask = Ask("GET", self.path("pulls", number), _name(number), PULLS_READ)
        return self._pull(self.api.send(ask).value)

    def fetch_pull(self, number: int) -> None:
        self._branches.fetch(f"refs/pull/{number}/head")

    def pulls_from(self, branch: str) -> tuple[Pull, ...]:
        owner = self.address.repository.partition("/")[0]
        found = self._open_pulls({"head": f"{owner}:{branch}"})
        return tuple(pull for page in found for pull in page if pull.branch == branch and pull.own)

    def pulls_at(self, commit: str) -> tuple[Pull, ...]:
        # A forge does not find forks' pull requests by commit; one that was just pushed to is
        # on the first page.
        for page in self._open_pulls(self.recent):
            if found := tuple(pull for pull in page if pull.commit == commit):
                return found
        return ()

    def open_pull_request(
        self, branch: str, commit: str, title: str, body: str, *, replaces: str | None = None
    ) -> PullRequest:
        if replaces != commit:
            self._branches.push(branch, commit, replaces)
        pull = self._sure(lambda: self._create_or_update(branch, title, body))
        merge = (f"on the forge, when it is green and approved: {pull.url}",)
        return PullRequest(branch, commit, pull.url, merge, replaces != commit, pull.number)

    def update_pull(self, number: int, title: str, body: str) -> Pull:
        ask = Ask(
            "PATCH",
            self.path("pulls", number),
            _name(number),
            PULLS_WRITE,
            json={"title": title, "body": _within_limit(_name(number), body)},
        )
        return self._pull(self.api.send(ask).value)

    def _create_or_update(self, branch: str, title: str, body: str) -> Pull:
        main = self.repo.project.forge.main
        for pull in self.pulls_from(branch):
            if pull.base == main:
                return self.update_pull(pull.number, title, body)
        text = _within_limit(branch, body)
        values = {"title": title, "body": text, "head": branch, "base": main}
        ask = Ask("POST", self.path("pulls"), branch, PULLS_WRITE, json=values)
        return self._pull(self.api.send(ask).value)

    def _open_pulls(self, params: dict[str, str]) -> Iterator[tuple[Pull, ...]]:
        ask = Ask(
            "GET",
            self.path("pulls"),
            self.address.repository,
            PULLS_READ,
            {"state": "open", **params},
        )
        for page in self.api.pages(ask, size=self.size):
            yield tuple(self._pull(each) for each in page)

    def _pull(self, value: Any) -> Pull:
        return self.api.parsed(self._as_pull, value)

    def _as_pull(self, value: Any) -> Pull:
        head, source = value["head"], value["head"]["repo"]
        merged = bool(value.get("merged") or value.get("merged_at"))
        return Pull(
            number=value["number"],
            title=value["title"],
            author=_author(value),
            branch=head["ref"],
            commit=head["sha"],
            own=bool(source) and source["full_name"].lower() == self.address.repository.lower(),
            base=value["base"]["ref"],
            open=value["state"] == "open",
            merged=merged,
            squashed=value.get("merge_commit_sha") if merged else None,
            changed_files=value.get("changed_files"),
            url=value["html_url"],
        )

    def files(self, pull: Pull) -> tuple[str, ...]:
        ask = Ask("GET", self.path("pulls", pull.number, "files"), _name(pull.number), PULLS_READ)
        found = [
            self.api.parsed(_file, each)
            for page in self.api.pages(ask, size=self.size)
            for each in page
        ]
        wanted = pull.changed_files
        if wanted is None or len(found) >= wanted:
            return tuple(sorted({path for paths in found for path in paths}))
        return self._files_by_git(pull)  # a forge lists so many and no more (GitHub: 3,000)

    def _files_by_git(self, pull: Pull) -> tuple[str, ...]:
        self._branches.fetch()
        self.fetch_pull(pull.number)
        git, base = self.repo.git, f"{self._branches.remote}/{pull.base}"
        try:
            names = git.names(
                "diff", "--name-only", "--no-renames", "-z", f"{base}...{pull.commit}"
            )
        except GitFailed as error:
            raise bad_input(
                _name(pull.number),
                f"the commit {pull.commit[:12]} cannot be compared with {base}",
                "look whether it was pushed to meanwhile, then run this again",
            ) from error
        return tuple(sorted(names))

    # Comments

    def upsert_comment(self, number: int, marker: str, body: str) -> Comment:
        text = body if body.startswith(marker) else f"{marker}\n{body}"
        _within_limit(_name(number), text)
        return self._sure(lambda: self._write_comment(number, marker, text))

    def _write_comment(self, number: int, marker: str, text: str) -> Comment:
        ours = next(
            (one for one in self._own_comments(number) if one.body.startswith(marker)), None
        )
        if ours and ours.body == text:
            return ours
        path = ("issues", "comments", ours.number) if ours else ("issues", number, "comments")
        ask = Ask(
            "PATCH" if ours else "POST",
            self.path(*path),
            _name(number),
            PULLS_WRITE,
            json={"body": text},
        )
        return self.api.parsed(_comment, self.api.send(ask).value)

    def _own_comments(self, number: int) -> Iterator[Comment]:
        ask = Ask("GET", self.path("issues", number, "comments"), _name(number), PULLS_READ)
        for page in self.api.pages(ask, size=self.size):
            for each in page:
                comment = self.api.parsed(_comment, each)
                if comment.author in self._own:
                    yield comment

    @cached_property
    def _own(self) -> frozenset[str]:
        return self.own_logins()

    def _sure(self, do: Callable[[], T]) -> T:
        """Look and write; look again when it is not known whether it was written."""
        try:
            return do()
        except Unsure:
            return do()

    # Commits and reviews

    def set_status(
        self, commit: str, name: str, state: State, text: str, url: str | None = None
    ) -> None:
        values = {"context": name, "state": state, "description": text[:DESCRIPTION_LIMIT]}
        ask = Ask(
            "POST",
            self.path("statuses", commit),
            f"commit {commit[:12]}",
            "`commit statuses: write`",
            json={**values, **({"target_url": url} if url else {})},
            repeatable=True,
        )
        self.api.send(ask)

    def statuses(self, commit: str) -> Iterator[Any]:
        """The newest status under each name, as the forge tells it."""
        ask = Ask(
            "GET",
            self.path("commits", commit, "status"),
            f"commit {commit[:12]}",
            "`commit statuses: read`",
        )
        for page in self.api.pages(ask, size=self.size):
            yield from self.api.parsed(lambda value: value["statuses"] or [], page)

    def own_status(self, commit: str, name: str) -> Status | None:
        # The newest under each name, as `statuses` has it, does not say who set it.
        ask = Ask(
            "GET",
            self.path("commits", commit, "statuses"),
            f"commit {commit[:12]}",
            "`commit statuses: read`",
        )
        ours = [
            self.api.parsed(self._numbered, each)
            for page in self.api.pages(ask, size=self.size)
            for each in page
            if self.api.parsed(_signed, each) in {(name, login) for login in self._own}
        ]
        # Numbers grow; the order of a list is not the same on every forge.
        return max(ours, key=lambda one: one[0])[1] if ours else None

    def _numbered(self, value: Any) -> tuple[int, Status]:
        return int(value["id"]), Status(self.state_of(value), value["target_url"] or None)

    def reviews(self, number: int) -> tuple[Review, ...]:
        ask = Ask("GET", self.path("pulls", number, "reviews"), _name(number), PULLS_READ)
        return tuple(
            self.api.parsed(self._review, each)
            for page in self.api.pages(ask, size=self.size)
            for each in page
        )

    def approvals(self, pull: Pull) -> tuple[str, ...]:
        return holding(self.reviews(pull.number), pull)

    def _review(self, value: Any) -> Review:
        state = value["state"]
        dismissed = state == "DISMISSED" or bool(value.get("dismissed"))
        commit = value.get("commit_id") or ""
        if state == "APPROVED":
            return Review(_author(value), commit, "approved", dismissed)
        if state in ("CHANGES_REQUESTED", "REQUEST_CHANGES", "DISMISSED"):
            return Review(_author(value), commit, "refused", dismissed)
        return Review(_author(value), commit, "other", dismissed)


def moved(number: int, commit: str) -> NotGood:
    """The refusal of what was meant for a commit that the head is not at any more."""
    return not_good(
        _name(number),
        f"is not at {commit[:12]} any more: it was pushed to meanwhile",
        "let its checks run for the commit it is at now",
    )


def _name(number: int) -> str:
    return f"pull request {number}"


def _author(value: Any) -> str:
    # An account that was deleted has no user; "ghost" is what the pages show.
    user = value["user"]
    return str(user["login"]) if user else "ghost"


def _signed(value: Any) -> tuple[str, str | None]:
    """The name of a status, and who set it."""
    return value["context"], value["creator"]["login"] if value["creator"] else None


def _comment(value: Any) -> Comment:
    return Comment(value["id"], _author(value), value["body"] or "", value["html_url"])


def _file(value: Any) -> tuple[str, ...]:
    before = value.get("previous_filename")
    return (value["filename"], before) if before else (value["filename"],)


def _within_limit(about: str, text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise bad_input(
            about,
            f"the text has {len(text):,} characters, a forge takes {TEXT_LIMIT:,}",
            "shorten it",
        )
    return text
