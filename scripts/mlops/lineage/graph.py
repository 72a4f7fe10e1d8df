"""What came of what: versions of things, joined by the steps that read and wrote them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from mlops import digests

FILE = "file"
SERVING = "environment"
"""Kind of a place that serves a release; its version is the release's number."""
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
        run: the id of its events; None: it follows from files in Git.
    """

    job: str
    at: str
    commit: str | None
    run: str | None
    inputs: frozenset[Node]
    outputs: frozenset[Node]

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
        facts: what follows from Git; of what a step is known to have written, that step counts.
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

    def from_(self, node: Node, way: Way) -> list[Derivation]:
        """The steps that wrote a version (up), or read it (down), oldest first."""
        return (self._writers if way == "up" else self._readers).get(node, [])

    @cached_property
    def _writers(self) -> dict[Node, list[Derivation]]:
        return _by(self.all, lambda one: one.outputs)

    @cached_property
    def _readers(self) -> dict[Node, list[Derivation]]:
        return _by(self.all, lambda one: one.inputs)

    def without_files(self) -> "Graph":
        """The same without code, settings and records, and without steps that joined only such."""
        kept = (one.without_files() for one in self.all)
        return replace(self, derivations=tuple(one for one in kept if _ends(one)), facts=())


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
