"""Short-lived helpers of a follower: processes of their own that end with it."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from mlops.errors import MlopsError


class HelperFailed(Exception):
    """The helper did not do its work; the text says why."""


def run(work: Callable[[], None]) -> NoReturn:
    """Do the work of a helper process and end it; problems go to standard error."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What serves goes first.
    os.nice(10)
    try:
        work()
    except MlopsError as error:
        sys.exit(str(error))
    sys.exit(0)


def _end_with_parent() -> None:
    """End this process as soon as its standard input closes: whoever started it is gone."""
    while os.read(sys.stdin.fileno(), 1):
        continue
    os._exit(1)


async def call(root: Path, module: str, *args: str) -> str:
    """Run a helper in a clone and return what it printed.

    Raises:
        HelperFailed: with the last line it wrote, when it failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *args,
        cwd=root,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101 - PIPE was asked for
    assert process.stderr is not None  # noqa: S101 - PIPE was asked for
    try:
        # Not `communicate`, which would close its standard input: that ends it.
        out, err = await asyncio.gather(process.stdout.read(), process.stderr.read())
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = err.decode(errors="replace").strip().splitlines()
        raise HelperFailed(lines[-1] if lines else f"exit code {process.returncode}")
    return out.decode()
