"""Python's regular expressions in the words of RE2, DuckDB's, where both mean the same."""

import re

# Other escapes of a letter or digit (\w, \s, \b, \1 ...) have another meaning there, or none.
ESCAPES = {"d": r"\p{Nd}", "D": r"\P{Nd}", "n": r"\n", "t": r"\t", "r": r"\r"}
TOKEN = re.compile(
    r"""\\(?P<escape>.)
      | (?P<group>\(\?:)
      | (?P<other>\(\?)
      | (?P<end>\$)
      | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<plain>.)""",
    re.VERBOSE | re.DOTALL,
)
MOST = 1000
"""Repetitions that RE2 counts to."""
NOT_ALIKE = re.compile(r"[*+?}]\+|\[\[|&&|--|\|\||~~")
"""Possessive repetitions; sets in sets, which one of the two may read otherwise."""


def translated(pattern: str) -> str | None:
    """A pattern that finds in RE2 what it finds by `re.search`; None when there is no such."""
    if NOT_ALIKE.search(pattern) or "\0" in pattern:
        return None
    if any(int(number) > MOST for number in re.findall(r"[{,](\d+)", pattern)):
        return None
    parts = [_token(found) for found in TOKEN.finditer(pattern)]
    return None if None in parts else "".join(part for part in parts if part is not None)


def _token(found: re.Match[str]) -> str | None:
    if found["escape"] is not None:
        return _escape(found["escape"])
    if found["other"] is not None:
        return None
    if found["end"] is not None:
        return r"(?:\n?\z)"  # Python's end of the text lies before a last line feed, too
    if found["set"] is not None:
        return _set(found["set"])
    return found[0]


def _escape(escaped: str) -> str | None:
    if escaped.isascii() and escaped.isalnum():
        return ESCAPES.get(escaped)
    return re.escape(escaped)


def _set(written: str) -> str | None:
    if "[:" in written:
        return None
    parts = [
        _escape(found[1]) if found[1] else found[0]
        for found in re.finditer(r"\\(.)|[^\\]", written, re.DOTALL)
    ]
    return None if None in parts else "".join(part for part in parts if part is not None)
