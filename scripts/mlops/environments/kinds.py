"""Which kind of the design's table a change to environments/ is, told from its files alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from mlops.environments.clusters import is_rendered
from mlops.errors import MlopsError, NotGood, Problem
from mlops.repository import Layout, evidence_path, folder_of, release_path
from mlops.specs.release import Release

Kind = Literal[
    "release",
    "promotion",
    "rollback",
    "settings",
    "base",
    "environment",
    "experiment",
    "create",
    "remove",
]
ENV, RELEASE, SETTINGS = "env.yaml", "release.yaml", "settings.yaml"
DECISION, EXPERIMENT, MANIFESTS = "decision.yaml", "experiment.yaml", "manifests.yaml"
SERVICE_FILES = (RELEASE, SETTINGS, DECISION, EXPERIMENT, MANIFESTS)
NAMED = 5
"""Services that a problem names; the others are counted."""
# What a kind may touch of its service; manifests.yaml follows from these.
MAY_TOUCH: dict[Kind, frozenset[str]] = {
    "release": frozenset({RELEASE, DECISION}),
    "promotion": frozenset({RELEASE, DECISION}),
    "rollback": frozenset({RELEASE, DECISION}),
    "settings": frozenset({SETTINGS}),
    "experiment": frozenset({EXPERIMENT}),
    "create": frozenset({SETTINGS, RELEASE, DECISION}),
    "remove": frozenset({SETTINGS, RELEASE, DECISION, EXPERIMENT}),
}


@dataclass(frozen=True)
class Change:
    """A change of one kind; `service` is None for the kinds of a whole environment."""

    kind: Kind
    environment: str
    service: str | None = None

    def __str__(self) -> str:
        where = f"{self.service} in {self.environment}" if self.service else self.environment
        return f"{self.kind}: {where}"


@dataclass(frozen=True)
class _Place:
    """A changed file of an environment: `service` is None for env.yaml."""

    path: str
    environment: str
    service: str | None
    name: str


def tell(base: Layout, head: Layout, changed: Sequence[str]) -> Change | None:
    """The kind of a change, or None when it does not touch environments/.

    Documentation (`*.md`) in environments/ is not counted.

    Args:
        base: the files before.
        head: the files after.
        changed: paths that differ between the two.

    Raises:
        NotGood: with every reason, when it is not exactly one kind.
    """
    inside = [path for path in changed if _is_counted(path)]
    if not inside:
        return None
    places = [place for path in inside if (place := _place(path))]
    problems = [_stranger(path) for path in inside if _place(path) is None]
    problems += _several(places)
    if problems:
        raise NotGood(problems)
    change, problems = _one(base, head, places)
    outside = [path for path in changed if not path.startswith("environments/")]
    problems += _mixed(base, head, change, outside)
    if problems:
        raise NotGood(problems)
    return change


def _is_counted(path: str) -> bool:
    return path.startswith("environments/") and not path.endswith(".md")


def _place(path: str) -> _Place | None:
    parts = path.split("/")
    if len(parts) == 3 and parts[2] == ENV:
        return _Place(path, parts[1], None, ENV)
    if len(parts) == 4 and parts[3] in SERVICE_FILES:
        return _Place(path, parts[1], parts[2], parts[3])
    return None


def _stranger(path: str) -> Problem:
    return Problem(
        path,
        "is not a file of an environment",
        f"an environment holds {ENV}, and for each service {', '.join(SERVICE_FILES)}",
    )


def _several(places: Sequence[_Place]) -> list[Problem]:
    """What is wrong with the places as a whole: more than one environment or service."""
    problems = []
    environments = sorted({place.environment for place in places})
    if len(environments) > 1:
        problems.append(
            Problem(
                "environments",
                f"the change touches {len(environments)} environments ({', '.join(environments)})",
                "make one pull request for each",
            )
        )
    for environment in environments:
        problems += _several_services([p for p in places if p.environment == environment])
    return problems


def _several_services(places: Sequence[_Place]) -> list[Problem]:
    causes = [place for place in places if place.name != MANIFESTS]
    services = sorted({place.service for place in causes if place.service})
    if not services or _whole(causes):
        return []  # a whole environment's change reaches all of its services
    if len(services) > 1:
        folder = f"environments/{places[0].environment}"
        named = ", ".join(services[:NAMED])
        named += f" and {len(services) - NAMED:,} more" if len(services) > NAMED else ""
        what = f"the change touches {len(services):,} services ({named})"
        return [Problem(folder, what, "make one pull request for each")]
    return [
        Problem(
            place.path,
            f"changes with files of {services[0]}, from which it does not follow",
            "take it out of this change, `mlops render` writes what follows",
        )
        for place in places
        if place.service != services[0]
    ]


def _whole(places: Iterable[_Place]) -> bool:
    """Whether env.yaml is among them: the change is of the environment."""
    return any(place.name == ENV for place in places)


def _one(base: Layout, head: Layout, places: Sequence[_Place]) -> tuple[Change, list[Problem]]:
    """The kind of a change within one environment, and what does not belong to it."""
    environment = places[0].environment
    causes = [place for place in places if place.name != MANIFESTS]
    if not causes:
        # A newer renderer. That it is one, and not an edit by hand, rendering shows.
        return Change("base", environment), []
    if _whole(causes):
        return _of_environment(base, head, environment, causes)
    service = causes[0].service or ""
    names = {place.name for place in causes}
    kind = _of_service(base, head, environment, service, names)
    if kind is None:
        return Change("promotion", environment, service), [_alone(causes[0].path)]
    folder = folder_of(environment, service)
    surplus = [
        Problem(f"{folder}/{name}", *_not_part_of(kind)) for name in sorted(names - MAY_TOUCH[kind])
    ]
    return Change(kind, environment, service), surplus


def _alone(path: str) -> Problem:
    return Problem(
        path,
        "changes without the release it explains",
        "leave it as it is, it is written with release.yaml",
    )


def _not_part_of(kind: Kind) -> tuple[str, str]:
    article = "an" if kind[0] in "aeiou" else "a"
    return f"is not part of {article} {kind}", "make a pull request of its own for it"


def _of_environment(
    base: Layout, head: Layout, environment: str, causes: Sequence[_Place]
) -> tuple[Change, list[Problem]]:
    path = f"environments/{environment}/{ENV}"
    others = [place.path for place in causes if place.name != ENV]
    if head.tree.read(path) is None:
        left = [other for other in others if head.tree.read(other) is not None]
        return Change("environment", environment), [
            Problem(o, *_not_part_of("remove")) for o in left
        ]
    kind, problems = _base_or_rest(base, head, environment)
    problems += [Problem(other, *_not_part_of(kind)) for other in others]
    return Change(kind, environment), problems


def _base_or_rest(base: Layout, head: Layout, environment: str) -> tuple[Kind, list[Problem]]:
    """`base` when the floor alone changes, `environment` when it does not."""
    after = head.environment(environment)
    try:
        before = base.environment(environment)
    except MlopsError:
        return "environment", []
    if before.base_floor == after.base_floor:
        return "environment", []
    if before.model_copy(update={"base_floor": after.base_floor}) == after:
        return "base", []
    problem = Problem(
        f"environments/{environment}/{ENV}",
        "`base_floor` changes together with other keys",
        "raise the floor in a pull request of its own",
    )
    return "base", [problem]


def _of_service(
    base: Layout, head: Layout, environment: str, service: str, names: set[str]
) -> Kind | None:
    """The kind by which of a service's files change; None when no kind does only this."""
    if RELEASE in names:
        return _of_release(base, head, environment, service)
    if EXPERIMENT in names:
        return "experiment"
    if SETTINGS not in names:
        return None
    path = f"{folder_of(environment, service)}/{SETTINGS}"
    if base.tree.read(path) is None:
        return "create"
    return "settings" if head.tree.read(path) is not None else "remove"


def _of_release(base: Layout, head: Layout, environment: str, service: str) -> Kind:
    """Forward (a higher number) is a release or a promotion, backward a rollback.

    Forward again to one that was withdrawn is what its decision says it is.
    """
    path = release_path(environment, service)
    if head.tree.read(path) is None:
        return "remove"
    if base.tree.read(f"{folder_of(environment, service)}/{SETTINGS}") is None:
        return "create"
    after, before = head.release(environment, service), _release_if_readable(base, path)
    unreadable = before is None and base.tree.read(path) is not None
    if unreadable or (before and after and after.release < before.release):
        return "rollback"
    decision = head.decision(environment, service)
    if before and decision and decision.kind == "rollback":
        return "rollback"  # to one that was itself rolled back
    return "promotion" if head.previous(environment) else "release"


def _release_if_readable(layout: Layout, path: str) -> Release | None:
    _, environment, service, _ = path.split("/")
    try:
        return layout.release(environment, service)
    except MlopsError:
        return None


def _mixed(base: Layout, head: Layout, change: Change, outside: Sequence[str]) -> list[Problem]:
    """Files outside environments/ that the kind may not touch."""
    problems = [
        Problem(path, *reason) for path in outside if (reason := _refusal(base, head, change, path))
    ]
    new = [path for path in outside if _is_new_evidence(base, head, change, path)]
    if len(new) > 1:
        problems.append(
            Problem(
                f"apps/{change.service}/evidence",
                f"{len(new)} evidence files are new",
                "a release brings one, take the others out",
            )
        )
    return problems


def _refusal(base: Layout, head: Layout, change: Change, path: str) -> tuple[str, str] | None:
    """What is wrong with changing a file outside environments/ along; None when it belongs."""
    if change.kind in ("release", "create") and _is_new_evidence(base, head, change, path):
        return None
    if change.kind == "environment" and path == "mlops.toml":
        return None
    if change.kind in ("environment", "base") and is_rendered(path):
        return None  # it follows from env.yaml, which a rule holds it to
    if change.kind in ("rollback", "remove") and _is_withdrawn_evidence(head, change, path):
        reader = _reader(head, path)
        if reader is None:
            return None
        return f"is removed but {reader} names it", f"keep it: `{rollback_command(change)}`"
    return (
        f"changes together with environments/{change.environment} ({change.kind})",
        "make a pull request of its own for it",
    )


def rollback_command(change: Change) -> str:
    """The command that makes a rollback which fits today's settings."""
    return f"mlops rollback {change.service} --env {change.environment}"


def _is_evidence(change: Change, path: str) -> bool:
    return path.startswith(f"apps/{change.service}/evidence/") and path.endswith(".json")


def _is_new_evidence(base: Layout, head: Layout, change: Change, path: str) -> bool:
    there = head.tree.read(path) is not None and base.tree.read(path) is None
    return there and _is_evidence(change, path)


def _is_withdrawn_evidence(head: Layout, change: Change, path: str) -> bool:
    """Whether a plain revert takes away the evidence that came with the release it withdraws."""
    return _is_evidence(change, path) and head.tree.read(path) is None


def _reader(head: Layout, path: str) -> str | None:
    """The release file that still names an evidence file."""
    service = path.split("/")[1]
    for environment in head.order:
        release = _release_if_readable(head, release_path(environment, service))
        if release and evidence_path(service, release.evidence.digest) == path:
            return release_path(environment, service)
    return None
