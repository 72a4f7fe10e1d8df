"""What processes opened, as the kernel saw it: strace, in every process and thread of a command."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.installed import need

CALLS = "open,openat,openat2,creat,rename,renameat,renameat2,link,linkat"
# With -y a descriptor is followed by its path: `openat(AT_FDCWD</a>, "b", O_RDONLY) = 3</a/b>`.
OPENED = re.compile(r"^(?:open|openat|openat2|creat)\((.*)\) = \d+<(/.*)>$")
MOVED = re.compile(r'^(?:rename|link)\w*\(.*"(/(?:[^"\\]|\\.)*)"(?:, [\w|]+)?\) = 0$')
WRITING = re.compile(r"^creat|O_WRONLY|O_RDWR|O_CREAT")


@dataclass(frozen=True)
class Opened:
    """Absolute paths of files that were opened for reading alone, or for writing too.

    Those that are gone at the end are left out; what was moved counts as written where it is.
    """

    read: frozenset[Path]
    written: frozenset[Path]


def traced(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> tuple[subprocess.CompletedProcess[str], Opened]:
    """Run a command, and tell what it and all that it started opened."""
    need("strace")
    with tempfile.TemporaryDirectory() as folder:
        # A file for each thread: no call is interrupted by another's line.
        strace = ["strace", "-ff", "--seccomp-bpf", "-qq", "-y", "-s", "4096"]
        strace += ["-e", f"trace={CALLS}", "-e", "signal=none", "-o", f"{folder}/told"]
        done = subprocess.run(
            [*strace, *command],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        told = [file.read_text(errors="surrogateescape") for file in Path(folder).iterdir()]
    assert told, done.stderr
    return done, opened([line for text in told for line in text.splitlines()])


def opened(lines: Sequence[str]) -> Opened:
    """What strace's lines say."""
    read: set[Path] = set()
    written = set(_moved(lines))
    for line in lines:
        if found := OPENED.match(line):
            writes = WRITING.search(line[:5] if line.startswith("creat") else _flags(found[1]))
            (written if writes else read).add(Path(found[2]))
    return Opened(
        frozenset(path for path in read - written if path.is_file()),
        frozenset(path for path in written if path.is_file()),
    )


def _flags(arguments: str) -> str:
    """What stands behind the path, which may hold anything."""
    return arguments.rpartition('"')[2]


def _moved(lines: Sequence[str]) -> Iterator[Path]:
    for line in lines:
        if found := MOVED.match(line):
            path = Path(found[1])
            yield from path.rglob("*") if path.is_dir() else (path,)
