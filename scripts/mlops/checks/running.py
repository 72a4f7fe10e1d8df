"""Runs a part of the checks: whatever happens in it becomes a result."""

import importlib
import os
import time
import traceback
from pathlib import Path

from mlops.checks.context import Context
from mlops.checks.found import count, result
from mlops.errors import MlopsError, NotHere, Problem
from mlops.files import write_whole
from mlops.specs.result import Outcome, Result


def run_part(context: Context) -> Result:
    """What the context's part finds in its share; its modules are imported only for this.

    An error of the files is `not good`, what is not here is `not evaluated`, and so is a fault
    of the tool itself: none of them may pass for good, and none may lose the result.
    """
    began = time.monotonic()
    try:
        found = _run(context)
    except NotHere as error:
        found = _ended(context, list(error.problems), "not evaluated")
    except MlopsError as error:
        found = _ended(context, list(error.problems), "not good")
    except Exception as error:  # noqa: BLE001 - the report has to hear of it
        found = _ended(context, [_unexpected(context, error)], "not evaluated")
    return found.model_copy(update={"seconds": round(time.monotonic() - began, 3)})


def _run(context: Context) -> Result:
    found: Result = importlib.import_module(f"mlops.checks.{context.share.part}").run(context)
    return found


def _ended(context: Context, problems: list[Problem], outcome: Outcome) -> Result:
    summary = f"could not be done: {count(len(problems), 'problem')}"
    return result(context, summary, problems, outcome=outcome)


def _unexpected(context: Context, error: Exception) -> Problem:
    if os.environ.get("MLOPS_DEBUG"):
        traceback.print_exc()
    share = context.share
    return Problem(
        f"mlops check --part {share.part} --shard {share.shard}/{share.of}",
        f"unexpected {type(error).__name__}: {error}",
        "run it again with MLOPS_DEBUG=1 for the trace",
    )


def write(found: Result, out: Path) -> Path:
    """Write a result into a folder as `<part>-<shard>-of-<shards>.json`, whole; its path."""
    path = out / f"{found.part}-{found.shard}-of-{found.of}.json"
    write_whole(path, found.model_dump_json(indent=2, exclude_none=True) + "\n")
    return path
