"""The record of a whole run: what was found by kind and strength, as a page and a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.files import write_whole

if TYPE_CHECKING:
    from benchmarks.planted_faults import Planted, Source

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PICTURE = DOCS / "planted-faults.md", DOCS / "planted-faults.svg"
STEPS = ("weak", "middle", "strong")
SOURCES: "dict[Source, str]" = {"declared": "#888", "learned": "#36c", "together": "#2a2"}
WIDTH, HEIGHT, LEFT, TOP = 360, 200, 44, 16
HEAD = """# Planted faults

Written by a whole run of `python -m benchmarks planted-faults`; [the figures](figures.md) have the
sums. One fault in a week of {rows:,} rows; what the strengths stand for is in `benchmarks/faults`.
`d`: found by a declared rule, `l`: by a learned one, `-`: missed. Kinds in *italics* were held out:
nobody tuned on them.

![Found against strength](planted-faults.svg)
"""


def record(faults: "Sequence[Planted]", rows: int) -> None:
    """Write the page and the picture into docs/.

    Args:
        rows: of a clean week.
    """
    write_whole(PAGE, page(faults, rows))
    write_whole(PICTURE, picture(faults))


def page(faults: "Sequence[Planted]", rows: int) -> str:
    """Each kind at each strength, in Markdown."""
    lines = [
        HEAD.format(rows=rows),
        "| kind | of the taxonomy | breaks | weak | middle | strong |",
        "|---|---|---|---|---|---|",
    ]
    kinds = {each.kind.name: each.kind for each in faults}
    for name, kind in sorted(kinds.items()):
        mine = [each for each in faults if each.kind.name == name]
        called = f"*{name}*" if mine[0].held_out else name
        cells = " | ".join(f"{each.strength:g} {_marks(each)}" for each in mine)
        lines.append(f"| {called} | {kind.of} | {kind.group} | {cells} |")
    return "\n".join(lines) + "\n"


def _marks(each: "Planted") -> str:
    sources: tuple[tuple[str, Source], ...] = (("d", "declared"), ("l", "learned"))
    return " ".join(mark for mark, source in sources if each.verdict.told(source)) or "-"


def picture(faults: "Sequence[Planted]") -> str:
    """Share found against strength: a line for each source, and one for the kinds held out."""
    kept = [each for each in faults if each.held_out]
    lines = [_line(_shares(faults, source), colour) for source, colour in SOURCES.items()]
    lines.append(_line(_shares(kept, "together"), "#2a2", dashed=True))
    named = [*((source, colour) for source, colour in SOURCES.items()), ("held out - -", "#2a2")]
    keys = [
        f'<text x="{LEFT + 70 * n}" y="{HEIGHT + 44}" fill="{colour}">{name}</text>'
        for n, (name, colour) in enumerate(named)
    ]
    steps = [
        f'<text x="{_x(n)}" y="{HEIGHT + 24}" text-anchor="middle">{name}</text>'
        for n, name in enumerate(STEPS)
    ]
    marks = [
        f'<text x="{LEFT - 6}" y="{_y(share) + 4:.0f}" text-anchor="end">{share:.0%}</text>'
        f'<path d="M{LEFT} {_y(share):.0f}H{WIDTH}" stroke="#ccc"/>'
        for share in (0, 0.5, 1)
    ]
    body = "\n".join([*marks, *steps, *lines, *keys])
    box = f"0 0 {WIDTH + 20} {HEIGHT + 56}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" font-family="sans-serif" '
        'font-size="12">\n<title>Share of planted faults found, by strength</title>\n'
        f"{body}\n</svg>\n"
    )


def _shares(faults: "Sequence[Planted]", source: "Source") -> list[float]:
    shares = []
    for step in range(len(STEPS)):
        some = [each for each in faults if each.kind.strengths[step] == each.strength]
        shares.append(sum(each.verdict.told(source) for each in some) / max(1, len(some)))
    return shares


def _line(shares: Sequence[float], colour: str, *, dashed: bool = False) -> str:
    points = " ".join(f"{_x(n)},{_y(share):.1f}" for n, share in enumerate(shares))
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'


def _x(step: int) -> int:
    return LEFT + 40 + step * (WIDTH - LEFT - 80) // (len(STEPS) - 1)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP)
