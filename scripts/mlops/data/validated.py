"""Versions that hold to their contract, kept by content: what was checked is not checked again."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mlops import digests
from mlops.data.contract import read_contract
from mlops.data.pin import Pin, fetch
from mlops.errors import Problem
from mlops.files import read_whole, write_whole
from mlops.lineage import told
from mlops.lineage.quality import assertions, columns
from mlops.lineage.step import recording
from mlops.lineage.told import About
from mlops.repository import Layout, Repository
from mlops.sources import VALIDATION_CODE, pins_of, tool_code
from mlops.specs.base import parse
from mlops.specs.evidence import DataValidation

if TYPE_CHECKING:
    from mlops.data.validation import Report


def validated(
    repo: Repository, layout: Layout, pin: Pin
) -> tuple[DataValidation, tuple[Problem, ...]]:
    """A version held to its contract: what was found, and each broken rule.

    Args:
        repo: the clone, for its stores.
        layout: the tree whose contract and packages count.
        pin: the version.
    """
    kept = recall(repo, layout, pin)
    if kept is not None:
        return kept, ()
    report = checked(repo, layout, pin)
    return report.summary(pin.digest), report.problems


def checked(repo: Repository, layout: Layout, pin: Pin) -> "Report":
    """What `validated` finds, rule by rule: checked again even where it is known to hold."""
    from mlops.data.validation import validate_file

    with recording(repo, "data.validate", pin.dataset) as step:
        contract, engine = read_contract(layout, pin.dataset), layout.project.data.engine
        file = fetch(repo, pin)
        report = validate_file(contract, file, engine=engine)
        told.describe(file, About(quality=assertions(report), schema=columns(contract)))
        if report.passed:
            remember(repo, layout, pin, report.summary(pin.digest))
        else:
            step.failure = f"{len(report.problems)} rules are broken"
    return report


def recall(repo: Repository, layout: Layout, pin: Pin) -> DataValidation | None:
    """What was found when exactly this was checked and held; None when it was not."""
    file = _path(repo, layout, pin)
    return parse(read_whole(file), str(file), DataValidation) if file.is_file() else None


def remember(repo: Repository, layout: Layout, pin: Pin, found: DataValidation) -> None:
    """Keep that a version holds to its contract."""
    write_whole(_path(repo, layout, pin), json.dumps(found.model_dump(mode="json")))


def _path(repo: Repository, layout: Layout, pin: Pin) -> Path:
    """Named by all that decides the result: rows, contract, our code, the packages."""
    contract = layout.tree.read(f"data-contracts/{pin.dataset}.odcs.yaml") or b""
    key = digests.of_json(
        {
            "data": pin.digest,
            "contract": digests.of_bytes(contract),
            "tool": digests.of_files(tool_code(VALIDATION_CODE)),
            "dependencies": digests.of_bytes(pins_of(layout, "data")),
        }
    )
    return repo.stores / "validations" / f"{key.removeprefix(digests.PREFIX)}.json"
