"""Places for a directed graph on paper: columns by the longest way, crossings made few.

After Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system structures,
IEEE Transactions on Systems, Man, and Cybernetics 11 (1981): layers, then the median of neighbours.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Generic, TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)
SWEEPS = 6


@dataclass(frozen=True)
class Bend:
    """Where the line of an edge passes a column; nothing is drawn there but the line."""

    edge: int
    column: int


@dataclass(frozen=True)
class Layers(Generic[Vertex]):
    """A graph in columns.

    Attributes:
        columns: from the left, each from above.
        routes: of each edge the vertices at its ends, and its bends between them.
    """

    columns: list[list[Vertex | Bend]]
    routes: list[list[Vertex | Bend]]


def layers(edges: Iterable[tuple[Vertex, Vertex]], alone: Vertex) -> Layers[Vertex]:
    """The vertices in columns: an edge leads from a column to a later one, but closing a circle.

    Args:
        edges: from, to.
        alone: a vertex that is there without any edge, too.
    """
    pairs = list(dict.fromkeys(edges))
    after: dict[Vertex, list[Vertex]] = {alone: []}
    for one, other in pairs:
        after.setdefault(one, []).append(other)
        after.setdefault(other, [])
    depth = _depths(after)
    columns: list[list[Vertex | Bend]] = [[] for _ in range(max(depth.values()) + 1)]
    for vertex, place in depth.items():
        columns[place].append(vertex)
    routes: list[list[Vertex | Bend]] = []
    for number, (one, other) in enumerate(pairs):
        bends = [Bend(number, column) for column in range(depth[one] + 1, depth[other])]
        for bend in bends:
            columns[bend.column].append(bend)
        routes.append([one, *bends, other])
    return Layers(_ordered(columns, routes), routes)


def _depths(after: Mapping[Vertex, Sequence[Vertex]]) -> dict[Vertex, int]:
    """The longest way to each vertex; edges that close a circle do not count."""
    order = _finished_last(after)
    place = {vertex: number for number, vertex in enumerate(order)}
    depth = dict.fromkeys(order, 0)
    for vertex in order:
        for follower in after[vertex]:
            if place[follower] > place[vertex]:
                depth[follower] = max(depth[follower], depth[vertex] + 1)
    return depth


def _finished_last(after: Mapping[Vertex, Sequence[Vertex]]) -> list[Vertex]:
    """Topological order of all edges that close no circle (depth first, without recursion)."""
    done: list[Vertex] = []
    seen: set[Vertex] = set()
    for start in after:
        waiting = [(start, False)]
        while waiting:
            vertex, left = waiting.pop()
            if left:
                done.append(vertex)
            elif vertex not in seen:
                seen.add(vertex)
                waiting.append((vertex, True))
                waiting += [(each, False) for each in after[vertex] if each not in seen]
    return done[::-1]


def _ordered(
    columns: list[list[Vertex | Bend]], routes: Iterable[Sequence[Vertex | Bend]]
) -> list[list[Vertex | Bend]]:
    near: defaultdict[Vertex | Bend, list[Vertex | Bend]] = defaultdict(list)
    for route in routes:
        for one, other in pairwise(route):
            near[one].append(other)
            near[other].append(one)
    place = {vertex: height for column in columns for vertex, height in _heights(column)}
    for _ in range(SWEEPS):
        for column in columns:
            middle = {
                vertex: fmean(place[each] for each in near[vertex] or [vertex]) for vertex in column
            }
            column.sort(key=middle.__getitem__)
            place |= _heights(column)
    return columns


def _heights(column: Sequence[Vertex | Bend]) -> list[tuple[Vertex | Bend, float]]:
    """How far down each is, as a share of the column."""
    return [(vertex, (number + 0.5) / len(column)) for number, vertex in enumerate(column)]
