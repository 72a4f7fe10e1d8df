"""Rollback: a release that an environment held before, put back under today's settings."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from mlops.environments.champion import as_champion
from mlops.environments.proposal import Proposal, Proposed, commit_files, propose, same_commit
from mlops.environments.timeline import Entry, predecessor, timeline, withdrawn
from mlops.errors import bad_input, not_good
from mlops.forges import Forge, PullRequest, forge_of
from mlops.repository import Layout, Repository, folder_of, release_path
from mlops.specs.decision import Decision
from mlops.specs.release import Release

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_SHOWN = 60
"""So many characters of what is no name are told."""


@dataclass(frozen=True)
class Place:
    """A service in an environment, and all it has held up to a commit."""

    repo: Repository
    main: str
    environment: str
    service: str

    @cached_property
    def entries(self) -> list[Entry]:
        """Oldest first."""
        return timeline(self.repo.git, self.main, self.environment, self.service)

    @property
    def folder(self) -> str:
        """environments/<environment>/<service>."""
        return folder_of(self.environment, self.service)

    @cached_property
    def layout(self) -> Layout:
        """The files of the commit."""
        return self.repo.commit(self.main)


@dataclass(frozen=True)
class RolledBack:
    """The pull request of the release, and of the data pins when asked for and not so already."""

    release: Proposed
    data: PullRequest | None


class Overtaken(Exception):
    """Main holds another release by now than the one that was to be taken back."""


def roll_back(
    repo: Repository,
    service: str,
    environment: str,
    *,
    number: int | None = None,
    if_release: int | None = None,
    reason: str | None = None,
    with_data: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> RolledBack:
    """Open the pull request that puts an earlier release back.

    Args:
        service: which service.
        environment: where.
        number: which release; None takes the one that the release held now took the place of.
        if_release: the one to be taken back: for what tells of it late, twice, or lies.
        reason: why, for the decision and the reviewer.
        with_data: also open a pull request for the data pins of that release's source commit,
            so that the next training starts from them.
        tell: called with each step in words.

    Raises:
        Overtaken: when main does not hold `if_release`; nothing is done then.
        NotGood: when there is nothing to go back to or a rule is broken; nothing is pushed then.
        BadInput: when the call or files are wrong.
    """
    _check_name(environment, service)
    forge = forge_of(repo)
    tell("fetching what the forge holds")
    forge.fetch()
    place = Place(repo, forge.main(), environment, service)
    place.layout.known(environment)
    if if_release is not None:
        _check_held(place, if_release)
    target = _target(place, number)
    _check_target(place, target, reason)
    tell("checking the rules")
    proposed = propose(repo, forge, _proposal(place, target, reason))
    data = _data(place, forge, proposed.proposal.release) if with_data else None
    return RolledBack(proposed, data)


def _check_name(environment: str, service: str) -> None:
    """What is no name would be a pattern to Git, or lead out of the environment's folder."""
    for name in (environment, service):
        if not NAME.fullmatch(name):
            shown = name.encode("unicode_escape").decode()[:LONGEST_SHOWN]
            raise bad_input(
                f"`{shown}`",
                "is not a name: lower-case letters, digits and single hyphens",
                "name a folder of apps/ and an environment of mlops.toml",
            )


def _check_held(place: Place, number: int) -> None:
    """Whether main holds that release, and it alone made the cluster what it was told to be."""
    folder, entries = place.folder, place.entries
    now = entries[-1].release if entries else None
    if now is None or now.release != number:
        held = f"release {now.release}" if now else "no release that can be read"
        raise Overtaken(f"{folder}: holds {held} by now, not {number}; nothing is to be done")
    path = f"{folder}/manifests.yaml"
    log = ("log", "--first-parent", "-1", "--format=%H", place.main, "--", path)
    last = place.repo.git.text(*log)
    if last and last != entries[-1].commit:
        raise not_good(
            folder,
            f"what runs changed after release {number} came, by {last[:12]}: the release may be "
            "good",
            f"look at that commit and git revert it, or {_command(place)} --reason TEXT",
        )


def _command(place: Place) -> str:
    return f"mlops rollback {place.service} --env {place.environment}"


def _check_target(place: Place, target: Entry, reason: str | None) -> None:
    number = _number(target)
    if target.content == place.entries[-1].content:
        raise not_good(
            place.folder,
            f"holds release {number} already",
            f"nothing is left to do: mlops status --env {place.environment}",
        )
    taken_back = withdrawn(place.entries).get(number)
    if taken_back and not reason:
        raise not_good(
            place.folder,
            f"release {number} was itself taken back here: {taken_back}",
            "say why it is good now: "
            f"mlops rollback {place.service} --env {place.environment} --to {number} --reason TEXT",
        )


def _target(place: Place, number: int | None) -> Entry:
    """The newest entry of the release asked for, or of the one to go back to."""
    entries = place.entries
    found = _before(entries) if number is None else _newest(entries, number)
    if found is not None:
        return found
    held = ", ".join(map(str, sorted({_number(one) for one in entries if one.release})))
    if not held:
        what, fix = "has never held a release", f"mlops history {place.service}"
        raise not_good(place.folder, what, f"look where one is: {fix}")
    if number is not None:
        what, fix = f"has never held release {number}", f"name one that it held: {held}"
        raise bad_input(place.folder, what, fix)
    raise not_good(
        place.folder,
        "held no release before the one it holds now",
        f"release what was corrected: mlops release {place.service}",
    )


def _before(entries: Sequence[Entry]) -> Entry | None:
    """The predecessor; when what is there now cannot be read, the newest that can."""
    broken = entries and entries[-1].release is None and entries[-1].content is not None
    if not broken:
        return predecessor(entries)
    return next((one for one in reversed(entries) if one.release), None)


def _newest(entries: Sequence[Entry], number: int) -> Entry | None:
    return next((one for one in reversed(entries) if one.release and _number(one) == number), None)


def _number(entry: Entry) -> int:
    assert entry.release is not None  # noqa: S101 - callers have looked
    return entry.release.release


def _proposal(place: Place, target: Entry, reason: str | None) -> Proposal:
    now, release = place.entries[-1].release, target.release
    assert release is not None  # noqa: S101 - a target is one that can be read
    assert target.content is not None  # noqa: S101 - for the type checker
    decision = Decision(
        kind="rollback",
        service=release.service,
        environment=place.environment,
        release=release.release,
        champion=as_champion(now),
        reason=reason,
    )
    return Proposal(
        branch=f"rollback/{place.service}-{place.environment}-to-{release.release}",
        release=release,
        content=target.content,
        decision=decision,
        champion=now,
        undo=undo_of_rollback(place.service, place.environment, now),
        plain_revert=plain_revert(place, target),
    )


def undo_of_rollback(service: str, environment: str, now: Release | None) -> tuple[str, ...]:
    """How a merged rollback is undone; `now` is what serves before it.

    A revert of it would bring a withdrawn release back without a word why.
    """
    if now is None:
        return (f"mlops history {service} --env {environment}",)
    back = f"mlops rollback {service} --env {environment} --to {now.release}"
    return (f"{back} --reason TEXT",)


def plain_revert(place: Place, target: Entry) -> Entry | None:
    """The newest change, when `git revert` of it alone gives what this rollback gives.

    That is so when it is what replaced the target, is no merge commit, nothing touched the
    folder since, and no other environment needs what it added (a release's evidence).
    """
    git, entries, folder = place.repo.git, place.entries, place.folder
    newest = entries[-1]
    last = git.text("log", "--first-parent", "-1", "--format=%H", place.main, "--", folder)
    parents = git.text("rev-parse", f"{newest.commit}^@").split()
    if len(entries) < 2 or entries[-2].content != target.content:
        return None
    if newest.release and _number(target) > newest.release.release:
        return None  # the withdrawn one, which takes a reason
    if last != newest.commit or len(parents) != 1:
        return None
    changed = git.changed(parents[0], newest.commit)
    outside = [path for path in changed if not path.startswith(f"{folder}/")]
    return None if outside and _held_elsewhere(place, newest) else newest


def _held_elsewhere(place: Place, entry: Entry) -> bool:
    others = [name for name in place.layout.order if name != place.environment]
    paths = [release_path(name, place.service) for name in others]
    return any(place.layout.tree.read(path) == entry.content for path in paths)


def _data(place: Place, forge: Forge, release: Release) -> PullRequest | None:
    """A pull request for the data pins of the release; None when main pins them already."""
    files = _pins(place, release)
    if not files:
        return None
    subject = f"Pin the data of {release.service} {release.release} again"
    branch = f"rollback/{release.service}-data-of-{release.release}"
    commit = commit_files(place.repo, place.main, files, subject)
    there = forge.waiting(branch)
    commit = there if there and same_commit(place.repo, there, commit) else commit
    listed = "\n".join(f"- `{path}`" for path in files)
    text = (
        f"The next training starts from the data of release {release.release} "
        f"(source `{release.source.commit[:12]}`). Nothing that serves changes.\n\n{listed}\n\n"
        "To undo it after the merge: `git revert` the merged commit.\n"
    )
    return forge.open_pull_request(branch, commit, subject, text, replaces=there)


def _pins(place: Place, release: Release) -> dict[str, bytes]:
    """The data pins of the release's source commit that differ from today's."""
    source = place.repo.commit(release.source.commit)
    paths = [f"data-contracts/{pin.name}.dvc" for pin in release.datasets]
    found = {path: content for path in paths if (content := source.tree.read(path))}
    now = place.layout.tree
    return {path: content for path, content in found.items() if now.read(path) != content}
