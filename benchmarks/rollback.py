"""Promotions and reverts under load: how long, and how many requests were lost."""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.pull_request import TO_PROD
from benchmarks.table import Figure, quantile
from mlops.demo import chapters
from mlops.demo.load import Load
from mlops.demo.stage import Stage
from mlops.follow.status import read

TEMPLATE = Path(__file__).parent.parent
TOLD = (*TO_PROD, chapters.drift_and_retraining)
GOALS = {"warm": 2.0, "cold": 5.0}
KEEP_WARM = {"warm": 600, "cold": 0}
LIMIT = 60.0


@dataclass(frozen=True)
class Round:
    """One push under load: seconds to the last answer of what was replaced, and the tally."""

    seconds: float
    sent: int
    lost: int


def measure(*, small: bool) -> list[Figure]:
    """Reverts to a warm and to a cold predecessor, with the real service and two real releases."""
    rounds = 2 if small else 10
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder:
        stage = Stage(TEMPLATE, Path(folder) / "demo", Console(quiet=True))
        with stage:
            for chapter in TOLD:
                chapter(stage)
            return [figure for kind in GOALS for figure in _figures(stage, kind, rounds)]


def _figures(stage: Stage, kind: str, rounds: int) -> list[Figure]:
    _keep_warm(stage, KEEP_WARM[kind])
    reverts: list[Round] = []
    promotions: list[Round] = []
    for _ in range(rounds):
        reverts.append(_pushed(stage, old=2, new=1))
        promotions.append(_pushed(stage, old=1, new=2))
    everything = [*reverts, *promotions]
    sent, lost = sum(one.sent for one in everything), sum(one.lost for one in everything)
    seconds = [one.seconds for one in reverts]
    return [
        Figure(
            what=f"revert pushed to the last answer of the withdrawn model, predecessor {kind}",
            value=quantile(seconds, 0.95),
            unit="s",
            goal=GOALS[kind],
            detail=f"95th percentile of {rounds}; {min(seconds):.2f} to {max(seconds):.2f}",
        ),
        Figure(
            what=f"requests lost in {rounds} promotions and {rounds} reverts, predecessor {kind}",
            value=lost,
            unit=f"of {sent}",
            goal=0,
            detail="lost, late (over 1 s) or of a wrong release; kept and fresh connections",
        ),
    ]


def _keep_warm(stage: Stage, seconds: int) -> None:
    """Change the service's settings in prod and wait until the follower has read them."""
    settings = stage.team / f"environments/prod/{chapters.SERVICE}/settings.yaml"
    lines = [line for line in settings.read_text().splitlines() if "keep_warm" not in line]
    settings.write_text("\n".join([*lines, f"keep_warm_seconds: {seconds}"]) + "\n")
    _git(stage, "commit", "--quiet", "--all", "--message", f"Keep warm {seconds} s")
    _git(stage, "push", "--quiet")
    _wait(stage, 2)


def _pushed(stage: Stage, *, old: int, new: int) -> Round:
    """Revert the newest change of the release under load and wait until `new` serves."""
    changed = _git(stage, "log", "-1", "--format=%H", "--", _release_file())
    load = Load(stage, chapters.SERVICE, "prod")
    _git(stage, "revert", "--no-edit", changed)
    pushed = time.time()
    _git(stage, "push", "--quiet")
    _wait(stage, new)
    load.go_on(1.5)
    tally = load.end()
    releases: dict[str, Any] = tally["releases"]
    wrong = sum(seen["answers"] for name, seen in releases.items() if int(name) not in (old, new))
    late_last = releases[str(old)]["last"] - pushed
    return Round(late_last, tally["sent"], tally["lost"] + wrong)


def _wait(stage: Stage, release: int) -> None:
    """Until the follower of prod has read the newest commit and serves the release."""
    newest = _git(stage, "rev-parse", "HEAD")
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        status = read(stage.stores / "follow" / "prod" / "status.json")
        if status and status.commit == newest and status.services[0].serving == release:
            return
        time.sleep(0.02)
    raise TimeoutError(f"release {release} does not serve prod after {LIMIT:.0f} s")


def _release_file() -> str:
    return f"environments/prod/{chapters.SERVICE}/release.yaml"


def _git(stage: Stage, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=stage.team, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
