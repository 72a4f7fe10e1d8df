"""A team's clone of a small project, with a bare repository as its forge and its own stores."""

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mlops.repository import Repository

ROOT = Path(__file__).parent.parent
PROJECT = Path(__file__).parent / "fixtures" / "project"
# What a fork takes from the template beside its own files.
TEMPLATE_PARTS = ("infra/base", "infra/policies", "requirements", ".dvc", ".gitignore")


def git(folder: Path, *args: str) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout.strip()


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Team:
    """A clone (`root`), its forge (`forge`, bare) and its stores, all below one folder."""

    root: Path
    forge: Path
    stores: Path

    @property
    def repo(self) -> Repository:
        """The clone, read anew."""
        return Repository.at(self.root)

    def git(self, *args: str) -> str:
        """Git in the clone."""
        return git(self.root, *args)

    def write(self, path: str, content: str) -> None:
        """Write a file of the work tree."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def commit(self, message: str, *, push: bool = True) -> str:
        """Commit all that differs, push it to the forge, return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        if push:
            self.git("push", "--quiet", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def mlops(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run the real command in a fresh process in the clone."""
        return subprocess.run(
            [sys.executable, "-m", "mlops", *args],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        )

    def choose_ports(self) -> None:
        """Give the service of each environment a port that is free."""
        for environment in ("dev", "staging", "prod"):
            self.write(
                f"environments/{environment}/toy/settings.yaml",
                f"service: toy\nlocal_port: {free_port()}\n",
            )

    def begin(self) -> None:
        """Make what lies in the folder a clone of a new forge, in one commit."""
        git(
            self.forge.parent, "init", "--quiet", "--bare", "--initial-branch=main", self.forge.name
        )
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "A Person")
        self.git("config", "user.email", "person@example.com")
        self.git("remote", "add", "origin", str(self.forge))
        self.commit("Start")
        self.git("fetch", "--quiet", "origin")


def make_clone(root: Path) -> Repository:
    """A clone with the template's own contracts and raw files, in one commit; nothing is pinned."""
    for part in ("data-contracts", ".dvc"):
        ignored = shutil.ignore_patterns("*.dvc", "*.parquet", "tmp", "cache", "config.local")
        shutil.copytree(ROOT / part, root / part, ignore=ignored)
    for file in ("mlops.toml", ".gitignore"):
        shutil.copy(ROOT / file, root / file)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "A Person")
    git(root, "config", "user.email", "person@example.com")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Start")
    return Repository.at(root)


def make_team(folder: Path) -> Team:
    """A fresh forge and clone of the small project below `folder`."""
    team = Team(folder / "team", folder / "forge.git", folder / "stores")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(PROJECT, team.root)
    for part in TEMPLATE_PARTS:
        _copy(ROOT / part, team.root / part)
    team.choose_ports()
    team.begin()
    return team


def copy_team(made: Team, folder: Path) -> Team:
    """A team like a fresh one, with ports of its own: Git has less to do than for a new one."""
    team = Team(folder / "team", folder / "forge.git", folder / "stores")
    shutil.copytree(made.root, team.root)
    shutil.copytree(made.forge, team.forge)
    team.git("remote", "set-url", "origin", str(team.forge))
    team.choose_ports()
    team.git("add", "environments")
    team.git("commit", "--quiet", "--amend", "--no-edit", "--reset-author")
    team.git("push", "--quiet", "--force", "origin", "HEAD")
    return team


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns("tmp", "cache", "__pycache__")
        )
    elif source.exists():
        shutil.copy2(source, target)
