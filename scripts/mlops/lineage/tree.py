"""The graph around a version as a tree for a terminal."""

from typing import TYPE_CHECKING

from mlops.lineage.graph import Derivation, Graph, Node, Way

if TYPE_CHECKING:
    from rich.tree import Tree


def tree(graph: Graph, start: Node, way: Way) -> "Tree":
    """A version, the steps that wrote it (or read it), and on to what these read (or wrote).

    What was told of already is named again without what is below it.
    """
    from rich.tree import Tree

    top = Tree(_styled(graph, start))
    _grow(graph, start, way, top, {start})
    return top


def _grow(graph: Graph, node: Node, way: Way, branch: "Tree", told: set[Node]) -> None:
    for one in graph.from_(node, way):
        below = branch.add(_step(one))
        for end in sorted(one.ends(way), key=lambda end: (end.kind, end.name, end.version)):
            new = end not in told and bool(graph.from_(end, way))
            again = " [dim](above)[/]" if end in told and graph.from_(end, way) else ""
            told.add(end)
            grown = below.add(f"{_styled(graph, end)}{again}")
            if new:
                _grow(graph, end, way, grown, told)


def _styled(graph: Graph, node: Node) -> str:
    from rich.markup import escape

    return f"[bold]{escape(graph.text(node))}[/]"


def _step(one: Derivation) -> str:
    from rich.markup import escape

    return f"[dim]{escape(told_of(one))}[/]"


def told_of(one: Derivation) -> str:
    """A step in a line: its name, when, of which commit, and how it is known when not by events."""
    parts = [one.job]
    if one.at:
        parts.append(f"{one.at[:10]} {one.at[11:16]} UTC")
    if one.commit:
        parts.append(f"commit {one.commit[:12]}")
    if one.run is None:
        parts.append("by Git")
    return ", ".join(parts)
