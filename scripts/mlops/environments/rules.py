"""The rules of a pull request that touches environments/, by its kind."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops.environments import clusters
from mlops.environments import entry_rules as entry
from mlops.environments import evidence_rules as evidence
from mlops.environments.case import Case, Finding, broken, met
from mlops.environments.kinds import MANIFESTS, Change, Kind, rollback_command, tell
from mlops.environments.manifests import is_rendered_alike, stale
from mlops.environments.parsing import unreadable
from mlops.errors import BadInput, MlopsError, NotGood, Problem
from mlops.repository import Layout, Repository
from mlops.specs.decision import Champion
from mlops.specs.evidence import GateResult

Rule = Callable[[Case], Finding]


@dataclass(frozen=True)
class Verdict:
    """What was found of a change; it is good when there are no problems."""

    change: Change | None
    checks: tuple[GateResult, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def kind(self) -> Kind | None:
        """The kind; None when environments/ is not touched or it is not one kind."""
        return self.change.kind if self.change else None


def check_change(repo: Repository, base: str, head: str, *, now: datetime | None = None) -> Verdict:
    """Judge the committed change from `base` to `head` by the rules of its kind.

    What counts is the change since the commit both have in common, as a forge shows it.

    Args:
        repo: a clone that has both, and the stores for what is made anew.
        base: revision of the branch it goes to.
        head: revision of the change.
        now: the moment of the judgement (UTC), default the present.

    Raises:
        BadInput: when a revision is unknown, or with every problem of files that cannot be read.
    """
    tip = repo.commit_id(head)
    start = repo.git.merge_base(base, tip) or repo.commit_id(base)
    before, after = repo.commit(start), repo.commit(tip)
    changed = repo.git.changed(start, tip)
    if not any(path.startswith("environments/") for path in changed):
        return _without_kind(after, changed)
    if problems := unreadable(after, changed):
        raise BadInput(problems)
    try:
        change = tell(before, after, changed)
    except NotGood as refused:
        found = GateResult(gate="one kind", passed=False, detail="it is not exactly one kind")
        return Verdict(None, (found,), refused.problems)
    if change is None:
        return Verdict(None)
    case = Case(repo, start, tip, change, now or datetime.now(UTC))
    return _verdict(case, before)


def _without_kind(after: Layout, changed: Collection[str]) -> Verdict:
    """Of a change beside environments/, that what is rendered from it is current."""
    if not any(clusters.concerns(path) for path in changed):
        return Verdict(None)
    found = clusters_follow(after)
    return Verdict(None, (found.result,), found.problems)


def _verdict(case: Case, before: Layout) -> Verdict:
    findings = [met("one kind", str(case.change)), *(rule(case) for rule in _rules(case, before))]
    # Two rules may stumble over the same thing: it is told once.
    problems = dict.fromkeys(problem for finding in findings for problem in finding.problems)
    return Verdict(case.change, tuple(finding.result for finding in findings), tuple(problems))


def _rules(case: Case, before: Layout) -> tuple[Rule, ...]:
    if case.change.kind != "create":
        return RULES[case.change.kind]
    if case.after.release(case.environment, case.service) is None:
        return (manifests_current, applications_differ, entry.not_frozen)
    first = case.after.previous(case.environment) is None
    return (*RULES["release" if first else "promotion"], applications_differ)


def manifests_current(case: Case) -> Finding:
    """manifests.yaml is what the files beside it render to."""
    rule = "manifests are current"
    try:
        found = stale(case.repo, case.after, [case.environment], _rendered_by(case))
    except MlopsError as error:
        return broken(rule, error.problems)
    if not found:
        return met(rule, "rendering gives the same bytes")
    return broken(rule, [_stale(case, path, text) for path, text in sorted(found.items())])


def clusters_current(case: Case) -> Finding:
    """What Argo CD and the clusters get of the environments is what their files render to."""
    return clusters_follow(case.after)


def clusters_follow(layout: Layout) -> Finding:
    """Whether the rendered files of whole environments are current in a tree."""
    rule = "files for the clusters are current"
    try:
        found = clusters.stale(layout)
    except MlopsError as error:
        return broken(rule, error.problems)
    if not found:
        given = layout.project.watched
        return met(rule, "rendering gives the same bytes" if given else "none: no Argo CD")
    problems = [clusters.stale_problem(layout, path, found[path]) for path in sorted(found)]
    return broken(rule, problems)


def applications_differ(case: Case) -> Finding:
    """A new service's Application has a name that no other has."""
    rule = "its Application's name is free"
    try:
        problems = clusters.shared(case.after) if case.after.project.watched else []
    except MlopsError as error:
        return broken(rule, error.problems)
    return broken(rule, problems) if problems else met(rule, f"{case.environment}-{case.service}")


def _rendered_by(case: Case) -> Collection[str] | None:
    """The services that the change renders; None when it is all of the environment."""
    if case.change.service:
        return [case.service]
    try:
        alike = is_rendered_alike(case.before.environment(case.environment), case.env)
    except MlopsError:
        return None
    if case.change.kind != "environment" or not alike:
        return None
    paths = (path.split("/") for path in case.repo.git.changed(case.base, case.head))
    return {path[2] for path in paths if path[0] == "environments" and path[3:] == [MANIFESTS]}


def _stale(case: Case, path: str, text: str | None) -> Problem:
    if text is None:
        return Problem(path, "lies beside no release", "run `mlops render` and commit the result")
    what = "is not what the files beside it render to"
    if case.change.kind == "rollback":
        fix = (
            f"render the earlier release against today's settings: {rollback_command(case.change)}"
        )
        return Problem(path, f"{what} today", fix)
    return Problem(path, what, "run `mlops render` and commit the result, never edit it by hand")


def agrees(case: Case) -> Finding:
    """release.yaml and decision.yaml are of this folder, of one release and of this kind."""
    rule = "files agree"
    problems = [*_of_this_folder(case), *_decided(case)]
    return broken(rule, problems) if problems else met(rule, "release, decision and folder")


def _of_this_folder(case: Case) -> list[Problem]:
    problems = []
    if case.release.service != case.service:
        what = f"`service` is {case.release.service!r} in the folder of {case.service!r}"
        fix = "put the release into the folder of its own service"
        problems.append(Problem(case.path, what, fix))
    image = case.release.image
    host = image.name.split("/", 1)[0] if image and "/" in image.name else ""
    if "." in host:
        what = f"`image.name` starts with the registry host {host}"
        fix = "name it without host, env.yaml's `registry` says where images are"
        problems.append(Problem(case.path, what, fix))
    return problems


def _decided(case: Case) -> list[Problem]:
    path = f"{case.folder}/decision.yaml"
    decision, release = case.decision, case.release
    if decision is None:
        fix = "let the tool write it: mlops release, mlops promote or mlops rollback"
        return [Problem(path, "file is missing", fix)]
    wanted: dict[str, object] = {
        "service": case.service,
        "environment": case.environment,
        "release": release.release,
    }
    if case.change.kind != "rollback":  # a plain revert brings back the earlier decision
        previous = case.before.previous(case.environment)
        champion = case.replaced
        wanted |= {
            "kind": "promotion" if previous else "release",
            "came_from": previous,
            "champion": champion and Champion(release=champion.release, bento=champion.bento),
        }
    return [
        Problem(
            path,
            f"`{key}` is {_shown(getattr(decision, key))}, but this change says {_shown(value)}",
            "let the tool write it: mlops release, mlops promote or mlops rollback",
        )
        for key, value in wanted.items()
        if getattr(decision, key) != value
    ]


def _shown(value: object) -> str:
    if isinstance(value, Champion):
        return f"release {value.release} ({value.bento[:19]})"
    return "nothing" if value is None else str(value)


def built(case: Case) -> Finding:
    """The bento is in the store, whole."""
    rule = "the bento exists"
    if not (case.repo.stores / "bentos").is_dir():
        return met(rule, "not evaluated: no bento store is here")
    return _found(case, rule)


def still_there(case: Case) -> Finding:
    """What a rollback goes back to can still be served."""
    return _found(case, "its artifacts still exist")


def _found(case: Case, rule: str) -> Finding:
    from mlops import bento

    try:
        bento.find(case.repo, case.service, case.release.bento)
    except MlopsError as error:
        return broken(rule, error.problems)
    return met(rule, f"{case.release.bento[:19]} is in the store, its content verified")


def floor_merged(case: Case) -> Finding:
    """The base's floor is a commit of the branch that the change goes to."""
    rule, floor = "base floor", case.env.base_floor
    if floor is None:
        return met(rule, "none: each release's own base")
    git = case.repo.git
    if git.commit_of(floor) is None or not git.is_ancestor(floor, case.base):
        path = f"environments/{case.environment}/env.yaml"
        what = f"`base_floor` {floor[:12]} is not in the history of {case.base[:12]}"
        return broken(rule, [Problem(path, what, "merge the base first, then name its commit")])
    return met(rule, f"{floor[:12]} is merged")


def challenger_fits(case: Case) -> Finding:
    """The challenger of an experiment is a release of this service."""
    rule, path = "challenger", f"{case.folder}/experiment.yaml"
    experiment = case.after.experiment(case.environment, case.service)
    if experiment is None:
        return met(rule, "the experiment ends")
    if {experiment.service, experiment.challenger.service} != {case.service}:
        what = f"is of {experiment.challenger.service!r} in the folder of {case.service!r}"
        return broken(rule, [Problem(path, what, f"name a release of {case.service}")])
    share = f"{experiment.split:.0%} of {experiment.key}"
    return met(rule, f"release {experiment.challenger.release} answers {share}")


def readers(case: Case) -> Finding:
    """Names where else the service serves; taking it away is not refused."""
    others = [
        name
        for name in case.after.order
        if name != case.environment and case.after.release(name, case.service)
    ]
    return met(
        "readers and traffic",
        f"still serves in {', '.join(others)}" if others else "served nowhere else",
    )


RULES: dict[Kind, tuple[Rule, ...]] = {
    "release": (
        entry.number_new,
        agrees,
        entry.source_merged,
        evidence.evidence_fits,
        evidence.gates_passed,
        built,
        entry.not_frozen,
        manifests_current,
    ),
    "promotion": (
        entry.comes_from_previous,
        agrees,
        entry.soaked,
        evidence.evidence_fits,
        evidence.evidence_young,
        entry.not_withdrawn,
        built,
        entry.not_frozen,
        manifests_current,
        entry.beats_the_champion,
    ),
    "rollback": (agrees, entry.held_here_before, still_there, manifests_current),
    "settings": (manifests_current,),
    "base": (floor_merged, entry.not_frozen, manifests_current, clusters_current),
    "environment": (manifests_current, clusters_current),
    "experiment": (challenger_fits, entry.not_frozen, manifests_current),
    "remove": (readers, manifests_current),
}
