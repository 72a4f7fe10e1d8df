"""Broken batches, kept aside with the reason: nothing of them enters the dataset.

A batch has a folder `quarantine/<dataset>/<first 12 of its SHA-256>/` in the stores, with its file
as it came, why it was kept aside, and, once that is made, the one decision of it.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from mlops import digests
from mlops.data.contract import known_dataset
from mlops.data.validation import Report
from mlops.errors import BadInput, MlopsError, Problem, bad_input
from mlops.files import read_whole, write_whole
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.lock import LOCK, only_one
from mlops.repository import Repository
from mlops.specs.base import Digest, Name, Spec, Version, parse

REASON, READABLE, DECISION = "reason.json", "reason.md", "decision.json"
OWN = frozenset({REASON, READABLE, DECISION, LOCK})
"""Names in a batch's folder that no raw file is kept by."""
Outcome = Literal["repaired", "released", "dropped"]
State = Literal["waiting", "repaired", "released", "dropped"]


class Reason(Spec):
    """Why a batch was kept aside; the file holds the whole report of its check beside."""

    model_config = ConfigDict(extra="ignore")

    file: str = Field(description="name of the file in the batch's folder")
    digest: Digest
    at: str = Field(description="when it was first kept aside; UTC, ISO 8601")
    dataset: str
    contract: Version
    rows: int
    broken: tuple[str, ...] = Field(description="each broken rule: its kind, counts, worst rows")
    unchecked: tuple[str, ...] = ()


class Decision(Spec):
    """What became of a batch; written once, never changed."""

    kind: Literal["quarantine-decision/v1"] = "quarantine-decision/v1"
    dataset: Name
    batch: Digest
    outcome: Outcome
    by: str = Field(min_length=1, description="who, by Git's identity")
    at: str = Field(description="UTC, ISO 8601")
    reason: str = Field(min_length=1)
    version: Digest | None = Field(default=None, description="the dataset's, with these rows in it")
    file: str | None = Field(default=None, description="name of the file that took its place")
    file_digest: Digest | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Decision":
        if (self.outcome == "dropped") != (self.version is None):
            raise ValueError("a batch that went into the dataset has its `version`, no other has")
        if any((self.outcome == "repaired") != (each is not None) for each in self._repair):
            raise ValueError("a repaired batch has `file` and `file_digest`, no other has")
        return self

    @property
    def _repair(self) -> tuple[str | None, str | None]:
        return self.file, self.file_digest

    def __str__(self) -> str:
        return f"{self.outcome} on {shown_moment(self.at)} by {self.by}: {self.reason}"


@dataclass(frozen=True)
class Batch:
    """A quarantined batch: where it lies, why, and what was decided of it."""

    folder: Path
    reason: Reason
    decision: Decision | None

    @property
    def name(self) -> str:
        """The first twelve digits of its digest."""
        return digests.short(self.reason.digest)

    @property
    def file(self) -> Path:
        """Its raw file; there until it is dropped."""
        return self.folder / self.reason.file

    @property
    def kept(self) -> datetime:
        """When it was first kept aside."""
        return datetime.fromisoformat(self.reason.at)

    @property
    def state(self) -> State:
        """Waiting, or what was decided."""
        return self.decision.outcome if self.decision else "waiting"

    def waits(self, now: datetime | None = None) -> bool:
        """Whether it is there and not decided, at present or at a moment (UTC)."""
        decided = datetime.fromisoformat(self.decision.at) if self.decision else None
        if now is None:
            return decided is None
        return self.kept <= now and (decided is None or now < decided)

    def held(self, doing: str) -> AbstractContextManager[None]:
        """Hold the batch for a command that decides it; see `lock.only_one`."""
        return only_one(self.folder, doing)


def quarantine(repo: Repository, dataset: str) -> Path:
    """The folder of a dataset's quarantined batches."""
    return repo.stores / "quarantine" / dataset


def keep_aside(
    repo: Repository, name: str, raw: bytes, report: Report, *, now: datetime | None = None
) -> Batch:
    """Put a raw batch into quarantine.

    The same batch again finds its folder and renews the reason; one that was decided stays as it
    is.

    Args:
        name: the raw file's name.
        raw: its bytes, kept as they are.
        report: what is wrong with it.
        now: UTC; default: the present.
    """
    digest = digests.of_bytes(raw)
    folder = quarantine(repo, report.contract.dataset) / digests.short(digest)
    with only_one(folder, "mlops data ingest"):
        before = _read(folder) if (folder / REASON).is_file() else None
        if before and before.decision:
            return before
        at = before.reason.at if before else utc_text(now)
        kept = f"batch-{name}" if name in OWN else name
        write_whole(folder / kept, raw)
        told.wrote(folder / kept, digest, Thing("batch", report.contract.dataset))
        write_whole(folder / READABLE, _readable(name, digest, report))
        broken = [problem.what for problem in report.problems]
        reason = {"file": kept, "digest": digest, "at": at, "broken": broken}
        write_whole(folder / REASON, json.dumps(reason | report.as_json(), indent=2) + "\n")
        if before and before.file.name != kept:
            before.file.unlink(missing_ok=True)
        return _read(folder)


def utc_text(now: datetime | None) -> str:
    """A moment (default: the present) as it is recorded: UTC, ISO 8601, whole seconds."""
    return (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")


def datasets(repo: Repository) -> list[str]:
    """Names of the datasets that have had a batch in quarantine."""
    top = repo.stores / "quarantine"
    return sorted(path.name for path in top.glob("*") if path.is_dir())


def batches(repo: Repository, dataset: str) -> list[Batch]:
    """The quarantined batches of a dataset, the oldest first.

    Raises:
        BadInput: with every record that cannot be read.
    """
    # Without a reason the ingest that was putting it there was killed: it is run again.
    files = sorted(quarantine(repo, dataset).glob(f"*/{REASON}"))
    found: list[Batch] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found.append(_read(file.parent))
        except MlopsError as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return sorted(found, key=lambda batch: (batch.reason.at, batch.name))


def known(repo: Repository, dataset: str) -> None:
    """Raises `BadInput` for a name that neither a contract nor a quarantined batch has.

    A dataset whose contract was removed may have batches still.
    """
    if dataset not in datasets(repo):
        known_dataset(repo, dataset)


def find(repo: Repository, dataset: str, name: str) -> Batch:
    """The batch whose digest begins with a name.

    Raises:
        BadInput: for an unknown dataset, or when there is none, or more than one; those there
            are are named.
    """
    known(repo, dataset)
    there = batches(repo, dataset)
    wanted = name.lower().removeprefix(digests.PREFIX)
    fits = [
        batch
        for batch in there
        if wanted and batch.reason.digest.removeprefix(digests.PREFIX).startswith(wanted)
    ]
    if len(fits) == 1:
        return fits[0]
    place = f"quarantine of {dataset}"
    if fits:
        names = ", ".join(batch.name for batch in fits)
        what = f"{len(fits)} batches begin with {name!r}: {names}"
        raise bad_input(place, what, "write more of the digest")
    names = ", ".join(batch.name for batch in there)
    raise bad_input(
        place,
        f"no batch begins with {name!r}",
        f"name one of {names}" if names else "it is empty, there is nothing to do",
    )


def record(
    batch: Batch, outcome: Outcome, *, by: str, reason: str, now: datetime | None, **came: Any
) -> Decision:
    """Write what was decided of a batch that waits; the caller holds the batch.

    Args:
        batch: it.
        outcome: what becomes of it.
        by: who decided.
        reason: why.
        now: UTC; default: the present.
        came: what it came to, the further fields of `Decision`.
    """
    decision = Decision(
        dataset=batch.reason.dataset,
        batch=batch.reason.digest,
        outcome=outcome,
        by=by,
        at=utc_text(now),
        reason=reason,
        **came,
    )
    body = decision.model_dump(mode="json", exclude_none=True)
    write_whole(batch.folder / DECISION, json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    return decision


def shown_moment(text: str) -> str:
    """A moment for people: `2026-03-01 10:00 UTC`."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def waiting(found: Sequence[Batch], now: datetime | None = None) -> list[Batch]:
    """Those that nothing is decided of; with `now` (UTC), those of which that was so then."""
    return [batch for batch in found if batch.waits(now)]


def _read(folder: Path) -> Batch:
    reason, decision = folder / REASON, folder / DECISION
    decided = read_whole(decision) if decision.is_file() else None
    return Batch(
        folder,
        parse(read_whole(reason), str(reason), Reason),
        parse(decided, str(decision), Decision) if decided is not None else None,
    )


def _readable(name: str, digest: str, report: Report) -> str:
    broken = "\n".join(f"- {problem.what}" for problem in report.problems)
    contract = report.contract
    called = f"{contract.dataset} {digests.short(digest)}"
    return f"""# {name}: kept aside

This batch of `{contract.dataset}` ({report.rows} rows, `{digest}`) breaks version
{contract.version} of the contract `{contract.path}`:

{broken}

None of its rows entered the dataset; the pin and the stored data are as they were. Rows are
counted from 1, below the header. See it beside the pinned version, then decide:

    mlops data quarantine show {called}

- The data is wrong: correct it in a copy and put that in its place.

      mlops data quarantine repair {called} CORRECTED.csv

- The data is right: change the contract in a pull request, then take the batch in.

      mlops data quarantine release {called} --reason TEXT

- Nobody needs it:

      mlops data quarantine drop {called} --reason TEXT
"""
