"""Pages of datasets beside the results: taken only when a result names them and they load nothing.

A person opens them from the run's artifact, so one that somebody else wrote must not be more than
`data_page` makes: it begins with the same policy, and has the same elements alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mlops import digests
from mlops.errors import Problem
from mlops.report.page import HEAD
from mlops.specs.result import DatasetResult, Part, Result

LARGEST = 1_000_000
"""Bytes of one page."""
MOST = 100
"""Pages that a report takes, those of broken datasets first."""
ELEMENTS = frozenset(
    b"head title style body html h1 h2 p b small code br table thead tbody tr th td "
    b"details summary svg rect line text".split()
)
_ELEMENT = re.compile(rb"</?([a-zA-Z][^\s/>]*)")
FIX = "run the check again, it writes result and page together"


@dataclass(frozen=True)
class Page:
    """A page that is what its result says.

    Attributes:
        artifact: of the run, as reusable-check.yaml names what a share leaves.
    """

    dataset: str
    artifact: str
    content: bytes

    @property
    def file(self) -> str:
        """Its name beside the result and in the report's folder."""
        return page_file(self.dataset)


def page_file(dataset: str) -> str:
    """The name of a dataset's page; never that of the report's own."""
    return f"data-{dataset}.html"


def artifact_of(part: Part, shard: int, of: int) -> str:
    """The artifact with what a share left."""
    return f"results-{part}-{shard}-of-{of}"


def looked_at(result: Result, data: DatasetResult, content: bytes | None) -> Page | Problem:
    """The page, or why it is not taken.

    Args:
        result: of the share.
        data: of that result, with the digest of a page.
        content: the bytes beside the result; None when there are none, or too many.
    """
    file = page_file(data.dataset)
    if content is None:
        what = f"is named by a result, but is not a file of at most {LARGEST:,} bytes beside it"
        return Problem(file, what, FIX)
    if digests.of_bytes(content) != data.page:
        return Problem(file, "is not the page its result names (other digest)", FIX)
    if not _is_ours(content):
        return Problem(file, "has another head or other elements than a dataset's page", FIX)
    return Page(data.dataset, artifact_of(result.part, result.shard, result.of), content)


def _is_ours(content: bytes) -> bool:
    """Whether it begins with our policy, and nothing in it can lead elsewhere."""
    head = HEAD.encode()
    body = content.removeprefix(head)
    return content.startswith(head) and ELEMENTS.issuperset(
        name.lower() for name in _ELEMENT.findall(body)
    )


def beside(pages: Sequence[Page]) -> dict[str, str]:
    """Markdown of a link to each dataset's page, from a text in the same folder."""
    return {each.dataset: f"[`{each.file}`](<{each.file}>)" for each in pages}


def in_run(pages: Sequence[Page], run_url: str | None) -> dict[str, str]:
    """The same from anywhere: to the run's artifacts. No links without an address of the run."""
    if run_url is None:
        return {}
    return {
        each.dataset: f"[`{each.file}`](<{run_url}#artifacts>) in `{each.artifact}`"
        for each in pages
    }
