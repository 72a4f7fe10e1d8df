"""Programs that tests need and a laptop may lack."""

import os
import shutil
from pathlib import Path

import pytest

SYSTEM = "/usr/sbin:/sbin"
"""Where Debian has programs that not every PATH leads to."""
SERVERS = ":".join(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))
"""Where Debian keeps PostgreSQL's."""


def where(name: str) -> str | None:
    """The path of a program; None when it is not installed."""
    return shutil.which(name, path=f"{os.environ['PATH']}:{SYSTEM}:{SERVERS}")


def need(*programs: str) -> None:
    """Skip with the names of the programs that are not here; in CI nothing may be lacking."""
    lacking = [name for name in programs if where(name) is None]
    if not lacking:
        return
    said = f"not installed: {', '.join(lacking)}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{said}; add what has it to the packages of .ci/run")
    pytest.skip(said)
