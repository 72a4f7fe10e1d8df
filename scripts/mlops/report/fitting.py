"""Sections of a text that has a longest length: whole entries are left out, never half a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

LIMIT = 65_500
"""Characters of a comment; GitHub takes 65,536, the rest is for the marker that it is found by."""
LEFT_OUT = "Longer than a forge takes: sections are left out here, the branch and the run have all."


@dataclass(frozen=True)
class Section:
    """A part of the text.

    Attributes:
        make: the lines with at most so many entries, the others counted; no lines: no section.
        most: how many entries are shown when there is room.
        rank: where room is short, sections of the highest rank lose entries first; those of
            rank 0 are never left out whole.
    """

    make: Callable[[int], Sequence[str]]
    most: int
    rank: int


def fixed(lines: Sequence[str], rank: int = 0) -> Section:
    """A section that is there whole or not at all."""
    return Section(lambda _: lines, 0, rank)


def fitted(sections: Sequence[Section], limit: int = LIMIT) -> str:
    """The sections in their order as one text of at most `limit` characters.

    Raises:
        ValueError: when the sections of rank 0 alone, without entries, are longer.
    """
    texts = [_text(section, section.most) for section in sections]
    order = sorted(range(len(sections)), key=lambda place: -sections[place].rank)
    for place in order:
        shown = sections[place].most
        while shown and len(_joined(texts)) > limit:
            shown = shown * 3 // 4
            texts[place] = _text(sections[place], shown)
    if len(_joined(texts)) <= limit:
        return _joined(texts)
    texts.append(LEFT_OUT)
    for place in order:
        if sections[place].rank and len(_joined(texts)) > limit:
            texts[place] = ""
    if len(_joined(texts)) > limit:
        raise ValueError(f"what is never left out has {len(_joined(texts))} characters")
    return _joined(texts)


def _text(section: Section, most: int) -> str:
    return "\n".join(section.make(most)).rstrip("\n")


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(text for text in texts if text) + "\n"
