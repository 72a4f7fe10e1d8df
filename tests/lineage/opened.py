"""What processes opened, as the kernel saw it: strace, in every process and thread of a command."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = "open,openat,openat2,creat,rename,renameat,renameat2,link,linkat"
# With -y a descriptor is followed by its path: `openat(AT_FDCWD</a>, "b", O_RDONLY) = 3</a/b>`.
OPENED = re.compile(r"^(?:open|openat|openat2|creat)\((.*)\) = \d+<(/.*)>$")
MOVED = re.compile(r'^(?:rename|link)\w*\(.*"((?:[^"\\]|\\.)*)"(?:, [\w|]+)?\) = 0$')
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|^creat")


@dataclass(frozen=True)
class Opened:
    """Absolute paths of files that were opened for reading or for writing, and are there now."""

    read: frozenset[Path]
    written: frozenset[Path]


def traced(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> tuple[subprocess.CompletedProcess[str], Opened]:
    """Run a command and tell what it and all it started opened."""
    with tempfile.TemporaryDirectory() as folder:
        strace = ["strace", "-ff", "--seccomp-bpf", "-qq", "-y", "-s", "4096"]
        strace += ["-e", f"trace={CALLS}", "-e", "signal=none", "-o", f"{folder}/told"]
        done = subprocess.run(
            [*strace, *command], cwd=cwd, env=env, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        lines = [
            line
            for file in Path(folder).iterdir()
            for line in file.read_text(errors="surrogateescape").splitlines()
        ]
    return done, _opened(lines)


def _opened(lines: Sequence[str]) -> Opened:
    read, written = set(_moved(lines)), set(_moved(lines))
    read.clear()
    for line in lines:
        if found := OPENED.match(line):
            path = Path(found[2])
            (written if WRITING.search(line.rpartition('"')[2]) else read).add(path)
    return Opened(
        frozenset(path for path in read - written if path.is_file()),
        frozenset(path for path in written if path.is_file()),
    )


def _moved(lines: Sequence[str]) -> Iterator[Path]:
    """Where files were moved to; a folder that was moved stands for the files below it."""
    for line in lines:
        if (found := MOVED.match(line)) and found[1].startswith("/"):
            path = Path(found[1])
            yield from path.rglob("*") if path.is_dir() else (path,)
