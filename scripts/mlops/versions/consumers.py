"""What learned from a version of a dataset: the releases that hold it, and where they serve."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mlops import digests
from mlops.data.derivation import with_derived
from mlops.environments.timeline import timeline, withdrawn
from mlops.errors import MlopsError
from mlops.git import Git
from mlops.repository import Layout, Repository
from mlops.specs.base import parse
from mlops.specs.release import ModelPin, Release
from mlops.versions.history import changes, readable

RELEASES = ":(glob)environments/*/*/release.yaml"


@dataclass(frozen=True)
class Consumer:
    """A release that holds a version of a dataset, or one of another dataset that is made of it.

    Attributes:
        digest: the version's.
        holds: the digest in the release: the version's own, or that of what is made of it.
        models: those of the release that learned from it.
        serves: environments that hold the release now, in the order of promotion.
    """

    digest: str
    holds: str
    service: str
    release: int
    models: tuple[ModelPin, ...]
    serves: tuple[str, ...]


@dataclass(frozen=True)
class WayBack:
    """A place where a release serves that holds a version, and what serves there instead.

    Attributes:
        to: the newest release held there before that holds none of the versions; None: there is
            none, and only a new release takes its place.
    """

    environment: str
    service: str
    release: int
    to: int | None

    @property
    def nothing(self) -> str:
        """That there is no way back, for people."""
        held = f"{self.environment} held no release of {self.service} before {self.release}"
        return f"{held} that is free of it: retrain"

    @property
    def command(self) -> str | None:
        """What opens the pull request for it."""
        if self.to is None:
            return None
        return f"mlops rollback {self.service} --env {self.environment} --to {self.to}"


def consumers(repo: Repository, ref: str, dataset: str) -> dict[str, list[Consumer]]:
    """The releases that hold each version of a dataset, by digest, through derived datasets, too.

    Looked at is every release that any environment has held up to a commit: Git tells their
    contents at once, and only those that name one of the datasets are parsed.
    """
    layout = repo.commit(ref)
    names = with_derived(layout, [dataset])
    roots = _roots(repo.git, ref, dataset, names)
    serves = _serving(layout, names)
    found: dict[tuple[str, str, int], Consumer] = {}
    for release in released(repo.git, ref, names):
        key = (release.service, release.release)
        for pin in release.datasets:
            own = {pin.digest} if pin.name == dataset else roots[pin.name, pin.digest]
            for root in own:
                models = learned(repo, release, pin.name)
                found.setdefault(
                    (root, *key), Consumer(root, pin.digest, *key, models, tuple(serves[key]))
                )
    by_digest: dict[str, list[Consumer]] = defaultdict(list)
    for place in sorted(found):
        by_digest[place[0]].append(found[place])
    return by_digest


Roots = dict[tuple[str, str], set[str]]
"""Of each derived version, by name and digest: the versions of one dataset that it is made of."""


def _roots(git: Git, ref: str, dataset: str, names: Collection[str]) -> Roots:
    """Read from every pin that the derived datasets among `names` have had up to a commit."""
    pins = [one.pin for name in names for one in readable(changes(git, ref, name))]
    found: Roots = defaultdict(set)
    found.update({(dataset, pin.digest): {pin.digest} for pin in pins if pin.dataset == dataset})
    # A derived dataset may be made of another one: as often as there are datasets suffices.
    for _ in names:
        for pin in pins:
            for source in pin.sources:
                made_of = found[source.dataset, digests.PREFIX + source.sha256]
                found[pin.dataset, pin.digest] |= made_of
    return found


def released(git: Git, ref: str, names: Collection[str] = ()) -> Iterator[Release]:
    """Every release that any environment has held up to a commit, and that may hold a dataset.

    Args:
        git: the clone.
        ref: the commit.
        names: of the datasets; without one, all releases.
    """
    told = git.names(
        "log", "--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames", "-z", "--format=",
        ref, "--", RELEASES,
    )  # fmt: skip
    # `:<mode> <mode> <id before> <id after> <status>`, then the path.
    ids = dict.fromkeys(line.split()[3] for line in told if line.startswith(":"))
    for content in git.contents(list(ids)):
        if release := _naming(content, names):
            yield release


def _naming(content: bytes | None, names: Collection[str]) -> Release | None:
    """The release, when it may hold one of the datasets and can be read."""
    named = not names or any(name.encode() in (content or b"") for name in names)
    if content is None or not named:
        return None
    try:
        return parse(content, "release.yaml", Release)
    except (MlopsError, ValueError):
        return None


def _serving(layout: Layout, names: Collection[str]) -> dict[tuple[str, int], list[str]]:
    """The environments that hold each release now, by service and number."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for environment in layout.order:
        contents = layout.tree.read_each(f"environments/{environment}", "release.yaml")
        for service, content in contents.items():
            if release := _naming(content, names):
                found[service, release.release].append(environment)
    return found


def learned(repo: Repository, release: Release, dataset: str) -> tuple[ModelPin, ...]:
    """The models that learned from a dataset, by their spec then; all when that is not known."""
    if len(release.datasets) == 1:
        return release.models
    try:
        source = repo.commit(release.source.commit)
        return tuple(
            pin for pin in release.models if source.model(pin.name).data.dataset == dataset
        )
    except MlopsError:
        return release.models


def ways_back(repo: Repository, ref: str, taken_back: Collection[Consumer]) -> list[WayBack]:
    """How each place that serves one of these releases gets rid of it, production first."""
    bad = {one.holds for one in taken_back}
    places = [(environment, one) for one in taken_back for environment in one.serves]
    order = repo.commit(ref).order
    places.sort(key=lambda place: (-order.index(place[0]), place[1].service))
    return [
        WayBack(environment, one.service, one.release, _free(repo, ref, environment, one, bad))
        for environment, one in places
    ]


def _free(
    repo: Repository, ref: str, environment: str, held: Consumer, bad: Collection[str]
) -> int | None:
    """The newest release held there that holds none of the versions and was not taken back."""
    entries = timeline(repo.git, ref, environment, held.service)
    gone = withdrawn(entries)
    held_there = (one.release for one in reversed(entries) if one.release)
    return next(
        (one.release for one in held_there if one.release not in gone and not _holds(one, bad)),
        None,
    )


def _holds(release: Release, versions: Collection[str]) -> bool:
    return any(pin.digest in versions for pin in release.datasets)
