"""A plugin of coverage.py that tells each process what test it works for.

It lies beside the package, not in it: processes that run a bento's own copy of the package
are recorded too. Every Python process below a recorded pytest loads it, by the variable
COVERAGE_PROCESS_START; see mlops/checks/recording.py.
"""

import atexit
import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER, ROOT, LABEL = "MLOPS_RECORD", "MLOPS_RECORD_ROOT", "MLOPS_RECORD_LABEL"
PASSED_ON = ("COVERAGE_PROCESS_START", FOLDER, ROOT, LABEL)
_read: set[tuple[str, str]] = set()


def coverage_init(_registry: Any, _options: Any) -> None:
    """Called by coverage.py when it starts in a process."""
    root = os.environ.get(ROOT)
    if root is None:
        return
    prefix = f"{root}/"

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.listdir", "os.scandir"):
            _hear_read(prefix, arguments[0])
        elif event == "subprocess.Popen" and isinstance(arguments[3], dict):
            # Servers are given an environment of their own; it must not end the recording.
            for name in PASSED_ON:
                arguments[3].setdefault(name, os.environ[name])

    sys.addaudithook(hear)
    atexit.register(save)


def _hear_read(prefix: str, path: Any) -> None:
    if isinstance(path, int) or path is None:
        return
    name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - called for each file opened
    if name.startswith(prefix):
        _read.add((os.environ[LABEL], name.removeprefix(prefix)))


def save() -> None:
    """Write down which files below the root this process opened or listed; whole or not."""
    name = f"{os.getpid()}-{os.urandom(4).hex()}.json"
    file = Path(os.environ[FOLDER]) / f"unfinished-{name}"
    file.write_text(json.dumps(sorted(_read)))
    file.rename(file.with_name(f"read-{name}"))
