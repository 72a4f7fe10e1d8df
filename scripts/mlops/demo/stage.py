"""What the story plays on: `.demo/` with a forge, a team's clone, stores, logs and followers."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape

from mlops.errors import bad_input
from mlops.files import load_yaml, write_whole
from mlops.lock import LOCK, only_one
from mlops.repository import Layout
from mlops.tree import WorkTree

END_LIMIT = 40.0
"""Seconds a follower gets to drain and end before it is killed."""
PARTS = ("forge.git", "logs", "stores", "team")


class StepFailed(Exception):
    """A command of the story did not end as the story says."""


class Stage:
    """The folder, the processes and the voice of one run."""

    def __init__(self, template: Path, folder: Path, console: Console) -> None:
        self.template = template
        self.folder = folder
        self.team = self.folder / "team"
        self.forge = self.folder / "forge.git"
        self.stores = self.folder / "stores"
        self.logs = self.folder / "logs"
        self.console = console
        self.started = time.monotonic()
        self.results: dict[str, str] = {}
        self._background: list[subprocess.Popen[bytes]] = []
        self._lock = only_one(folder, "scripts/demo")

    def __enter__(self) -> "Stage":
        self._refuse_strange()
        self._lock.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A second Ctrl-C must not stop the ending.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.end_all()
        self._lock.__exit__(kind, error, trace)

    # The folder

    def prepare(self) -> None:
        """A fresh `.demo/` with the template's files in the team's folder.

        Raises:
            BadInput: when the template is not a Git clone.
        """
        if not (self.template / ".git").exists():
            raise bad_input(self.template, "is not a Git clone", "git clone it and run this there")
        for part in PARTS:
            shutil.rmtree(self.folder / part, ignore_errors=True)
        for folder in (self.team, self.stores, self.logs):
            folder.mkdir(parents=True)
        self._copy_template()
        mlops_toml = self.team / "mlops.toml"
        text = mlops_toml.read_text().replace('root = ".mlops"', 'root = "../stores"')
        mlops_toml.write_text(text)
        self._render()
        self._choose_free_ports()

    def _render(self) -> None:
        """What is made of mlops.toml, as `mlops render` would: the stores lie elsewhere."""
        from mlops import rendering

        for path, content in rendering.stale(Layout(WorkTree(self.team))).items():
            if content is not None:
                write_whole(self.team / path, content)

    def _refuse_strange(self) -> None:
        """Nothing that is not of this story is taken away.

        Raises:
            BadInput: when the folder holds something else.
        """
        found = sorted(path.name for path in self.folder.glob("*"))
        if strange := [name for name in found if name not in (*PARTS, LOCK)]:
            raise bad_input(
                self.folder, f"holds {', '.join(strange)}, not of this demo", "name another folder"
            )

    def _copy_template(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.template,
            capture_output=True,
            check=True,
        ).stdout
        for name in filter(None, listed.decode().split("\0")):
            source, target = self.template / name, self.team / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def _choose_free_ports(self) -> None:
        """Change the shipped local ports where something else listens on them.

        A demo in another folder changes all: the one in `.demo/` may be about to listen on them.
        """
        elsewhere = self.folder != self.template / ".demo"
        for path in sorted(self.team.glob("environments/*/*/settings.yaml")):
            port = load_yaml(path.read_bytes(), str(path))["local_port"]
            if elsewhere or not _is_free(port):
                free = _free_port()
                text = path.read_text().replace(f"local_port: {port}", f"local_port: {free}")
                path.write_text(text)
                why = "left to a demo in .demo" if elsewhere else "in use on this machine"
                self.say(f"port {port} is {why}: {path.parent.parent.name} takes {free}")

    # The voice

    def chapter(self, title: str, why: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.rule(f"[bold]{title}[/bold]", align="left")
        self.console.print(f"[dim]{escape(why)}[/dim]")

    def say(self, text: str) -> None:
        """One line of the story."""
        self.console.print(f"[green]>[/green] {escape(text)}")

    def result(self, name: str, value: str) -> None:
        """Keep a line for the summary."""
        self.results[name] = value

    # The commands

    def run(self, *words: str, expect: int = 0, last: int | None = None) -> str:
        """Run a command in the team's clone, show it and what it prints, return the output.

        Args:
            words: the command and its arguments.
            expect: the exit code that the story says.
            last: show only so many of the last lines; None shows each as it comes.

        Raises:
            StepFailed: when it exits with another code than `expect`.
        """
        line = shlex.join(words)
        self.console.print(f"\n[bold cyan]$ {escape(line)}[/bold cyan]")
        before = time.monotonic()
        process = subprocess.Popen(
            self._resolved(words),
            cwd=self.team,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
        )
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        lines = []
        try:
            # On a terminal a spinner shows that a command works on something.
            with self.console.status(f"[dim]{escape(words[0])} {escape(words[1])}[/dim]"):
                for text in process.stdout:
                    lines.append(text)
                    if last is None:
                        self._show(text)
            code = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        output = "".join(lines)
        self._log(line, output)
        self._show_last(lines, last)
        taken = time.monotonic() - before
        if code != expect:
            shown = "" if last is None else f"\n{output}"
            raise StepFailed(f"{line}: exit code {code} instead of {expect} ({taken:.1f} s){shown}")
        if taken > 1:
            self.console.print(f"  [dim]({taken:.1f} s)[/dim]")
        return output

    def _show(self, text: str) -> None:
        self.console.print(f"  [dim]{escape(text.rstrip())}[/dim]")

    def _show_last(self, lines: list[str], last: int | None) -> None:
        if last is None:
            return
        if len(lines) > last > 0:
            self._show(f"... {len(lines) - last} lines before, see logs/commands.log")
        for text in lines[len(lines) - last :] if last else ():
            self._show(text)

    def background(self, *words: str, log: str) -> subprocess.Popen[bytes]:
        """Start a command that goes on; its output goes to `.demo/logs/<log>`."""
        self.console.print(f"\n[bold cyan]$ {escape(shlex.join(words))} &[/bold cyan]")
        with (self.logs / log).open("wb") as output:
            process = subprocess.Popen(
                self._resolved(words),
                cwd=self.team,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(),
            )
        return self.add(process)

    def add(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Take care that a process ends with the story."""
        self._background.append(process)
        return process

    def end_all(self) -> None:
        """End every process that goes on, and wait until it has."""
        running = [process for process in self._background if process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + END_LIMIT
        for process in running:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._background.clear()

    def _resolved(self, words: Sequence[str]) -> list[str]:
        if words[0] == "mlops":
            return [sys.executable, "-m", "mlops", *words[1:]]
        return list(words)

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "COLUMNS": str(max(80, min(self.console.width - 4, 120))),
            "PYTHONPATH": str(self.template),
            "PYTHONUNBUFFERED": "1",
        }

    def _log(self, line: str, output: str) -> None:
        with (self.logs / "commands.log").open("a") as log:
            log.write(f"$ {line}\n{output}\n")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
