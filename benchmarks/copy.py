"""A copy of the project that runs its own code, with the packages of this one."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
INSTALLED = "_ml_gitops.pth"


@dataclass(frozen=True)
class Copy:
    """A clone of the project's last commit, with a `.venv` in which `mlops` is the clone's."""

    root: Path

    @property
    def python(self) -> Path:
        """The interpreter that runs the clone's code, in all processes it starts, too."""
        return self.root / ".venv" / "bin" / "python"

    def run(self, *arguments: str, limit: float) -> int | None:
        """Exit code of Python with these arguments; None when it took longer than `limit` s."""
        process = subprocess.Popen(
            [str(self.python), *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def copy_to(folder: Path) -> Copy:
    """A new copy in `folder`."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    copy = Copy(folder)
    _packages(Path(sys.prefix), folder / ".venv", folder / "scripts")
    return copy


def _packages(source: Path, target: Path, own: Path) -> None:
    """A virtual environment with links to the packages of another; the project is `own`."""
    inside = Path(f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages")
    (target / "bin").mkdir(parents=True)
    (target / inside).mkdir(parents=True)
    for entry in source.iterdir():
        if entry.name not in ("bin", "lib", "lib64"):
            (target / entry.name).symlink_to(entry)
    for entry in (source / inside).iterdir():
        if entry.name != INSTALLED:
            (target / inside / entry.name).symlink_to(entry)
    (target / inside / INSTALLED).write_text(str(own))
    for entry in (source / "bin").iterdir():
        _program(entry, target / "bin" / entry.name, source, target)


def _program(entry: Path, copied: Path, source: Path, target: Path) -> None:
    if entry.is_symlink():
        copied.symlink_to(entry.readlink())
        return
    content = entry.read_bytes()
    if content.startswith(b"#!"):
        copied.write_bytes(content.replace(os.fsencode(source), os.fsencode(target), 1))
        shutil.copymode(entry, copied)
    else:
        copied.symlink_to(entry)
