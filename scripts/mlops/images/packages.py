"""The packages of requirements/serve.txt in a folder, fetched outside of any container.

They come from where scripts/setup takes them: the index and its credentials stay on this machine.
"""

import platform
import re
import subprocess
import sys
from pathlib import Path

from mlops.errors import BadInput, bad_input
from mlops.repository import Layout
from mlops.sources import lock_path

PYTHON = "3.11"
"""The Python of the base, for which the locks are resolved."""
LIBC = "manylinux_2_28"
"""The oldest C library that a base may have."""


def machine() -> str:
    """The processor images are built for: the one of this machine, `x86_64` or `aarch64`."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


def install(layout: Layout, folder: Path) -> None:
    """Install what the lock of services holds, as wheels, each held against its hash.

    Args:
        layout: the files of the commit whose lock is meant.
        folder: made by this; the lock is left beside it.

    Raises:
        BadInput: when the lock is not there, or a package cannot be had or has another hash.
    """
    path = lock_path("serve")
    content = layout.tree.read(path)
    if content is None:
        raise bad_input(path, "file is missing", "run scripts/lock")
    lock = folder.parent / "serve.txt"
    lock.write_bytes(content)
    done = subprocess.run(
        [*_command(), "--requirements", str(lock), "--target", str(folder)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise _refused(path, done.stderr)


def _command() -> list[str]:
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config"]
    fixed = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy"]
    target = ["--python-version", PYTHON, "--python-platform", f"{machine()}-{LIBC}"]
    return [*uv, *fixed, *target, "--python", sys.executable]


def _refused(path: str, text: str) -> BadInput:
    lines = [re.sub(r"^\W+", "", line).strip() for line in text.splitlines()]
    said = re.sub(r"//[^/@\s]*@", "//***@", "; ".join(line for line in lines if line)[:300])
    if "No space left on device" in text:
        fix = "free the disk and run this again, nothing was pushed"
        return bad_input(path, "the packages do not fit on the disk", fix)
    fix = "see that the package index answers (UV_INDEX_URL names another), then run this again"
    return bad_input(path, f"cannot be installed ({said or 'uv said nothing'})", fix)
