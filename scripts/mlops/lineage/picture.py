"""The graph around a version as a picture (SVG): things in boxes, steps between them.

Colours are told apart by readers who see few (Okabe and Ito, Color Universal Design, 2008), and
each box says what kind it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from mlops.lineage.graph import Derivation, Graph, Node
from mlops.lineage.layers import layers
from mlops.lineage.tree import told_of

COLOURS = {
    "raw": "#F0E442",
    "batch": "#F0E442",
    "dataset": "#56B4E9",
    "rows": "#56B4E9",
    "model": "#009E73",
    "predictions": "#CC79A7",
    "bento": "#E69F00",
    "evidence": "#E69F00",
    "release": "#D55E00",
    "environment": "#D55E00",
    "file": "#999999",
}
THING, STEP, TALL, GAP, ROW, EDGE = 216, 150, 46, 44, 64, 24
"""Pixels: widths of a box and a step, height of a box, between columns, of a row, at the edge."""
WIDE = 7.0
"""Pixels of a letter of the names, at most."""
FONT = 'font-family="system-ui, sans-serif" font-size="12"'
ARROW = """<defs>
<marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6"
 orient="auto"><path d="M0 0 10 5 0 10z" fill="#57606a"/></marker>
</defs>"""
Vertex = Node | Derivation


@dataclass(frozen=True)
class Place:
    """Where a vertex is drawn: its left edge, its middle from above, its width."""

    x: float
    y: float
    width: float


def svg(graph: Graph, asked: Node) -> str:
    """The picture; what was asked for has a thick frame. The same graph gives the same text."""
    edges = list(_edges(graph))
    places = _places(layers(edges, asked))
    width = max(place.x + place.width for place in places.values()) + EDGE
    height = max(place.y for place in places.values()) + TALL / 2 + EDGE
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    label = quoteattr(f"Lineage of {graph.text(asked)}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {FONT} role="img" aria-label={label}>',
        ARROW,
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        *(_line(places[one], places[other]) for one, other in edges),
        *(_drawn(graph, vertex, place, asked) for vertex, place in places.items()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _edges(graph: Graph) -> Iterator[tuple[Vertex, Vertex]]:
    for one in graph.all:
        yield from ((node, one) for node in sorted(one.inputs))
        yield from ((one, node) for node in sorted(one.outputs))


def _places(columns: list[list[Vertex]]) -> dict[Vertex, Place]:
    tallest = max(len(column) for column in columns)
    places: dict[Vertex, Place] = {}
    x = float(EDGE)
    for column in columns:
        wide = max(STEP if isinstance(vertex, Derivation) else THING for vertex in column)
        top = EDGE + TALL / 2 + (tallest - len(column)) * ROW / 2
        for number, vertex in enumerate(column):
            own = STEP if isinstance(vertex, Derivation) else THING
            places[vertex] = Place(x + (wide - own) / 2, top + number * ROW, own)
        x += wide + GAP
    return places


def _line(one: Place, other: Place) -> str:
    start, end = one.x + one.width, other.x - 2
    bend = GAP / 2 if end > start else GAP * 2
    return (
        f'<path d="M{start:g} {one.y:g}C{start + bend:g} {one.y:g} {end - bend:g} {other.y:g} '
        f'{end:g} {other.y:g}" fill="none" stroke="#57606a" marker-end="url(#arrow)"/>'
    )


def _drawn(graph: Graph, vertex: Vertex, place: Place, asked: Node) -> str:
    if isinstance(vertex, Derivation):
        when = vertex.at[:16].replace("T", " ") or (vertex.commit or "")[:12]
        return _box(place, "#ffffff", 1, TALL / 2, told_of(vertex), vertex.job, when)
    label = graph.labels.get(vertex) or (vertex.version if vertex.kind == "release" else "")
    version = "" if vertex.kind in {"release", "environment"} else _short(vertex.version)
    second = f"{vertex.kind} {version}".strip()
    if vertex.kind == "environment":
        second = f"serves release {vertex.version}"
    name = f"{vertex.name}@{label}" if label else vertex.name
    frame = 3 if vertex == asked else 1
    return _box(place, f"{COLOURS[vertex.kind]}55", frame, 6, graph.text(vertex), name, second)


def _short(version: str) -> str:
    return version.removeprefix("sha256:")[:12]


def _box(  # noqa: PLR0917 - what a box is
    place: Place, fill: str, frame: int, round_: float, whole: str, first: str, second: str
) -> str:
    top, middle = place.y - TALL / 2, place.x + place.width / 2
    return (
        f"<g><title>{escape(whole)}</title>"
        f'<rect x="{place.x:g}" y="{top:g}" width="{place.width:g}" height="{TALL}" '
        f'rx="{round_:g}" fill="{fill}" stroke="#24292f" stroke-width="{frame}"/>'
        f'<text x="{middle:g}" y="{place.y - 4:g}" text-anchor="middle" font-weight="600" '
        f'fill="#1f2328">{escape(_fitting(first, place.width))}</text>'
        f'<text x="{middle:g}" y="{place.y + 13:g}" text-anchor="middle" font-size="11" '
        f'fill="#424a53">{escape(_fitting(second, place.width))}</text></g>'
    )


def _fitting(text: str, width: float) -> str:
    """A text that fits, its middle left out; the whole one is the title of the box."""
    most = int((width - 12) / WIDE)
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[: most - 1 - half]}…{text[-half:]}"
