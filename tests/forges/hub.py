"""A small GitHub on loopback, held to GitHub's own OpenAPI description.

Every request is checked against the description (path, method, query, body), and so is every
answer, which is made from the description's examples. Branches are those of a real bare
repository. What it does beyond the description (who may, what a merge needs) is little; that is
shown on a real Gitea by the same tests.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.forges.described import Description, Operation
from tests.team import git

PREFIX = "/api/v3"
REPO = "/repos/{owner}/{repo}"


@dataclass(frozen=True)
class Said:
    """An answer: status, value, and whether a next page is there."""

    status: int
    value: Any
    more: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One request, and who sent it."""

    operation: Operation
    query: Mapping[str, str]
    body: Any
    user: str


class Hub:
    """The state of one repository on it.

    Attributes:
        wrong: what was asked or answered that the description does not know.
        seen: the requests, as `METHOD template`.
        busy: answers to give before looking at requests, first one first.
        lost: requests that are done, and their answer is a bad gateway's, each once.
        changed_files: how many files a pull request says it changes, when not as listed.
    """

    def __init__(
        self, description: Description, bare: Path, repository: str, answers: "Answers"
    ) -> None:
        self.description = description
        self.answers = answers
        self.bare = bare
        self.repository = repository
        self.wrong: list[str] = []
        self.seen: list[str] = []
        self.busy: list[Said] = []
        self.lost: list[tuple[str, str]] = []
        self.pulls: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.reviews: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.workflow_runs: list[dict[str, Any]] = []
        self.rulesets: list[dict[str, Any]] = []
        self.listed: list[dict[str, Any]] | None = None
        self.changed_files: int | None = None
        self.merge_refusals: list[Said] = []
        self.lock = threading.Lock()

    def answer(self, method: str, target: str, body: Any, token: str) -> Said:
        """The answer to a request; what is wrong with either is noted."""
        parts = urlsplit(target)
        path = parts.path.removeprefix(PREFIX)
        operation = self.description.operation(method, path)
        if operation is None or not parts.path.startswith(PREFIX):
            self.wrong.append(f"{method} {parts.path} is not described")
            return Said(404, {"message": "Not Found"})
        self.seen.append(f"{method} {operation.template}")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        found = self.description.wrong_request(operation, query, body)
        with self.lock:
            said = self._said(Request(operation, query, body, token.removeprefix("token-of-")))
        if said.status < 300:
            found += self.description.wrong_answer(operation, said.status, said.value)
        self.wrong += [f"{method} {path}: {each}" for each in found]
        return said

    def _said(self, request: Request) -> Said:
        if self.busy:
            return self.busy.pop(0)
        if request.user == "nobody":
            return Said(401, {"message": "Bad credentials"})
        values = request.operation.values
        if "owner" in values and f"{values['owner']}/{values['repo']}" != self.repository:
            return Said(404, {"message": "Not Found"})
        name = (request.operation.method, request.operation.template.removeprefix(REPO))
        if name not in self.answers:
            self.wrong.append(f"{name} is not answered here")
            return Said(501, {"message": "not answered here"})
        said = self.answers[name](self, request)
        if name in self.lost:
            self.lost.remove(name)
            return Said(502, {"message": "Bad gateway"})
        return said

    def head(self, branch: str) -> str:
        """The commit of a branch."""
        return git(self.bare, "rev-parse", f"refs/heads/{branch}")

    def pull_of(self, request: Request) -> dict[str, Any] | None:
        number = int(request.operation.values["pull_number"])
        return next((pull for pull in self.pulls if pull["number"] == number), None)


Answers = Mapping[tuple[str, str], Callable[[Hub, Request], Said]]
"""Method and path below the repository, to what answers there."""
