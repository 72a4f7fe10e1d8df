"""Places for a directed graph on paper: columns by the longest way, crossings made few.

After Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system structures,
IEEE Transactions on Systems, Man, and Cybernetics 11 (1981): layers, then the median of neighbours.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)
SWEEPS = 6


def layers(edges: Iterable[tuple[Vertex, Vertex]], alone: Vertex) -> list[list[Vertex]]:
    """The vertices in columns: an edge leads from a column to a later one, but closing a circle.

    Args:
        edges: from, to.
        alone: a vertex that is there without any edge, too.
    """
    after: dict[Vertex, list[Vertex]] = {alone: []}
    for one, other in edges:
        after.setdefault(one, []).append(other)
        after.setdefault(other, [])
    depth = _depths(after)
    columns: list[list[Vertex]] = [[] for _ in range(max(depth.values()) + 1)]
    for vertex, place in depth.items():
        columns[place].append(vertex)
    return _ordered(columns, after)


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
    columns: list[list[Vertex]], after: Mapping[Vertex, Sequence[Vertex]]
) -> list[list[Vertex]]:
    near: defaultdict[Vertex, list[Vertex]] = defaultdict(list)
    for vertex, followers in after.items():
        for follower in followers:
            near[vertex].append(follower)
            near[follower].append(vertex)
    for _ in range(SWEEPS):
        place = {
            vertex: (number + 0.5) / len(column)
            for column in columns
            for number, vertex in enumerate(column)
        }
        for column in columns:
            column.sort(
                key=lambda vertex: fmean([place[each] for each in near[vertex] or [vertex]])
            )
            place |= {vertex: (number + 0.5) / len(column) for number, vertex in enumerate(column)}
    return columns
