"""Other people's linters and tools, run as processes from the locked packages."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from mlops.errors import Problem
from mlops.repository import Repository
from mlops.sources import TOOL

TEMPLATE = TOOL.parents[1]
"""The template's own files. In a repository that only calls its workflows they lie elsewhere."""
VENV = Path(sys.prefix)
MANY = 500
"""More files than this are not named one by one: the tool looks at the whole repository."""


def locked(name: str) -> str:
    """The path of a command of the locked packages."""
    return str(VENV / "bin" / name)


def run(
    repo: Repository, *command: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One command in the clone; its output is text, its exit code the caller's matter."""
    return subprocess.run(
        list(command),
        cwd=repo.root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )


def config(repo: Repository, name: str) -> str:
    """The configuration of a tool: the clone's own, or else the template's."""
    own = repo.root / name
    return str(own if own.is_file() else TEMPLATE / name)


def present(repo: Repository, paths: Iterable[str], *suffixes: str) -> list[str]:
    """Those of the paths that are files here and end like this; links are not followed."""
    found = (path for path in paths if path.endswith(suffixes))
    return [p for p in found if (repo.root / p).is_file() and not (repo.root / p).is_symlink()]


def named(paths: Sequence[str]) -> list[str]:
    """Paths as arguments that cannot be taken for options; `.` when they are many."""
    return ["."] if len(paths) > MANY else [f"./{path}" for path in paths]


def lines(repo: Repository, text: str, pattern: str, tool: str, fix: str) -> list[Problem]:
    """Problems from a tool's lines.

    Args:
        repo: the clone; paths are told relative to it.
        text: what the tool printed.
        pattern: regular expression with the groups `path`, `line` (may be missing) and `what`.
        tool: its name, put before what it says.
        fix: the way out.
    """
    found = (re.match(pattern, line) for line in text.splitlines())
    return [
        Problem(
            place(repo, hit["path"], hit.groupdict().get("line")), f"{tool}: {hit['what']}", fix
        )
        for hit in found
        if hit
    ]


def place(repo: Repository, path: str, line: int | str | None = None) -> str:
    """`path:line`, relative to the clone."""
    relative = os.path.relpath(repo.root / path, repo.root)
    return f"{relative}:{line}" if line else relative


def failed(tool: str, done: subprocess.CompletedProcess[str], fix: str) -> Problem:
    """A tool that ended with an error and named no place: its last words."""
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    words = " ".join(said[-3:]) or "it said nothing"
    return Problem(tool, f"ended with {done.returncode}: {words}", fix)
