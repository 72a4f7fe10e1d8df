"""What each test executes and reads, as one recorded run of all tests saw it.

It is kept as one file in one commit on refs/mlops/tests, replaced at each recording. It holds
the text of the sources it was recorded with, so a change is told from those and a map that is
days old is not wrong, only less sparing; a shallow clone has all it needs.
"""

import gzip
from contextlib import suppress

from pydantic import Field, ValidationError

from mlops.git import Git, GitFailed
from mlops.specs.base import Spec

REF = "refs/mlops/tests"
FILE = "map.json.gz"
_AUTHOR = ("-c", "user.name=mlops", "-c", "user.email=mlops@localhost")


class Source(Spec):
    """A Python file and who executed what of it."""

    text: str
    lines: dict[int, int] = Field(description="line, from 1, to the number of a set of tests")


class CoverageMap(Spec):
    """Tests, by their place in `tests`, and what they reach."""

    version: int = Field(default=1, ge=1, le=1)
    tests: tuple[str, ...] = Field(description="pytest's node ids")
    seconds: tuple[float, ...] = Field(description="of each test, with set-up and tear-down")
    unsure: tuple[int, ...] = Field(description="skipped or failed: what they reach is not known")
    sets: tuple[tuple[int, ...], ...]
    sources: dict[str, Source] = Field(description="by path")
    read: dict[str, int] = Field(description="file or folder, to the set of tests that read it")
    test_files: dict[str, str] = Field(description="path to content digest")

    @property
    def total(self) -> float:
        """Seconds of all tests, one after the other."""
        return sum(self.seconds)

    def executing(self, path: str, line: int) -> frozenset[int]:
        """The tests that executed a line."""
        source = self.sources.get(path)
        number = source.lines.get(line) if source else None
        return frozenset() if number is None else frozenset(self.sets[number])

    def reading(self, path: str) -> frozenset[int]:
        """The tests that read a file, or listed a folder."""
        number = self.read.get(path)
        return frozenset() if number is None else frozenset(self.sets[number])


def to_bytes(value: CoverageMap) -> bytes:
    """Compressed; the same map gives the same bytes."""
    return gzip.compress(value.model_dump_json().encode(), mtime=0)


def keep(git: Git, value: CoverageMap) -> str:
    """Put a map on the ref of this clone, in place of the one before; its commit."""
    blob = git.run("hash-object", "-w", "--stdin", stdin=to_bytes(value)).decode().strip()
    line = f"100644 blob {blob}\t{FILE}\n".encode()
    tree = git.run("mktree", stdin=line).decode().strip()
    commit = git.text(*_AUTHOR, "commit-tree", tree, "-m", f"What {len(value.tests)} tests reach")
    git.run("update-ref", REF, commit)
    return commit


def find(git: Git, remote: str) -> CoverageMap | None:
    """The remote's map, else this clone's, else None.

    A map is a help, not a need: a remote that does not answer or a map of another version is
    no error.
    """
    # No such ref there, no network, no such remote: what is here is used.
    with suppress(GitFailed):
        git.run(
            *("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=5"),
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
            *(remote, f"+{REF}:{REF}"),
        )
    try:
        content = git.run("cat-file", "blob", f"{REF}:{FILE}")
        return CoverageMap.model_validate_json(gzip.decompress(content))
    except (GitFailed, ValidationError, OSError, EOFError):
        return None
