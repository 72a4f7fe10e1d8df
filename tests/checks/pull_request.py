"""A change checked as a pull request is: each share of the plan a job of its own, then a report."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.team import Team

RUN = "https://forge.example/run/1"


@dataclass(frozen=True)
class Said:
    """What a pull request is told.

    Attributes:
        plan: exit code of the plan.
        jobs: exit code of each part, the largest of its shards.
        report: exit code of the report.
        comment: the comment on the pull request.
        printed: what the plan and the report wrote to stdout and stderr.
    """

    plan: int
    jobs: dict[str, int]
    report: int
    comment: str
    printed: str

    @property
    def verdict(self) -> str:
        """The first line of the comment."""
        return self.comment.splitlines()[0]

    @property
    def to_do(self) -> list[str]:
        """What is to be done, as the comment lists it."""
        after = self.comment.partition("## To do\n\n")[2]
        return [line[2:] for line in after.partition("\n\n")[0].splitlines()]


def run(folder: Path, *words: str, output: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`mlops` in a process of its own, as a job of a forge starts it."""
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    env |= {"GITHUB_OUTPUT": str(output)} if output else {}
    done = subprocess.run(
        [sys.executable, "-m", "mlops", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=env,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def checked(team: Team, base: str = "origin/main") -> Said:
    """What `pr.yaml` makes of the commit checked out: plan, one job for each share, report."""
    folder, output = team.root, team.root.parent / "output"
    output.write_text("")
    planned = run(folder, "plan", "--base", base, "--github", output=output)
    jobs: dict[str, int] = {}
    for share in _matrix(output.read_text()):
        part, shard = share["part"], f"{share['shard']}/{share['of']}"
        job = run(
            folder, "check", "--base", base, "--part", part, "--shard", shard, "--out", "results"
        )
        jobs[part] = max(jobs.get(part, 0), job.returncode)
    told = run(folder, "report", "results", "--base", base, "--run-url", RUN)
    printed = planned.stdout + planned.stderr + told.stdout + told.stderr
    comment = (folder / "report" / "comment.md").read_text()
    return Said(planned.returncode, jobs, told.returncode, comment, printed)


def _matrix(output: str) -> list[dict[str, str]]:
    first = output.partition("\n")[0].removeprefix("matrix=")
    return list(json.loads(first)["include"]) if first else []
