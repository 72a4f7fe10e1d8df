"""From raw files to a new pinned version of a dataset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mlops import digests
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.batch import Checked, check
from mlops.data.contract import Contract, read_contract
from mlops.data.current import Current, current
from mlops.data.deliveries import not_known, state_of, with_taken
from mlops.data.delivery import put_in
from mlops.data.delivery_policy import policy_of
from mlops.data.drift import drift
from mlops.data.dropped import Dropped, dropped_folder, keep_dropped
from mlops.data.pin import Deliveries, Pin, RawFile
from mlops.data.quarantine import Batch, keep_aside
from mlops.data.raw import read_bytes
from mlops.data.validated import remember
from mlops.data.validation import Report, validate
from mlops.errors import NotGood, Problem
from mlops.lineage import told
from mlops.lineage.quality import assertions, columns
from mlops.lineage.step import recorded
from mlops.lineage.told import About
from mlops.repository import Repository
from mlops.specs.evidence import Drift


@dataclass(frozen=True)
class Ingested:
    """What an ingest did.

    Attributes:
        old: the version before, or None.
        new: the version now; the same as `old` when nothing changed.
        added, replaced, unchanged: rows of the batches, counted by primary key.
        drift: the new and replaced rows against the version before; empty without either.
        warnings: broken rules of severity warning, of the batches and of the version.
        dropped: of each file of which rows were dropped, how many, and where they are kept.
        known: files that are in the version already, and were not taken again.
    """

    old: Pin | None
    new: Pin
    added: int
    replaced: int
    unchanged: int
    drift: tuple[Drift, ...]
    warnings: tuple[Problem, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is something to commit."""
        return self.new != self.old


@recorded("data.ingest")
def ingest(
    repo: Repository,
    dataset: str,
    files: Sequence[Path],
    *,
    aside: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Ingested:
    """Check raw files, upsert their rows by primary key and pin the new version.

    All or nothing: with one broken batch the pin and the stored data stay as they are. Of
    rows with the same key the later file's wins, and a file's over the version's, where the
    contract does not say otherwise (`delivery_policy`); where it says something of late or
    duplicate rows, a file that is in the version is not taken again.

    Args:
        repo: the clone, held by the caller (`repo.exclusive`).
        dataset: its name.
        files: raw CSV files, oldest first.
        aside: whether a broken file is kept aside in quarantine.
        progress: told what is being done.

    Raises:
        BadInput: when a file cannot be read.
        NotGood: when a batch, or the version with it, breaks the contract.
    """
    contract = read_contract(repo, dataset)
    policy = policy_of(contract)
    for file in files:
        read_bytes(repo, file)
    old = current(repo, contract)
    taken = not_known(policy, old, files)
    checked, state = [], state_of(policy, old)
    for file in taken:
        progress(f"checking {repo.shown(file)}")
        one = check(repo, contract, policy, state, file)
        checked.append(one)
        told.describe(file, About(quality=assertions(one.report)))
        if policy.is_said and one.report.passed:
            state = put_in(contract, policy, state, one.rows)
    reports = [one.report for one in checked]
    _refuse_broken(repo, taken, reports, aside=aside)
    merged = _merged(contract, old, [one.rows for one in checked])
    moved = _moved(contract, old, merged)
    warnings = [warning for report in reports for warning in report.warnings]
    counts = {file: one.counts for file, one in zip(taken, checked, strict=True)}
    delivered = with_taken(policy, old, counts, state.newest)
    new, content = _version(contract, old, merged.rows, _recorded(repo, old, taken), delivered)
    dropped = _kept_dropped(repo, contract, taken, checked)
    if old is None or new != old.pin:
        progress("checking the new version as a whole")
        report = _refuse_version(repo, contract, merged.rows)
        warnings += report.warnings
        progress("storing the version and pushing it to the DVC remote")
        pins.publish(repo, new, content)
        told.describe(pins.stored(repo, new), About(schema=columns(contract)))
        remember(repo, repo, new, report.summary(new.digest))
    pin = old.pin if old else None
    known = tuple(repo.shown(file) for file in files if file not in taken)
    return Ingested(
        *(pin, new, merged.added, merged.replaced, merged.unchanged),
        *(moved, tuple(warnings), dropped, known),
    )


def _kept_dropped(
    repo: Repository, contract: Contract, files: Sequence[Path], checked: Sequence[Checked]
) -> tuple[Dropped, ...]:
    found: list[Dropped] = []
    for file, one in zip(files, checked, strict=True):
        if any(one.counts.values()):
            digest = digests.of_file(file)
            keep_dropped(repo, contract.dataset, digest, one.raw, one.dropped)
            kept = dropped_folder(repo, contract.dataset, digest)
            found.append(Dropped(repo.shown(file), **one.counts, kept=repo.shown(kept)))
    return tuple(found)


def _merged(
    contract: Contract, old: Current | None, batches: Sequence[pd.DataFrame]
) -> table.Merged:
    """The version with all batches, of which each key counts once."""
    if not batches and old:
        return table.Merged(old.rows, old.rows.iloc[:0], 0, 0, 0)
    joined = batches[0]
    for batch in batches[1:]:
        joined = table.upsert(contract, joined, batch).rows
    return table.upsert(contract, old.rows if old else None, joined)


def _moved(contract: Contract, old: Current | None, merged: table.Merged) -> tuple[Drift, ...]:
    if old is None or merged.fresh.empty:
        return ()
    compared = [
        name for name in contract.names if name in old.columns and name not in contract.primary_key
    ]
    return drift(old.rows, merged.fresh, compared)


def _refuse_broken(
    repo: Repository, files: Sequence[Path], reports: Sequence[Report], *, aside: bool
) -> None:
    problems: list[Problem] = []
    for file, report in zip(files, reports, strict=True):
        if report.passed:
            continue
        problems += report.problems
        if aside:
            batch = keep_aside(repo, file.name, read_bytes(repo, file), report)
            problems.append(_kept_aside(repo, report.subject, batch))
    if problems:
        raise NotGood(problems)


def _kept_aside(repo: Repository, subject: str, batch: Batch) -> Problem:
    if batch.decision:
        what = f"is batch {batch.name}, which was {batch.decision}"
        return Problem(subject, what, "it stays so; ingest a file that is corrected")
    where = repo.shown(batch.folder)
    what = f"kept aside in {where}, the pin and the stored versions are unchanged"
    called = f"{batch.reason.dataset} {batch.name}"
    fix = f"read reason.md there, then `mlops data quarantine repair {called} CORRECTED`"
    return Problem(subject, what, fix)


def _recorded(repo: Repository, old: Current | None, files: Sequence[Path]) -> tuple[RawFile, ...]:
    """The raw files that make the version with these; none when one of them is not in Git."""
    before = old.pin.raw if old else ()
    places = [file.resolve() for file in files]
    if (old and not before) or not all(place.is_relative_to(repo.root) for place in places):
        return ()
    paths = [place.relative_to(repo.root).as_posix() for place in places]
    if not set(paths) <= _in_git(repo, paths):
        return ()
    found = (digests.of_file(place).removeprefix(digests.PREFIX) for place in places)
    new = (RawFile(path=path, sha256=sha) for path, sha in zip(paths, found, strict=True))
    return (*before, *new)


def _in_git(repo: Repository, paths: Sequence[str]) -> set[str]:
    """Those of the paths that are in Git or would be with the next commit."""
    asked = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--")
    return set(repo.git.names("--literal-pathspecs", *asked, *paths))


def _version(
    contract: Contract,
    old: Current | None,
    rows: pd.DataFrame,
    raw: tuple[RawFile, ...],
    deliveries: Deliveries,
) -> tuple[Pin, bytes]:
    """The version of these rows; the old one's bytes when it holds the same rows.

    A newer Parquet library may write other bytes for them: that alone is no new version.
    """
    if old and old.columns == contract.names and table.same_rows(old.rows, rows):
        changed = {"contract": contract.version, "deliveries": deliveries}
        return old.pin.model_copy(update=changed), old.content
    content = table.encode(contract, rows)
    named = (contract.dataset, content, len(rows), contract.version, raw)
    return pins.pin_of(*named, deliveries=deliveries), content


def _refuse_version(repo: Repository, contract: Contract, rows: pd.DataFrame) -> Report:
    whole = rows.set_axis(pd.RangeIndex(1, len(rows) + 1))
    subject, engine = f"the new version of {contract.dataset}", repo.project.data.engine
    report = validate(contract, whole, subject=subject, engine=engine)
    if not report.passed:
        raise NotGood(report.problems)
    return report
