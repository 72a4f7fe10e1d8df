"""What came of what: versions of things, joined by the steps that read and wrote them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from mlops import digests

FILE = "file"
SERVING = "environment"
"""Kind of a place that serves a release; its version is the release's number."""
SERVES = "serve."
"""How jobs are called that answer and log it."""
KINDS = (
    "raw", "batch", "dataset", "rows", "model", "predictions", "bento", "image", "evidence",
    "release", SERVING, FILE,
)  # fmt: skip
Way = Literal["up", "down"]


@dataclass(frozen=True, order=True)
class Node:
    """A version of a thing: its content digest, or a release's number."""

    kind: str
    name: str
    version: str

    @property
    def text(self) -> str:
        """For people."""
        if self.kind == SERVING:
            return f"{self.name} serves release {self.version}"
        if self.kind == "release":
            return f"release {self.name}@{self.version}"
        return f"{self.kind} {self.name} {digests.short(self.version)}"


@dataclass(frozen=True)
class Derivation:
    """A step that ended well, or what Git says in place of one.

    Attributes:
        job: the step's name, such as `train.bike-demand`.
        at: when it ended, UTC, ISO 8601.
        commit: that was checked out; None when there was none.
        run: the id of its events; None: it follows from files.
        by: whose files these are.
    """

    job: str
    at: str
    commit: str | None
    run: str | None
    inputs: frozenset[Node]
    outputs: frozenset[Node]
    by: str = "Git"

    def without_files(self) -> "Derivation":
        """The same without code, settings and records."""
        return replace(self, inputs=_named(self.inputs), outputs=_named(self.outputs))

    def ends(self, way: Way) -> frozenset[Node]:
        """What it leads to."""
        return self.inputs if way == "up" else self.outputs


def _named(nodes: Iterable[Node]) -> frozenset[Node]:
    return frozenset(node for node in nodes if node.kind != FILE)


@dataclass(frozen=True)
class Graph:
    """All that is known.

    Attributes:
        derivations: of steps.
        facts: what follows from files; of what a step is known to have written, that step counts.
        labels: what people call a version, of some.
        places: where the bytes of a version lay, of some.
    """

    derivations: tuple[Derivation, ...]
    facts: tuple[Derivation, ...] = ()
    labels: Mapping[Node, str] = field(default_factory=dict)
    places: Mapping[Node, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def all(self) -> tuple[Derivation, ...]:
        """Steps, and the facts that no step is known for; of equal ones the newest."""
        written = {node for one in self.derivations for node in one.outputs}
        more = (one for one in self.facts if not one.outputs <= written)
        newest: dict[tuple[str, frozenset[Node], frozenset[Node]], Derivation] = {}
        for one in sorted((*self.derivations, *more), key=lambda one: one.at):
            newest[one.job, one.inputs, one.outputs] = one
        return tuple(newest.values())

    @cached_property
    def nodes(self) -> frozenset[Node]:
        """Every version that any of them names."""
        named = (node for one in (*self.derivations, *self.facts) for node in _ends(one))
        return frozenset(named) | frozenset(self.labels)

    def text(self, node: Node) -> str:
        """For people, with what they call the version."""
        label = self.labels.get(node)
        called = f"{node.name}@{label}" if label else node.name
        return replace(node, name=called).text if label else node.text

    def around(self, start: Node, way: Way, steps: int) -> "Graph":
        """The part that leads to a version, or that comes of it, so many steps far."""
        found: dict[Derivation, None] = {}
        seen, here = {start}, {start}
        for _ in range(steps):
            near = [one for node in sorted(here) for one in self.from_(node, way)]
            found |= dict.fromkeys(near)
            here = {node for one in near for node in one.ends(way)} - seen
            seen |= here
        return replace(self, derivations=tuple(found), facts=())

    def joined(self, parts: Iterable["Graph"]) -> "Graph":
        """The steps of several parts together."""
        found = dict.fromkeys(one for part in parts for one in part.all)
        return replace(self, derivations=tuple(found), facts=())

    def gathered(self, asked: Node) -> "Graph":
        """The same with the many files of a log as one, but that which is asked for."""
        logs: dict[tuple[object, ...], list[Derivation]] = defaultdict(list)
        for one in self.all:
            names = frozenset(node.name for node in one.outputs)
            logged = one.job.startswith(SERVES) and asked not in one.outputs
            logs[(one.job, one.inputs, names) if logged else (one,)].append(one)
        kept = (each[0] if len(each) == 1 else _together(each) for each in logs.values())
        return replace(self, derivations=tuple(kept), facts=())

    def from_(self, node: Node, way: Way) -> list[Derivation]:
        """The steps that wrote a version (up), or read it (down), oldest first."""
        return (self._writers if way == "up" else self._readers).get(node, [])

    @cached_property
    def _writers(self) -> dict[Node, list[Derivation]]:
        return _by(self.all, lambda one: one.outputs)

    @cached_property
    def _readers(self) -> dict[Node, list[Derivation]]:
        return _by(self.all, lambda one: one.inputs)

    def knowing(self, one: Derivation, place: str) -> "Graph":
        """The same with a file of a log, and where it lies."""
        places = {node: self.places.get(node, frozenset()) | {place} for node in one.outputs}
        return replace(self, facts=(*self.facts, one), places={**self.places, **places})

    def without_files(self) -> "Graph":
        """The same without code, settings and records, and without steps that joined only such."""
        kept = (one.without_files() for one in self.all)
        return replace(self, derivations=tuple(one for one in kept if _ends(one)), facts=())


def _together(files: Sequence[Derivation]) -> Derivation:
    """Several files of one log, by one release, as one thing."""
    last = max(files, key=lambda one: one.at)
    names = {(node.kind, node.name) for node in last.outputs}
    many = f"{len(files)} files"
    return replace(last, outputs=frozenset(Node(kind, name, many) for kind, name in names))


def _ends(one: Derivation) -> frozenset[Node]:
    return one.inputs | one.outputs


def _by(
    derivations: Iterable[Derivation], ends: Callable[[Derivation], Iterable[Node]]
) -> dict[Node, list[Derivation]]:
    found: dict[Node, list[Derivation]] = defaultdict(list)
    for one in derivations:
        for node in ends(one):
            found[node].append(one)
    return found
