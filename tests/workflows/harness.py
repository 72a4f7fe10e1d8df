"""Workflows run for real, by act in host mode, in repositories made for it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.team import ROOT, Team

HARNESS = Path(os.environ.get("ACTIONS_HARNESS") or ROOT.parent / "shared" / "actions")
TEMPLATE = (".github", "scripts", "pyproject.toml", ".yamllint.yaml", ".checkov.yaml")
DATASET = "toy-points"
USES = re.compile(r"uses: ([\w.-]+/[\w./-]+)@[0-9a-f]{40}")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Ran:
    """What a run left.

    Attributes:
        code: 0 when every job passed, 1 when one failed, 2 when nothing could run.
        log: what the jobs printed.
        out: folder of `artifacts/` and `summary.md`.
    """

    code: int
    log: str
    out: Path

    @property
    def summary(self) -> str:
        """The step summaries."""
        file = self.out / "summary.md"
        return file.read_text() if file.is_file() else ""

    @property
    def artifacts(self) -> list[str]:
        """Names of the artifacts, sorted."""
        return sorted(path.name for path in self.out.glob("artifacts/*/*"))

    def results(self) -> dict[str, Any]:
        """The results by part and shard."""
        files = self.out.glob("artifacts/*/results-*/*.json")
        return {file.stem: json.loads(file.read_text()) for file in files}

    def jobs(self) -> set[str]:
        """Names of the jobs that ran, the calling job first."""
        return {
            name.strip() for name in re.findall(r"^\[([^\]]+)\] .*Run Set up job", self.log, re.M)
        }


def harness() -> Path:
    """The folder of `run-workflow`; a test that needs it is skipped where there is none."""
    if not (HARNESS / "run-workflow").is_file():
        pytest.skip("no act harness beside this checkout (ACTIONS_HARNESS names another place)")
    if shutil.which("go") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the act harness is here and Go, which builds act, is not")
        pytest.skip("Go is not here, which builds act")
    return HARNESS


@dataclass(frozen=True)
class Server:
    """The forge that a run is told it belongs to, and the token of its jobs."""

    url: str
    repository: str
    token: str

    def options(self) -> list[str]:
        """Arguments of run-workflow."""
        api = f"{self.url}/api/v1"
        where = ["--server-url", self.url, "--api-url", api, "--repository", self.repository]
        return [*where, "--token", self.token]


def run(
    team: Team,
    event: str,
    workflow: str,
    *,
    payload: Mapping[str, object] | None = None,
    variables: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    inputs: Mapping[str, str] | None = None,
    server: Server | None = None,
    out: Path | None = None,
    runner: Path | None = None,
    job: str | None = None,
) -> Ran:
    """Run one workflow of a team's clone, as committed; with `job` that one and what it needs."""
    here, out = runner or harness(), out or team.root.parent / "out"
    command = [str(here / "run-workflow"), str(team.root), event]
    if payload:
        file = team.root.parent / "event.json"
        file.write_text(json.dumps(payload))
        command.append(str(file))
    command += ["--workflow", workflow, "--out", str(out), *(server.options() if server else [])]
    command += _options("--var", {"MLOPS_VENV": sys.prefix, **(variables or {})})
    command += _options("--secret", secrets or {})
    command += _options("--input", inputs or {})
    command += ["--job", job] if job else []
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "NO_COLOR": "1"},
    )
    return Ran(done.returncode, COLOURS.sub("", done.stdout + done.stderr), out)


def _options(name: str, given: Mapping[str, str]) -> list[str]:
    return [part for key, value in given.items() for part in (name, f"{key}={value}")]


def add_template(team: Team) -> None:
    """Give a toy project what a fork takes from the template, the workflows among it."""
    for part in TEMPLATE:
        source, target = ROOT / part, team.root / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy2(source, target)
    shutil.rmtree(team.root / ".github" / "rulesets", ignore_errors=True)


def pin_data(team: Team) -> None:
    """Pin a month of data, in stores that every folder of this machine finds."""
    raw = "data-contracts/toy-points/raw/2024-01.csv"
    for call in (("init", "--stores-root", str(team.stores)), ("data", "ingest", DATASET, raw)):
        done = team.mlops(*call)
        assert done.returncode == 0, done.stderr


def with_dead_ends(folder: Path) -> Path:
    """A copy of the harness in which every action it has no stub for fails when it is reached."""
    copy = folder / "actions"
    shutil.copytree(harness(), copy, copy_function=shutil.copyfile)
    (copy / "run-workflow").chmod(0o755)
    for path in (copy, *copy.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    for file in (ROOT / ".github" / "workflows").glob("*.yaml"):
        for name in USES.findall(file.read_text()):
            stub = copy / "stubs" / name
            if not stub.exists():
                stub.mkdir(parents=True)
                (stub / "action.yml").write_text(DEAD_END)
    return copy


DEAD_END = """\
name: dead end
description: Not to be reached.
runs:
  using: composite
  steps:
    - {shell: bash, run: "echo '::error::this was not to be reached'; exit 1"}
"""
