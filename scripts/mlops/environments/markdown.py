"""Markdown that stays what it was meant to be, whatever the text in it.

Text from commits, data and people goes into code spans and fences: there no forge reads
HTML, mentions, links or issue numbers out of it. Sentences that somebody else wrote read better
as prose: `words` escapes them.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

LONGEST = 160
"""Characters of one foreign text that are shown."""
_NOT_ASCII = re.compile(r"[^\t -~]")


def code(text: str, *, longest: int = LONGEST) -> str:
    """Foreign text in one line as a code span."""
    line = _line(text, longest)
    if not line:
        return "(empty)"
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


# What a forge makes links, mentions, references and emoji of, after it has read the Markdown: a
# backslash does not help there, an invisible joiner between the two halves does.
_ACTIVE = re.compile(
    r"(?<=@)(?=\w)|(?<=#)(?=\w)|(?<=\bGH)(?=-\d)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=:)(?=[\w+-]+:)"
    r"|(?<=\bmailto)(?=:)|(?<=\bxmpp)(?=:)",
    re.IGNORECASE,
)
_JOINER = "\u2060"
_MARKUP = re.compile(r"[\\*_\[\]<>~&#!`{}]")


@lru_cache(maxsize=20_000)  # a report is made several times, until it fits
def words(text: str, *, longest: int = 400) -> str:
    """Foreign prose in one line, to stand after other words; its `spans` stay code spans."""
    line = _line(text, longest).replace("|", "¦")
    pieces = line.split("`")
    if len(pieces) % 2 == 0:  # a backtick too many: it stays one
        pieces[-2:] = [f"{pieces[-2]}`{pieces[-1]}"]
    told = [
        (code(piece) if piece.strip() else " ") if place % 2 else _escaped(piece)
        for place, piece in enumerate(pieces)
    ]
    return "".join(told).strip() or "(empty)"


def _escaped(text: str) -> str:
    escaped = _MARKUP.sub(lambda found: f"\\{found[0]}", _ACTIVE.sub(_JOINER, text))
    return escaped.replace("$", "&#36;")


def cell(text: str, *, longest: int = LONGEST) -> str:
    """Foreign text as a code span in a table's cell.

    Parsers disagree on `\\\\|` in cells, so a bar is shown as a broken one.
    """
    return code(text.replace("|", "¦"), longest=longest)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, most: int) -> list[str]:
    """Lines of a table; cells are Markdown already. Rows beyond `most` are counted.

    Without a row that is shown there is no head.
    """
    told = [_row(row) for row in rows]
    shown = told[:most]
    lines = [_row(head), _row(["---"] * len(head)), *shown] if shown else []
    return [*lines, *more(len(told) - most)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def items(texts: Sequence[str], *, most: int) -> list[str]:
    """Lines of a list; texts are Markdown already. Those beyond `most` are counted."""
    return [*(f"- {text}" for text in texts[:most]), *more(len(texts) - most)]


def more(count: int) -> list[str]:
    """A line that says how many are not shown."""
    return ["", f"and {count:,} more"] if count > 0 else []


def fenced(text: str, language: str = "") -> list[str]:
    """Lines of a fenced block that the text cannot end."""
    lines = [visible(line) for line in re.split(r"\r\n|\r|\n", text.rstrip("\n"))]
    fence = "`" * max(3, _longest_run(text) + 1)
    return [f"{fence}{language}", *lines, fence]


def folded(summary: str, lines: Sequence[str]) -> list[str]:
    """Lines that a reader opens; the summary is plain words of our own."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>"]


def visible(text: str) -> str:
    """Control characters and those that turn or hide text, as their code points."""
    return text if text.isprintable() else _NOT_ASCII.sub(_visible, text)


def _visible(found: re.Match[str]) -> str:
    char = found[0]
    return f"<U+{ord(char):04X}>" if unicodedata.category(char)[0] == "C" else char


def _line(text: str, longest: int) -> str:
    """In one line; what is far beyond the longest is not looked at."""
    return _shortened(visible(" ".join(text[: 10 * longest].split())), longest)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
