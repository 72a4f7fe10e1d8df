"""The graph around a version as a tree for a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from click import style

from mlops.lineage.graph import Derivation, Graph, Node, Way

BRANCH, LAST, GOES_ON, SPACE = "├─ ", "└─ ", "│  ", "   "


@dataclass
class Tree:
    """The steps that wrote a version (or read it), and on to what these read (or wrote).

    What was told of already is named again without what is below it. No line is cut: paths and
    digests are copied from here.
    """

    graph: Graph
    way: Way
    _told: set[Node] = field(default_factory=set)

    def lines(self, start: Node) -> Iterator[str]:
        """The tree, a line for each version and step."""
        yield style(self.graph.text(start), bold=True)
        self._told.add(start)
        yield from self._steps(start, "")

    def _steps(self, node: Node, before: str) -> Iterator[str]:
        steps = self.graph.from_(node, self.way)
        for one in steps:
            last = one is steps[-1]
            yield before + (LAST if last else BRANCH) + style(told_of(one), dim=True)
            yield from self._ends(one, before + (SPACE if last else GOES_ON))

    def _ends(self, one: Derivation, before: str) -> Iterator[str]:
        ends = sorted(one.ends(self.way))
        for end in ends:
            last = end is ends[-1]
            again = end in self._told and bool(self.graph.from_(end, self.way))
            above = " (above)" if again else ""
            text = style(self.graph.text(end), bold=True)
            yield f"{before}{LAST if last else BRANCH}{text}{above}"
            if end not in self._told:
                self._told.add(end)
                yield from self._steps(end, before + (SPACE if last else GOES_ON))


def told_of(one: Derivation) -> str:
    """A step in a line: its name, when, of which commit, and how it is known when not by events."""
    parts = [one.job]
    if one.at:
        parts.append(f"{one.at[:10]} {one.at[11:16]} UTC")
    if one.commit:
        parts.append(f"commit {one.commit[:12]}")
    if one.run is None:
        parts.append(f"by {one.by}")
    return ", ".join(parts)
