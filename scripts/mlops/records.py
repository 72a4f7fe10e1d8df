"""What only the world knows, such as when a release was confirmed serving, kept on the remote.

Each record is one commit with an empty tree on refs/mlops/records, its message the record; so
`git log` reads them, and nobody's appending can lose another's: a push that is not on top of
what is there is refused, and tried again.
"""

import json
import random
import time

from pydantic import Field

from mlops import digests
from mlops.errors import bad_input
from mlops.git import Git, GitFailed
from mlops.specs.base import Commit, Name, Spec, validated

REF = "refs/mlops/records"
_AUTHOR = ("-c", "user.name=mlops", "-c", "user.email=mlops@localhost")


class Record(Spec):
    """One thing that happened in an environment."""

    kind: Name = Field(description="`serving`: the release was confirmed serving")
    environment: Name
    service: Name
    release: int = Field(ge=1)
    at: str = Field(description="UTC, ISO 8601")
    commit: Commit = Field(description="of the environment's files then")
    detail: str = ""


def append(git: Git, remote: str, record: Record, *, patience: float = 20) -> str:
    """Add a record on top of those on the remote, and return its commit.

    Others may append at the same time, from this repository or another. A record that is
    there already (equal in all fields) is not added again.

    Args:
        git: any repository; nothing but objects and a cached ref is written to it.
        remote: name or URL.
        record: what to add.
        patience: seconds to go on trying.

    Raises:
        BadInput: when the remote does not take it.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return _append_once(git, remote, record)
        except GitFailed as error:
            if time.monotonic() > deadline:
                raise bad_input(
                    remote,
                    f"the record could not be appended to {REF} ({_reason(error.text)})",
                    "check that this account may push it",
                ) from error
        # Many may be at it: waits differ, so that they do not meet again.
        time.sleep(random.uniform(0.01, 0.15))  # noqa: S311 - no secret, it spreads the tries


def _append_once(git: Git, remote: str, record: Record) -> str:
    tip = _tip(git, remote)
    known = _known(git, tip, _title(record)).get(record) if tip else None
    if known:
        return known
    tree = git.run("hash-object", "-w", "-t", "tree", "--stdin", stdin=b"").decode().strip()
    parents = ("-p", tip) if tip else ()
    commit = git.text(*_AUTHOR, "commit-tree", tree, *parents, "-m", message(record))
    git.run("push", "--quiet", "--no-verify", remote, f"{commit}:{REF}")
    return commit


def read(git: Git, remote: str, place: tuple[str, str] | None = None) -> list[Record]:
    """The records of the remote, oldest first; none when it has none.

    Where the remote cannot be read (offline, or in a job that has no way to log in), those that
    were fetched before count.

    Args:
        git: any repository; what is fetched stays in it.
        remote: name or URL.
        place: an environment and a service: only theirs.

    Raises:
        BadInput: when none can be read or a record is not one.
    """
    tip = _newest(git, remote)
    found = _known(git, tip, f" {'/'.join(place)} " if place else "") if tip else {}
    return [one for one in found if place in (None, (one.environment, one.service))]


def _newest(git: Git, remote: str) -> str | None:
    """The newest record of the remote, or else that which was fetched last."""
    try:
        return _tip(git, remote)
    except GitFailed as error:
        if here := git.commit_of(REF):
            return here
        raise bad_input(
            remote,
            f"{REF} could not be read ({_reason(error.text)})",
            "check the address and your access",
        ) from error


def _known(git: Git, tip: str, words: str) -> dict[Record, str]:
    """Records up to a commit whose message holds the words, oldest first, with their commits.

    Git leaves out what does not hold them: of very many records few are parsed.
    """
    asked = ("log", "-z", "--reverse", "--format=%H%n%b", "--fixed-strings", f"--grep={words}")
    entries = git.run(*asked, tip).decode().split("\0")
    pairs = (entry.split("\n", 1) for entry in entries if entry.strip())
    return {_parsed(commit, body): commit for commit, body in pairs}


def _parsed(commit: str, body: str) -> Record:
    path = f"{REF}@{commit[:12]}"
    try:
        value = json.loads(body)
    except ValueError as error:
        raise bad_input(path, "is not a record", "restore the ref to the commit before") from error
    return validated(value, path, Record)


def message(record: Record) -> str:
    """The message of a record's commit."""
    body = digests.canonical_json(record.model_dump(mode="json")).decode()
    return f"{_title(record)}\n\n{body}"


def _title(record: Record) -> str:
    return f"{record.kind} {record.environment}/{record.service} release {record.release}"


def _tip(git: Git, remote: str) -> str | None:
    """The remote's newest record, its history fetched."""
    listed = git.text("ls-remote", remote, REF)
    if not listed:
        return None
    tip = listed.split()[0]
    if not _has(git, tip):
        git.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, REF)
    _cache(git, tip)
    return tip


def _has(git: Git, commit: str) -> bool:
    return git.commit_of(commit) is not None


def _cache(git: Git, tip: str) -> None:
    """Keep a ref to what was fetched, so that the next fetch brings only what is new."""
    try:
        git.run("update-ref", REF, tip)
    except GitFailed:
        return  # another process is at it; it is only a cache


def _reason(text: str) -> str:
    """The line of Git's answer that says why."""
    lines = text.splitlines() or ["no answer"]
    told = [line for line in lines if line.startswith(("fatal: ", "error: ", "!"))]
    return (told or lines)[0].removeprefix("fatal: ")
