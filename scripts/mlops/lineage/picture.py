"""The graph around a version as a picture (SVG): things in boxes, steps between them.

Colours are told apart by readers who see few (Okabe and Ito, Color Universal Design, 2008), and
each box says what kind it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from mlops.lineage.graph import Derivation, Graph, Node
from mlops.lineage.layers import Bend, layers
from mlops.lineage.tree import told_of

COLOURS = {
    "raw": "#F0E442",
    "batch": "#F0E442",
    "dataset": "#56B4E9",
    "rows": "#56B4E9",
    "model": "#009E73",
    "predictions": "#CC79A7",
    "bento": "#E69F00",
    "image": "#E69F00",
    "evidence": "#E69F00",
    "release": "#D55E00",
    "environment": "#D55E00",
    "file": "#999999",
}
THING, STEP, TALL, GAP, ROW, LINE, EDGE = 216, 160, 46, 44, 64, 20, 24
"""Pixels: widths of a box and a step, height of a box; between columns; heights of a row and of one
that only a line passes; at the edge."""
WIDE = 7.4
"""Pixels of a letter of the names, at most."""
FONT = 'font-family="system-ui, sans-serif" font-size="12"'
ARROW = """<defs>
<marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6"
 orient="auto"><path d="M0 0 10 5 0 10z" fill="#57606a"/></marker>
</defs>"""
Vertex = Node | Derivation | Bend


@dataclass(frozen=True)
class Place:
    """Where a vertex is drawn: its left edge, its middle from above, its width."""

    x: float
    y: float
    width: float


def svg(graph: Graph, asked: Node) -> str:
    """The picture; what was asked for has a thick frame. The same graph gives the same text."""
    found = layers(_edges(graph), asked)
    places = _places(found.columns)
    width = max(place.x + place.width for place in places.values()) + EDGE
    height = max(place.y for place in places.values()) + ROW / 2 + EDGE
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    label = quoteattr(f"Lineage of {graph.text(asked)}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {FONT} role="img" aria-label={label}>',
        ARROW,
        f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        *(_line([places[vertex] for vertex in route]) for route in found.routes),
        *(_drawn(graph, vertex, place, asked) for vertex, place in places.items()),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _edges(graph: Graph) -> Iterator[tuple[Node | Derivation, Node | Derivation]]:
    for one in graph.all:
        yield from ((node, one) for node in sorted(one.inputs))
        yield from ((one, node) for node in sorted(one.outputs))


def _places(columns: Sequence[Sequence[Vertex]]) -> dict[Vertex, Place]:
    tallest = max(_height(column) for column in columns)
    places: dict[Vertex, Place] = {}
    x = float(EDGE)
    for column in columns:
        wide = max(_width(vertex) for vertex in column)
        y = EDGE + (tallest - _height(column)) / 2
        for vertex in column:
            own = wide if isinstance(vertex, Bend) else _width(vertex)
            tall = _height([vertex])
            places[vertex] = Place(x + (wide - own) / 2, y + tall / 2, own)
            y += tall
        x += wide + GAP
    return places


def _width(vertex: Vertex) -> float:
    return 0 if isinstance(vertex, Bend) else STEP if isinstance(vertex, Derivation) else THING


def _height(column: Sequence[Vertex]) -> float:
    return sum(LINE if isinstance(vertex, Bend) else ROW for vertex in column)


def _line(route: Sequence[Place]) -> str:
    """An arrow from the right of the first place to the left of the last, across those between."""
    first, *between, last = route
    path = f"M{first.x + first.width:g} {first.y:g}"
    before = first
    for place in (*between, last):
        start, end = before.x + before.width, place.x - (2 if place is last else 0)
        bend = GAP / 2 if end > start else GAP * 2
        path += f"C{start + bend:g} {before.y:g} {end - bend:g} {place.y:g} {end:g} {place.y:g}"
        if place is not last:
            path += f"H{place.x + place.width:g}"
        before = place
    return f'<path d="{path}" fill="none" stroke="#57606a" marker-end="url(#arrow)"/>'


def _drawn(graph: Graph, vertex: Vertex, place: Place, asked: Node) -> str:
    if isinstance(vertex, Bend):
        return ""
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
