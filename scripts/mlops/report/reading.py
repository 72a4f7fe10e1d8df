"""Results as a folder of files, which a fork's pull request may have filled with anything.

Only regular files with the expected names are opened, within bounds; what is in them is read
by the spec alone. Everything else is told and left alone.
"""

import itertools
import json
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.digests import of_bytes
from mlops.errors import BadInput, Problem
from mlops.report import pages, pictures
from mlops.report.pages import Page, page_file
from mlops.report.pictures import Picture
from mlops.specs.base import validated
from mlops.specs.result import PARTS, DatasetResult, Plot, Result

MOST_FILES = 400
MOST_NAMES = 2_000
"""Entries of the folder that are listed; more are no results."""
LARGEST_RESULT = 5_000_000
LARGEST_TOGETHER = 50_000_000
"""Bytes."""
MOST_TOLD = 5
"""Problems of one file that are told."""
RESULT_NAME = re.compile(rf"({'|'.join(PARTS)})-([1-9]\d{{0,2}})-of-([1-9]\d{{0,2}})\.json")
PICTURE_NAME = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*\.(png|svg)")
FIX = "leave only what `mlops check --out` wrote"


@dataclass(frozen=True)
class Received:
    """What a folder of results holds.

    Attributes:
        results: those that can be read, in the order of their file names.
        pictures: those that a result names and that are what it says.
        pages: of datasets, the same; at most `pages.MOST`.
        refused: results, pictures and pages that are not what they have to be.
        ignored: files that are none of them; nobody has opened them.
    """

    results: tuple[Result, ...] = ()
    pictures: tuple[Picture, ...] = ()
    pages: tuple[Page, ...] = ()
    refused: tuple[Problem, ...] = ()
    ignored: tuple[Problem, ...] = ()


def read_results(folder: Path) -> Received:
    """Read a folder that anybody may have written; a missing folder holds nothing."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in itertools.islice(entries, MOST_NAMES + 1))
    except (FileNotFoundError, NotADirectoryError):
        return Received()
    if len(names) > MOST_NAMES:
        what = f"holds more than {MOST_NAMES:,} files, none was read"
        return Received(refused=(Problem(folder.name, what, FIX),))
    reader = _Reader(folder)
    results = [result for name in names if (result := reader.result(name))]
    plots = [plot for result in results for model in result.models for plot in model.plots]
    shown = reader.pictures(plots, set(names))
    with_page = [(one, data) for one in results for data in one.datasets if data.page]
    opener = _Reader(folder)  # within bounds of its own: no page takes a result's place
    opened = opener.pages(with_page)
    told = {plot.file for plot in plots} | {page_file(data.dataset) for _, data in with_page}
    what = "is neither a result nor a picture or page that one names, it was not read"
    ignored = [
        Problem(name, what, FIX)
        for name in names
        if not RESULT_NAME.fullmatch(name) and name not in told
    ]
    refused = (*reader.refused, *opener.refused)
    return Received(tuple(results), shown, opened, refused, tuple(ignored))


class _Reader:
    """Reads files of one folder until the bounds of all of them are reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused: list[Problem] = []
        self.files = 0
        self.bytes = 0

    def result(self, name: str) -> Result | None:
        """The result in a file of that name; None when it is none, or refused."""
        named = RESULT_NAME.fullmatch(name)
        if named is None:
            return None
        content = self._content(name, LARGEST_RESULT)
        if content is None:
            what = f"is not a regular file of at most {LARGEST_RESULT:,} bytes, or one too many"
            self.refused.append(Problem(name, what, FIX))
            return None
        try:
            result = validated(_json(content, name), name, Result)
        except BadInput as error:
            self.refused += _first(name, error.problems)
            return None
        part, shard, of = named.groups()
        if (result.part, result.shard, result.of) != (part, int(shard), int(of)):
            what = f"holds the result of {result.part} {result.shard}/{result.of}"
            self.refused.append(Problem(name, what, FIX))
            return None
        return result

    def pictures(self, plots: Sequence[Plot], names: set[str]) -> tuple[Picture, ...]:
        """The pictures that are what the results say, each once."""
        found: dict[str, Picture] = {}
        for plot in plots:
            if plot.file in found and of_bytes(found[plot.file].content) == plot.digest:
                continue
            if self.files >= MOST_FILES:
                what = f"is one of more than {MOST_FILES} files, it was left out"
                self.refused.append(Problem(plot.file, what, "draw fewer pictures"))
                break
            content = self._content(plot.file, pictures.LARGEST) if plot.file in names else None
            match pictures.looked_at(plot, content):
                case Picture() as picture:
                    found[plot.file] = picture
                case Problem() as problem:
                    self.refused.append(problem)
        return tuple(found.values())

    def pages(self, named: Sequence[tuple[Result, DatasetResult]]) -> tuple[Page, ...]:
        """The pages that are what the results say, those of broken datasets first."""
        found: list[Page] = []
        for result, data in sorted(named, key=lambda one: not one[1].broken)[: pages.MOST]:
            content = self._content(page_file(data.dataset), pages.LARGEST)
            match pages.looked_at(result, data, content):
                case Page() as page:
                    found.append(page)
                case Problem() as problem:
                    self.refused.append(problem)
        return tuple(found)

    def _content(self, name: str, largest: int) -> bytes | None:
        """The bytes of a regular file, None beyond a bound; links are not followed."""
        room = min(largest, LARGEST_TOGETHER - self.bytes)
        if self.files >= MOST_FILES or room <= 0:
            return None
        try:
            handle = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return None
        with os.fdopen(handle, "rb") as file:
            content = file.read(room + 1)
        self.files += 1
        self.bytes += len(content)
        return content if len(content) <= room else None


def _first(name: str, problems: Sequence[Problem]) -> list[Problem]:
    left_out = len(problems) - MOST_TOLD
    if left_out <= 0:
        return list(problems)
    return [*problems[:MOST_TOLD], Problem(name, f"{left_out:,} more are wrong in it", FIX)]


def _json(content: bytes, name: str) -> Any:
    """Strict JSON: no key twice, no NaN, no number that Python or a person cannot take.

    Raises:
        BadInput: when it is not.
    """
    try:
        return json.loads(
            content.decode(),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        what = f"is not strict JSON ({type(error).__name__}: {str(error)[:100]})"
        raise BadInput(Problem(name, what, "run the check again")) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _whole(text: str) -> int:
    if len(text) > 18:
        raise ValueError("a number has more than 18 digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if abs(value) > 1e300:
        raise ValueError("a number is beyond 1e300")
    return value
