"""Rules about entering an environment: from where, when, and against whom."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from mlops.environments.case import Case, Finding, broken, met
from mlops.environments.champion import comparisons, gates_of, unmet
from mlops.environments.kinds import rollback_command
from mlops.environments.timeline import (
    Entry,
    held_before,
    known_releases,
    next_number,
    withdrawn,
)
from mlops.errors import MlopsError, Problem
from mlops.repository import Layout, Repository, release_path
from mlops.specs.decision import Comparison
from mlops.specs.environment import Environment


def number_new(case: Case) -> Finding:
    """The release's number is above all that any environment has held."""
    rule = "number"
    known = known_releases(case.repo.git, case.before, case.base, case.service)
    number, wanted = case.release.release, next_number(known)
    if number >= wanted:
        return met(rule, f"{number} is above all before")
    if held_before(case.entries, case.content):
        back = f"{rollback_command(case.change)} --to {number}"
        what = f"release {number} was here before and was taken back"
        return broken(rule, [Problem(case.path, what, f"to put it back: {back}")])
    what = f"release {number} is not newer than release {wanted - 1}, which was made before"
    if case.replaced and case.replaced.release == number:
        what = f"release {number} is there already with other bytes: none is ever edited, and each "
        what += "has a number of its own"
    fix = f"release again: mlops release {case.service}"
    return broken(rule, [Problem(case.path, what, fix)])


def source_merged(case: Case) -> Finding:
    """The source is in the history of the branch that the change goes to."""
    rule, source = "source", case.release.source.commit
    fix = f"merge it first, then release: mlops release {case.service}"
    if case.repo.git.commit_of(source) is None:
        what = f"source commit {source[:12]} is not a commit of this repository"
        return broken(rule, [Problem(case.path, what, fix)])
    if not case.repo.git.is_ancestor(source, case.base):
        what = f"source commit {source[:12]} is not in the history of {case.base[:12]}"
        return broken(rule, [Problem(case.path, what, fix)])
    return met(rule, f"{source[:12]} is merged")


def comes_from_previous(case: Case) -> Finding:
    """The bytes are those that the previous environment holds."""
    rule = "same bytes as in the previous environment"
    previous = case.before.previous(case.environment)
    if previous is None:
        return met(rule, f"{case.environment} is the first environment")
    held = case.before.tree.read(release_path(previous, case.service))
    if held == case.content:
        return met(rule, f"{previous} holds them")
    return broken(rule, [_not_from(case, previous)])


def _not_from(case: Case, previous: str) -> Problem:
    """Why a release may not come in: it skips an environment, differs, or was never there."""
    number = case.release.release
    order = case.before.order
    earlier = order[: order.index(previous)]
    for place in reversed(earlier):
        if case.before.tree.read(release_path(place, case.service)) == case.content:
            after = order[order.index(place) + 1]
            return Problem(
                case.path,
                f"release {number} is in {place} but not in {previous}, which it skips",
                f"promote it there first: mlops promote {case.service} --to {after}",
            )
    there = _held(case.before, previous, case.service)
    if there == number:
        return Problem(
            case.path,
            f"is not byte for byte the release {number} that {previous} holds",
            f"let the tool copy it: mlops promote {case.service} --to {case.environment}",
        )
    holds = f"holds release {there}" if there else "holds no release"
    promote = f"promote what {previous} holds: mlops promote {case.service} --to {case.environment}"
    return Problem(
        case.path,
        f"release {number} is in no environment before {case.environment} ({previous} {holds})",
        promote if there else f"release it first: mlops release {case.service}",
    )


def _held(layout: Layout, environment: str, service: str) -> int | None:
    try:
        release = layout.release(environment, service)
    except MlopsError:
        return None
    return release.release if release else None


def soaked(case: Case) -> Finding:
    """The previous environment was confirmed to serve the release for the time asked."""
    rule, asked = "time served before", case.env.soak
    previous = case.before.previous(case.environment)
    if previous is None or not asked:
        return met(rule, "none is asked for")
    since = serving_since(case.repo, previous, case.service, case.release.release)
    folder = f"environments/{previous}/{case.service}"
    wait = f"wait, then promote it: mlops promote {case.service} --to {case.environment}"
    if since is None:
        what = f"release {case.release.release} was never confirmed serving in {previous}"
        return broken(rule, [Problem(folder, what, f"see why: mlops status --env {previous}")])
    served = case.now - since
    said = f"release {case.release.release} has served {previous} for {words(served)}"
    if served < asked:
        what = f"{said}, {case.environment} asks for {words(asked)}"
        return broken(rule, [Problem(folder, what, wait)])
    return met(rule, f"{said}, {words(asked)} is asked for")


def serving_since(repo: Repository, environment: str, service: str, number: int) -> datetime | None:
    """Since when an environment has served a release without another in between."""
    from mlops.records import read

    since: datetime | None = None
    for record in read(repo.git, repo.project.forge.remote, (environment, service)):
        if record.kind != "serving":
            continue
        if record.release != number:
            since = None
        elif since is None:
            since = datetime.fromisoformat(record.at)
    return since


def words(span: timedelta) -> str:
    """A span of time for people: days and hours, or minutes and seconds when short."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    told = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(told) or "0 s"


def not_withdrawn(case: Case) -> Finding:
    """The release was not taken back here, or it is said why it is good now."""
    rule, number = "not withdrawn", case.release.release
    reason = withdrawn(case.entries).get(number)
    if reason is None:
        return met(rule, f"release {number} was never taken back in {case.environment}")
    again = case.decision.reason if case.decision else None
    if again:
        return met(rule, f"taken back before ({reason}), promoted again: {again}")
    return broken(rule, [taken_back(case.service, case.environment, number, reason)])


def taken_back(service: str, environment: str, number: int, reason: str) -> Problem:
    """A withdrawn release is promoted again without a word why it is good now."""
    return Problem(
        release_path(environment, service),
        f"release {number} was taken back in {environment}: {reason}",
        "release a correction, or say why it is good now: "
        f"mlops promote {service} --to {environment} --again REASON",
    )


def not_frozen(case: Case) -> Finding:
    """No freeze window of the environment is open."""
    problems = frozen(case.env, case.now.date())
    return broken("freeze", problems) if problems else met("freeze", "none today")


def frozen(env: Environment, today: date) -> list[Problem]:
    """Each freeze window of an environment that a day is in."""
    return [
        Problem(
            f"environments/{env.name}/env.yaml",
            f"nothing but a rollback enters {env.name} from {freeze.start} "
            f"to {freeze.end}: {freeze.reason}",
            "wait until it is over, or change `freeze` in a pull request of its own",
        )
        for freeze in env.freeze
        if freeze.start <= today <= freeze.end
    ]


def beats_the_champion(case: Case) -> Finding:
    """The comparison with what serves here, made anew, is the one stated, and it was won."""
    rule = "comparison with the champion"
    stated = case.decision.comparisons if case.decision else ()
    again = f"mlops promote {case.service} --to {case.environment}"
    try:
        found = comparisons(case.repo, case.release, case.replaced)
    except MlopsError as error:
        problems = [
            Problem(each.path, f"comparison not evaluated: {each.what}", each.fix)
            for each in error.problems
        ]
        return Finding(rule, "not evaluated: the stores it needs are not here", tuple(problems))
    if found != stated:
        path, what = f"{case.folder}/decision.yaml", "states another comparison than is found anew"
        return broken(rule, [Problem(path, what, f"make it anew: {again}")])
    source = case.repo.commit(case.release.source.commit)
    if lost := unmet(gates_of(source, found)):
        return broken(rule, lost)
    return met(rule, _won(found))


def _won(found: Sequence[Comparison]) -> str:
    told = [
        f"{one.model} {one.metric} {one.challenger_value:.4g} against {one.champion_value:.4g}"
        for one in found
    ]
    return f"made anew and equal: {', '.join(told)}" if told else "no gate is relative to it"


def held_here_before(case: Case) -> Finding:
    """A rollback's bytes are some that this environment has held."""
    rule = "held here before"
    entry = _when(case.entries, case.content)
    if entry is not None:
        return met(rule, f"since {entry.at[:10]} ({entry.commit[:12]} {entry.subject})")
    what = f"these bytes were never in {case.environment}, so it is no rollback"
    return broken(rule, [Problem(case.path, what, f"let the tool do it: {_way_back(case)}")])


def _way_back(case: Case) -> str:
    return rollback_command(case.change)


def _when(entries: Sequence[Entry], content: bytes) -> Entry | None:
    return next((entry for entry in reversed(entries) if entry.content == content), None)
