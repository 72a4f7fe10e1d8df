"""A change of one service in one environment: one commit, held to the rules, then pushed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops.environments.case import Case
from mlops.environments.differences import (
    Difference,
    commits_between,
    differences,
    evidence_of,
    rows_of,
)
from mlops.environments.facts import facts
from mlops.environments.pull_request import Story, body, title
from mlops.environments.timeline import Entry
from mlops.errors import NotGood, bad_input
from mlops.forges import Forge, PullRequest
from mlops.git import GitFailed
from mlops.lineage import told
from mlops.lineage.told import FILE, Thing
from mlops.repository import Layout, Repository, evidence_path, folder_of, release_path
from mlops.specs.base import parse, to_yaml
from mlops.specs.decision import Decision
from mlops.specs.evidence import GateResult
from mlops.specs.release import Release

if TYPE_CHECKING:
    from mlops.environments.rules import Verdict

SCHEMAS = "../../../scripts/mlops/specs/schemas"
RELEASE_SCHEMA = f"{SCHEMAS}/release.schema.json"
DECISION_SCHEMA = f"{SCHEMAS}/decision.schema.json"


@dataclass(frozen=True)
class Proposal:
    """What a pull request is to change.

    Attributes:
        branch: its name.
        release: what is to serve.
        content: the bytes of release.yaml.
        decision: why.
        champion: what serves there now.
        undo: how to undo it after the merge, one command a line.
        files: more files, by path.
        plain_revert: for a rollback, see `pull_request.Story`.
    """

    branch: str
    release: Release
    content: bytes
    decision: Decision
    champion: Release | None
    undo: Sequence[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    plain_revert: Entry | None = None


@dataclass(frozen=True)
class Proposed:
    """An open pull request and what its checks said."""

    proposal: Proposal
    pull_request: PullRequest
    checks: tuple[GateResult, ...]


def propose(repo: Repository, forge: Forge, proposal: Proposal) -> Proposed:
    """Commit on the forge's main, check by the rules, push, write the text.

    Nothing is pushed, and no ref of the clone moves, unless every rule is met. Killed at any
    moment and run again, it gives the same branch.

    Raises:
        NotGood: with every rule that is broken.
        BadInput: when files are wrong or the branch is taken by something else.
    """
    from mlops.environments.rules import check_change

    main = forge.main()
    commit = _commit(repo, main, proposal)
    _tell_written(repo, commit, proposal)
    there = _there(repo, forge, proposal, main)
    if there and same_commit(repo, there, commit):
        commit = there
    verdict = check_change(repo, main, commit)
    if verdict.problems:
        raise NotGood(verdict.problems)
    story = _story(repo, main, commit, proposal, verdict)
    opened = forge.open_pull_request(
        proposal.branch, commit, title(proposal.decision), body(story), replaces=there
    )
    return Proposed(proposal, opened, verdict.checks)


def _tell_written(repo: Repository, commit: str, proposal: Proposal) -> None:
    release, evidence = proposal.release, proposal.release.evidence.digest
    things = {
        f"{folder_of(proposal.decision.environment, release.service)}/release.yaml": Thing(
            "release", release.service, str(release.release)
        ),
        evidence_path(release.service, evidence): Thing("evidence", release.service, evidence),
    }
    paths = repo.git.changed(f"{commit}^", commit)
    contents = repo.git.contents([f"{commit}:{path}" for path in paths])
    for path, content in zip(paths, contents, strict=True):
        if content is not None:
            told.wrote_in_commit(repo.root / path, content, things.get(path, FILE))


def _commit(repo: Repository, main: str, proposal: Proposal) -> str:
    folder = folder_of(proposal.decision.environment, proposal.decision.service)
    files = {
        **proposal.files,
        f"{folder}/release.yaml": proposal.content,
        f"{folder}/decision.yaml": to_yaml(proposal.decision, schema=DECISION_SCHEMA).encode(),
        f"{folder}/manifests.yaml": _manifests(repo, repo.commit(main), proposal).encode(),
    }
    return commit_files(repo, main, files, title(proposal.decision))


def commit_files(repo: Repository, parent: str, files: Mapping[str, bytes], message: str) -> str:
    """`Git.commit_files`, with a clear word when Git does not know who commits."""
    try:
        return repo.git.commit_files(parent, files, message)
    except GitFailed as error:
        if "ident" not in error.text:
            raise
        raise bad_input(
            "git",
            "does not know who commits here",
            "git config user.name NAME && git config user.email ADDRESS",
        ) from error


def _manifests(repo: Repository, layout: Layout, proposal: Proposal) -> str:
    from mlops.environments.manifests import render

    environment, service = proposal.decision.environment, proposal.decision.service
    return render(
        repo,
        environment,
        proposal.release,
        layout.environment(environment),
        layout.settings(environment, service),
    )


def _there(repo: Repository, forge: Forge, proposal: Proposal, main: str) -> str | None:
    """The commit of the branch on the forge, when it may be replaced.

    Raises:
        BadInput: when it holds more than one commit or another release.
    """
    there = forge.waiting(proposal.branch)
    if there is None:
        return None
    count = int(repo.git.text("rev-list", "--count", f"{main}..{there}"))
    if count > 1 or not _may_be_replaced(repo, there, proposal):
        remote = repo.project.forge.remote
        raise bad_input(
            proposal.branch,
            f"is on {remote} already with other content",
            f"merge it, or give it up: git push {remote} --delete {proposal.branch}",
        )
    return there


def _may_be_replaced(repo: Repository, there: str, proposal: Proposal) -> bool:
    """Whether a branch waits with the same content, or with a release of an older source.

    A release that nobody has merged is overtaken by that of a newer commit, never the reverse.
    """
    path = release_path(proposal.decision.environment, proposal.decision.service)
    content = repo.commit(there).tree.read(path)
    if content == proposal.content or content is None:
        return content is not None
    if proposal.decision.kind != "release":
        return False
    waiting, source = parse(content, path, Release).source.commit, proposal.release.source.commit
    return repo.git.commit_of(waiting) is not None and repo.git.is_ancestor(waiting, source)


def same_commit(repo: Repository, there: str, commit: str) -> bool:
    def told(one: str) -> str:
        return repo.git.text("rev-parse", f"{one}^{{tree}}", f"{one}^@")

    return told(there) == told(commit)


def _story(
    repo: Repository, main: str, commit: str, proposal: Proposal, verdict: "Verdict"
) -> Story:
    layout, champion, release = repo.commit(commit), proposal.champion, proposal.release
    environment, service = proposal.decision.environment, proposal.decision.service
    manifests = f"{folder_of(environment, service)}/manifests.yaml"
    told = (*verdict.checks, *proposal.decision.checks)
    return Story(
        decision=proposal.decision.model_copy(update={"checks": told}),
        release=release,
        champion=champion,
        evidence=evidence_of(layout, release),
        differences=_differences(repo.commit(main), layout, champion, release),
        commits=commits_between(repo, champion, release) if champion else [],
        undone=commits_between(repo, release, champion) if champion else [],
        rendered=repo.git.run(
            "diff", "--no-color", "--no-ext-diff", main, commit, "--", manifests
        ).decode(errors="replace"),
        undo=proposal.undo,
        plain_revert=proposal.plain_revert,
        facts=facts(Case(repo, main, commit, verdict.change, datetime.now(UTC)))
        if verdict.change
        else (),
    )


def _differences(
    before: Layout, after: Layout, champion: Release | None, release: Release
) -> list[Difference]:
    if champion is None:
        return []
    return differences(
        champion,
        release,
        rows_before=rows_of(before, champion),
        rows_after=rows_of(after, release),
    )
