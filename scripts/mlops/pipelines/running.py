"""A pipeline in this process: each step once, what finished before is not done again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mlops.cli import run as mlops
from mlops.errors import Exit, MlopsError
from mlops.lineage.step import recording
from mlops.lock import only_one
from mlops.pipelines import finished
from mlops.pipelines.graph import Pipeline, Step
from mlops.pipelines.keys import key_of
from mlops.repository import Repository

State = Literal["done", "done before", "failed", "waits"]


@dataclass(frozen=True)
class Ran:
    """What became of a step.

    Attributes:
        code: its exit code.
        key: of all that decides it; None when it waits for a step before it.
        seconds: that it took, now or when it was done.
    """

    step: Step
    state: State
    code: int = Exit.DONE
    key: str | None = None
    seconds: float = 0.0


def run(repo: Repository, pipeline: Pipeline, starts: Callable[[Step], None]) -> list[Ran]:
    """Do the steps in order, up to the first that fails; all of them are told of.

    Killed at any moment and run again it goes on with the step it was in. Steps are safe to
    repeat: they write whole files and content that is named by its digest.

    Args:
        repo: the clone, whose folder the process is in.
        pipeline: what to do.
        starts: told each step that is not done before.

    Raises:
        BadInput: when another run of this model is under way, or a file is wrong.
    """
    ran: list[Ran] = []
    holding = f"mlops pipeline run {pipeline.model}"
    mine = finished.folder_of(repo, pipeline.model)
    with recording(repo, "pipeline", pipeline.model) as under_way, only_one(mine, holding):
        for step in pipeline.steps:
            failed = bool(ran) and ran[-1].code != Exit.DONE
            ran.append(
                Ran(step, "waits", ran[-1].code) if failed else _do(repo, pipeline, step, starts)
            )
        if ran[-1].code != Exit.DONE:
            under_way.failure = f"exit code {ran[-1].code}"
    return ran


def states(repo: Repository, pipeline: Pipeline) -> list[Ran]:
    """What `run` would find: steps done before, and those that wait."""
    found: list[Ran] = []
    waits = False
    for step in pipeline.steps:
        key = None if waits else _key(repo, step)
        kept = finished.recall(repo, pipeline.model, step, key) if key else None
        waits = waits or kept is None
        state: State = "waits" if kept is None else "done before"
        found.append(Ran(step, state, key=key, seconds=kept.seconds if kept else 0.0))
    return found


def _key(repo: Repository, step: Step) -> str | None:
    """None when something that it reads is not there: then it waits for that."""
    try:
        return key_of(repo, step)
    except MlopsError:
        return None


def _do(repo: Repository, pipeline: Pipeline, step: Step, starts: Callable[[Step], None]) -> Ran:
    key = key_of(repo, step)
    if kept := finished.recall(repo, pipeline.model, step, key):
        return Ran(step, "done before", key=key, seconds=kept.seconds)
    starts(step)
    start = time.perf_counter()
    code = mlops(step.line)
    seconds = time.perf_counter() - start
    if code != Exit.DONE:
        return Ran(step, "failed", code, key, seconds)
    finished.remember(repo, pipeline.model, step, key, seconds)
    return Ran(step, "done", key=key, seconds=seconds)
