"""Pictures beside the results: taken only when a result names them and they are what it says."""

import re
from dataclasses import dataclass

from mlops import digests
from mlops.errors import Problem
from mlops.specs.result import Plot

LARGEST = 300_000
"""Bytes of one picture."""
PNG = b"\x89PNG\r\n\x1a\n"
# An SVG may hold programs, and a person who opens the file runs them.
_ACTIVE = re.compile(
    rb"<\s*(script|foreignobject|iframe|embed|object|!entity)|[\s\"'/]on[a-z]+\s*=|javascript:"
    rb"|href\s*=\s*[\"']?\s*(?!data:image/png;)[^#\"'\s]|url\(\s*[\"']?[^#\"'\s]|@import",
    re.IGNORECASE,
)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
FIX = "run the check again, it writes result and picture together"


@dataclass(frozen=True)
class Picture:
    """A picture that is what its result says."""

    file: str
    caption: str
    content: bytes

    @property
    def media_type(self) -> str:
        """For a data URI."""
        return "image/png" if self.file.endswith(".png") else "image/svg+xml"


def looked_at(plot: Plot, content: bytes | None) -> Picture | Problem:
    """The picture, or why it is not taken.

    Args:
        plot: what a result says of it.
        content: the bytes beside the result; None when there are none, or too many.
    """
    if content is None:
        what = f"is named by a result, but is not a file of at most {LARGEST:,} bytes beside it"
        return Problem(plot.file, what, FIX)
    if len(content) > LARGEST:
        what = f"has {len(content):,} bytes, more than {LARGEST:,}"
        return Problem(plot.file, what, "draw it smaller")
    if digests.of_bytes(content) != plot.digest:
        return Problem(plot.file, "is not the picture its result names (other digest)", FIX)
    if not _is_what_it_says(plot.file, content):
        return Problem(plot.file, "is not a PNG, or not an SVG without programs", FIX)
    return Picture(plot.file, plot.caption, content)


def _is_what_it_says(file: str, content: bytes) -> bool:
    if file.endswith(".png"):
        return content.startswith(PNG)
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith((b"<?xml", b"<svg")) or b"<svg" not in content[:2_000]:
        return False
    return not _ACTIVE.search(_COMMENT.sub(b"", content))
