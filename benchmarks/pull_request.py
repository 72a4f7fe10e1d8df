"""A pull request that changes the example's model: its whole verdict, and the steps of its jobs."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.table import Figure
from mlops.checks.coverage_map import REF
from mlops.demo import chapters
from mlops.demo.stage import Stage
from mlops.repository import Repository

TEMPLATE = Path(__file__).parent.parent
SPEC = f"models/{chapters.SERVICE}/model.yaml"
TO_PROD = (
    chapters.forge_and_followers,
    chapters.data,
    chapters.model,
    chapters.first_release,
    chapters.promotions,
)
VERDICT = 60.0
# The shortest that are published for the steps of a pipeline of this kind, seconds.
CLONE, BUILD, RUN = 1.7, 2.7, 10.0


def measure(*, small: bool) -> list[Figure]:
    """Wall seconds with the real example, whose first release serves `prod`; warm: run before."""
    runs, before = (1, 0) if small else (5, 1)
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        folder = Path(name)
        stage = Stage(TEMPLATE, folder / "demo", Console(quiet=True))
        with stage:
            for chapter in TO_PROD:
                chapter(stage)
            stage.end_all()  # what serves is asked nothing
            recorded = _share_recording(stage)
            verdicts = [_verdict(stage, run) for run in range(before + runs)][before:]
            clones = [_clone(folder / "clone") for _ in range(runs)]
            setups = [_set_up() for _ in range(runs)]
            builds, starts = zip(*(_bring_out(stage, run) for run in range(runs)), strict=True)
    outs = [build + start for build, start in zip(builds, starts, strict=True)]
    parts = f"{statistics.median(builds):.2f} and {statistics.median(starts):.2f} s"
    return [
        _figure("mlops check of a one-model pull request, warm", verdicts, VERDICT, recorded),
        _figure("its job: clone, whole history", clones, CLONE),
        _figure("its job: set-up of what runs it, warm", setups, BUILD),
        _figure("its release: package, put into the store, run", outs, RUN, parts),
    ]


def _figure(what: str, seconds: Sequence[float], goal: float, more: str = "") -> Figure:
    detail = f"median of {len(seconds)}; {min(seconds):.2f} to {max(seconds):.2f}"
    return Figure(
        what, statistics.median(seconds), "s", goal, f"{detail}; {more}" if more else detail
    )


def _share_recording(stage: Stage) -> str:
    """Give the team the template's recording of tests, where there is one."""
    if Repository.at(TEMPLATE).git.commit_of(REF) is None:
        return "no recording of tests: the models' own"
    _seconds(TEMPLATE, "git", "push", "--quiet", str(stage.forge), f"{REF}:{REF}")
    return "tests chosen by the recording"


def _verdict(stage: Stage, run: int) -> float:
    """Seconds until all is judged of a change that nobody has trained before."""
    _change(stage, 401 + run)
    return _mlops(stage, "check", "--base", "origin/main")


def _change(stage: Stage, rounds: int) -> None:
    spec = stage.team / SPEC
    text, found = re.subn(r"rounds: \d+", f"rounds: {rounds}", spec.read_text())
    if found != 1:
        raise ValueError(f"{SPEC}: names its rounds {found} times")
    spec.write_text(text)
    _seconds(stage.team, "git", "commit", "--quiet", "--all", "--message", f"{rounds} rounds")


def _clone(target: Path) -> float:
    """Seconds of a clone as a job makes it, through Git's transport."""
    shutil.rmtree(target, ignore_errors=True)
    return _seconds(TEMPLATE, "git", "clone", "--quiet", TEMPLATE.as_uri(), str(target))


def _set_up() -> float:
    return _seconds(TEMPLATE, "scripts/setup", "--where", MLOPS_VENV=sys.prefix)


def _bring_out(stage: Stage, run: int) -> tuple[float, float]:
    """Seconds of building a bento into the store, and of starting it to its first answer."""
    from tests.serving.toy import listening_socket, serving

    _change(stage, 501 + run)
    _mlops(stage, "train", chapters.SERVICE)
    output = stage.folder / "output"
    output.unlink(missing_ok=True)
    build = _mlops(stage, "build", "--github", chapters.SERVICE, GITHUB_OUTPUT=str(output))
    bento = Path(output.read_text().removeprefix("path=").strip())
    with listening_socket() as door, serving(bento, release=1, listening=door) as process:
        return build, process.seconds


def _mlops(stage: Stage, *words: str, **more: str) -> float:
    return _seconds(stage.team, sys.executable, "-m", "mlops", *words, **more)


def _seconds(folder: Path, *words: str, **more: str) -> float:
    """Seconds of a command that has to succeed."""
    before = time.perf_counter()
    subprocess.run(
        words, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **more}
    )
    return time.perf_counter() - before
