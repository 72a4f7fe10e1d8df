"""Promotion: the release that the previous environment holds, put into the next, byte for byte."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops.environments.champion import as_champion, comparisons, gates_of, unmet
from mlops.environments.entry_rules import frozen, taken_back
from mlops.environments.proposal import Proposal, Proposed, propose
from mlops.environments.timeline import held_before, timeline, withdrawn
from mlops.errors import NotGood, not_good
from mlops.forges import forge_of
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.repository import Layout, Repository, folder_of, release_path
from mlops.specs.decision import Comparison, Decision
from mlops.specs.evidence import GateResult
from mlops.specs.release import Release

Told = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """A promotion that may be made: which release comes from where to where."""

    service: str
    release: Release
    content: bytes
    came_from: str
    environment: str
    champion: Release | None
    again: str | None


def promote(
    repo: Repository,
    service: str,
    environment: str,
    *,
    number: int | None = None,
    again: str | None = None,
    tell: Told = lambda _: None,
) -> Proposed:
    """Open the pull request that promotes a release into an environment.

    Args:
        service: which service.
        environment: where it goes.
        number: the release expected in the previous environment; None takes what is there.
        again: why a release that was withdrawn there is promoted again.
        tell: called with each step in words.

    Raises:
        NotGood: when there is nothing to promote or a rule is broken; nothing is pushed then.
        BadInput: when the call or files are wrong.
    """
    forge = forge_of(repo)
    tell("fetching what the forge holds")
    forge.fetch()
    main = forge.main()
    wanted = what_to_promote(repo, main, service, environment, number=number, again=again)
    tell(f"comparing release {wanted.release.release} with what serves in {environment}")
    found = comparisons(repo, wanted.release, wanted.champion)
    gates = gates_of(repo.commit(wanted.release.source.commit), found)
    if problems := unmet(gates):
        raise NotGood(problems)
    tell("checking the rules")
    return propose(repo, forge, _proposal(wanted, found, gates))


def what_to_promote(
    repo: Repository,
    main: str,
    service: str,
    environment: str,
    *,
    number: int | None = None,
    again: str | None = None,
) -> Wanted:
    """What a promotion would take where; raises `NotGood` when it may not be made."""
    layout = repo.commit(main)
    came_from = _previous(layout, service, environment)
    release = _held(layout, service, came_from, environment, number)
    path = release_path(came_from, service)
    content = layout.tree.read(path) or b""
    held = Thing("release", service, str(release.release))
    told.read_in_commit(repo.root / path, content, held)
    wanted = Wanted(
        service=service,
        release=release,
        content=content,
        came_from=came_from,
        environment=environment,
        champion=layout.release(environment, service),
        again=again,
    )
    _check_place(repo, main, layout, wanted)
    if problems := frozen(layout.environment(environment), datetime.now(UTC).date()):
        raise NotGood(problems)
    return wanted


def _previous(layout: Layout, service: str, environment: str) -> str:
    previous = layout.previous(environment)
    if previous is None:
        raise not_good(
            folder_of(environment, service),
            f"{environment} is the first environment, nothing is promoted into it",
            f"mlops release {service}",
        )
    return previous


def _held(
    layout: Layout, service: str, came_from: str, environment: str, number: int | None
) -> Release:
    """The release that the previous environment holds, when it is the one asked for."""
    release = layout.release(came_from, service)
    if release is not None and number in (None, release.release):
        return release
    what = f"holds release {release.release}" if release else "holds no release"
    asked = f", not release {number}" if release and number else ""
    raise not_good(
        folder_of(came_from, service),
        f"{what}{asked}, and a promotion to {environment} takes what {came_from} holds",
        _way(layout, service, came_from, environment, number),
    )


def _way(layout: Layout, service: str, came_from: str, environment: str, number: int | None) -> str:
    """How the release asked for gets to where it can be promoted from."""
    earlier = layout.order[: layout.order.index(came_from)]
    for place in reversed(earlier):
        there = layout.release(place, service)
        if there is not None and number in (None, there.release):
            after = layout.order[layout.order.index(place) + 1]
            return f"promote release {there.release} first: mlops promote {service} --to {after}"
    if layout.release(came_from, service) is not None:
        return f"promote what is there: mlops promote {service} --to {environment}"
    return f"release it first: mlops release {service}"


def _check_place(repo: Repository, main: str, layout: Layout, wanted: Wanted) -> None:
    folder = folder_of(wanted.environment, wanted.service)
    number = wanted.release.release
    if layout.tree.read(f"{folder}/release.yaml") == wanted.content:
        raise not_good(
            folder,
            f"holds release {number} already",
            f"nothing is left to do: mlops status --env {wanted.environment}",
        )
    entries = timeline(repo.git, main, wanted.environment, wanted.service)
    reason = withdrawn(entries).get(number)
    if reason and not wanted.again:
        raise NotGood(taken_back(wanted.service, wanted.environment, number, reason))
    now = wanted.champion.release if wanted.champion else 0
    if number < now:
        raise _older(wanted, now, held=held_before(entries, wanted.content))


def _older(wanted: Wanted, now: int, *, held: bool) -> NotGood:
    """An older release never takes the place of a newer one by promotion."""
    number, environment = wanted.release.release, wanted.environment
    return not_good(
        folder_of(environment, wanted.service),
        f"holds release {now}, which is newer than release {number} of {wanted.came_from}",
        f"that is a rollback: mlops rollback {wanted.service} --env {environment} --to {number}"
        if held
        else f"promote a newer one to {wanted.came_from} first",
    )


def _proposal(
    wanted: Wanted, found: tuple[Comparison, ...], gates: tuple[GateResult, ...]
) -> Proposal:
    number, environment = wanted.release.release, wanted.environment
    decision = Decision(
        kind="promotion",
        service=wanted.service,
        environment=environment,
        release=number,
        came_from=wanted.came_from,
        champion=as_champion(wanted.champion),
        comparisons=found,
        checks=gates,
        reason=wanted.again,
    )
    return Proposal(
        branch=branch_of(wanted.service, number, environment),
        release=wanted.release,
        content=wanted.content,
        decision=decision,
        champion=wanted.champion,
        undo=undo_lines(wanted.service, environment, wanted.champion),
    )


def branch_of(service: str, number: int, environment: str) -> str:
    """The branch of a promotion's pull request."""
    return f"promote/{service}-{number}-to-{environment}"


def undo_lines(service: str, environment: str, champion: Release | None) -> tuple[str, ...]:
    """How a merged promotion or release is undone, one line each."""
    find = f"git log --first-parent -1 --format=%H -- {release_path(environment, service)}"
    lines = ("# as long as nothing else has changed there since:", f"git revert $({find})")
    if champion is None:
        return lines
    restore = f"mlops rollback {service} --env {environment} --to {champion.release}"
    return (*lines, "# at any time, as a pull request:", restore)
