"""A real PostgreSQL on loopback, of Debian's packages."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.installed import need, where
from tests.team import free_port

USER = "tester"


@contextmanager
def running(folder: Path) -> Iterator[int]:
    """The port of a server whose data lie in a folder; gone with its end.

    The superuser is `USER`; anybody on loopback is let in.
    """
    need("initdb", "pg_ctl")
    port, data = free_port(), folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    # The server does not run as root.
    user = "postgres" if os.getuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    control = [str(where("pg_ctl")), "-D", str(data), "-w"]
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    commands = (
        [str(where("initdb")), "-D", str(data), "-A", "trust", "-U", USER],
        [*control, "-l", str(folder / "log"), "-o", options, "start"],
    )
    for command in commands:
        subprocess.run(command, cwd="/", check=True, user=user, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], cwd="/", check=True, user=user)
        # A worker may come back to a module, and starts its server again in the same folder.
        shutil.rmtree(data)
