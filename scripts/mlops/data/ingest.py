"""From raw files to a new pinned version of a dataset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mlops import digests
from mlops.data import pin as pins
from mlops.data import rules, table
from mlops.data.contract import Contract, read_contract
from mlops.data.delivery import Received, Single, State, moved_on, put_in, receive, single
from mlops.data.delivery_policy import Policy, policy_of
from mlops.data.derivation import is_derived, step_path
from mlops.data.drift import drift
from mlops.data.dropped import dropped_folder, keep_dropped
from mlops.data.expectations import columns_outcome
from mlops.data.learned.files import with_learned
from mlops.data.pin import Deliveries, Delivery, Pin, RawFile
from mlops.data.quarantine import Batch, keep_aside
from mlops.data.raw import read_bytes, read_raw
from mlops.data.typed import conformed
from mlops.data.validated import remember
from mlops.data.validation import Report, validate
from mlops.errors import NotGood, Problem, bad_input
from mlops.lineage import told
from mlops.lineage.quality import assertions, columns
from mlops.lineage.step import recorded
from mlops.lineage.told import About
from mlops.repository import Layout, Repository
from mlops.scoring.source import module_of
from mlops.specs.evidence import Drift


@dataclass(frozen=True)
class Step:
    """A dataset's `ingest.py`.

    Attributes:
        path: of the file, relative to the clone.
        columns: the raw columns it needs.
        ingest: raw rows (text as it stands in the file) to the contract's table; pure, and
            keeps the index, which holds the row numbers.
    """

    path: str
    columns: tuple[str, ...]
    ingest: Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Dropped:
    """Rows of a file that were dropped, as the contract says of late or duplicate ones."""

    file: str
    late: int
    duplicates: int
    kept: str


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


def read_step(layout: Layout, dataset: str) -> Step:
    """Load a dataset's ingest step from a tree.

    Raises:
        BadInput: when it is missing, cannot be run or does not define COLUMNS and ingest.
    """
    path = f"data-contracts/{dataset}/ingest.py"
    content = layout.tree.read(path)
    if content is None and is_derived(layout, dataset):
        what = f"{dataset} is not ingested, it is made of other datasets"
        raise bad_input(step_path(dataset), what, f"mlops data derive {dataset}")
    if content is None:
        raise bad_input(path, "file is missing", "add it; it defines COLUMNS and ingest(raw)")
    module = module_of(content, path)
    missing = [part for part in ("COLUMNS", "ingest") if not hasattr(module, part)]
    if missing:
        raise bad_input(path, f"does not define {', '.join(missing)}", "define it")
    return Step(path, tuple(module.COLUMNS), module.ingest)


def check_batch(repo: Repository, contract: Contract, file: Path) -> Report:
    """A raw file, taken through the ingest step and checked against the contract.

    What was learned of the dataset is asked of a file that has all columns, and what the contract
    says of late and duplicate rows of one that holds to the rest.

    Raises:
        BadInput: when the file or the ingest step cannot be read.
    """
    policy = policy_of(contract)
    state = _state(policy, _current(repo, contract)) if policy.is_said else State()
    return _checked(repo, contract, policy, state, file).report


@dataclass(frozen=True)
class _Checked:
    """A delivery, checked; `received` is None when it breaks the contract."""

    report: Report
    raw: pd.DataFrame
    single: Single
    received: Received | None

    @property
    def rows(self) -> pd.DataFrame:
        """The typed rows that enter the version."""
        return self.received.rows if self.received else self.report.typed

    @property
    def dropped(self) -> dict[str, pd.Index]:
        """Row numbers of what is dropped, by kind."""
        if self.received is None:
            return {}
        twice = self.single.dropped.append(self.received.duplicates)
        return {"late": self.received.late, "duplicates": twice}


def _checked(
    repo: Repository, contract: Contract, policy: Policy, state: State, file: Path
) -> _Checked:
    step = read_step(repo, contract.dataset)
    raw = read_raw(repo, file)
    once = single(contract, policy, _passed_on(step, contract, raw))
    found = validate(contract, once.rows, subject=repo.shown(file), engine=repo.project.data.engine)
    report = replace(found, outcomes=(*found.outcomes, *once.outcomes))
    if not set(step.columns).issubset(raw.columns):
        lacking = columns_outcome(rules.raw_columns(step.columns), raw.columns, len(raw))
        report = replace(report, outcomes=(lacking, *report.outcomes[1:]))
        return _Checked(report, raw, once, None)
    report = with_learned(repo, report)
    if not policy.is_said or not report.passed:
        return _Checked(report, raw, once, None)
    received = receive(contract, policy, state, report.typed)
    whole = replace(report, outcomes=(*report.outcomes, *received.outcomes))
    return _Checked(whole, raw, once, received)


def passed_on(repo: Repository, contract: Contract, file: Path) -> pd.DataFrame:
    """What the ingest step makes of a raw file, or would pass on of one that lacks its columns.

    Raises:
        BadInput: when the file or the ingest step cannot be read.
    """
    return _passed_on(read_step(repo, contract.dataset), contract, read_raw(repo, file))


def _passed_on(step: Step, contract: Contract, raw: pd.DataFrame) -> pd.DataFrame:
    if set(step.columns).issubset(raw.columns):
        return run_step(step, raw)
    # Without its columns the step cannot run; what it would pass on is looked at all the same.
    return raw.loc[:, [name for name in raw.columns if name in contract.names]]


def run_step(step: Step, raw: pd.DataFrame) -> pd.DataFrame:
    """The step's table of raw rows; raises `BadInput` when it fails or loses row numbers."""
    try:
        frame = step.ingest(raw.copy())
    except Exception as error:  # the fork's own code may raise anything
        what = f"ingest(raw) failed with {type(error).__name__}: {error}"
        fix = "correct it; values are text, leave those that cannot be read as they are"
        raise bad_input(step.path, what, fix) from error
    if not frame.index.isin(raw.index).all():
        raise bad_input(step.path, "ingest(raw) lost the row numbers", "keep the index of `raw`")
    return frame


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
    old = _current(repo, contract)
    taken = _not_known(policy, old, files)
    checked, state = [], _state(policy, old)
    for file in taken:
        progress(f"checking {repo.shown(file)}")
        one = _checked(repo, contract, policy, state, file)
        checked.append(one)
        told.describe(file, About(quality=assertions(one.report)))
        if policy.is_said and one.report.passed:
            state = put_in(contract, policy, state, one.rows)
    reports = [one.report for one in checked]
    _refuse_broken(repo, taken, reports, aside=aside)
    merged = _merged(contract, old, [one.rows for one in checked])
    moved = _moved(contract, old, merged)
    warnings = [warning for report in reports for warning in report.warnings]
    delivered = _delivered(policy, old, taken, checked, state)
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
    counts = (merged.added, merged.replaced, merged.unchanged)
    known = tuple(repo.shown(file) for file in files if file not in taken)
    return Ingested(pin, new, *counts, moved, tuple(warnings), dropped, known)


@dataclass(frozen=True)
class _Current:
    """The version that is pinned now: its rows as the contract has them, and as they are."""

    pin: Pin
    content: bytes
    columns: tuple[str, ...]
    rows: pd.DataFrame


def _current(repo: Repository, contract: Contract) -> _Current | None:
    if not (repo.root / pins.pin_path(contract.dataset)).is_file():
        return None
    pin = pins.read_pin(repo, contract.dataset)
    path = pins.fetch(repo, pin)
    loaded = table.load(path)
    rows = conformed(contract, loaded)
    return _Current(pin, path.read_bytes(), tuple(loaded.columns), rows)


def _state(policy: Policy, old: _Current | None) -> State:
    """The version as a delivery meets it."""
    if old is None:
        return State()
    before = old.pin.deliveries
    newest = before.newest if before.event_time == policy.event_time else None
    return moved_on(policy, State(old.rows, newest), old.rows)


def _not_known(policy: Policy, old: _Current | None, files: Sequence[Path]) -> list[Path]:
    """The files to take: where the contract has a policy, those that the version does not have."""
    if not policy.is_said:
        return list(files)
    pin = old.pin if old else None
    known = {each.sha256 for each in pin.deliveries.taken} if pin else set()
    known |= {each.sha256 for each in pin.raw} if pin else set()
    taken = []
    for file in files:
        if (sha256 := _sha256(file)) not in known:
            taken.append(file)
        known.add(sha256)
    return taken


def _sha256(file: Path) -> str:
    return digests.of_file(file).removeprefix(digests.PREFIX)


def _delivered(
    policy: Policy,
    old: _Current | None,
    files: Sequence[Path],
    checked: Sequence[_Checked],
    state: State,
) -> Deliveries:
    before = old.pin.deliveries if old else Deliveries()
    if not policy.is_said:
        return before
    new = (
        Delivery(sha256=_sha256(file), **{kind: len(rows) for kind, rows in one.dropped.items()})
        for file, one in zip(files, checked, strict=True)
    )
    taken = (*before.taken, *new)
    return Deliveries(taken=taken, event_time=policy.event_time, newest=state.newest)


def _kept_dropped(
    repo: Repository, contract: Contract, files: Sequence[Path], checked: Sequence[_Checked]
) -> tuple[Dropped, ...]:
    found: list[Dropped] = []
    for file, one in zip(files, checked, strict=True):
        counts = {kind: len(rows) for kind, rows in one.dropped.items()}
        if any(counts.values()):
            digest = digests.of_file(file)
            keep_dropped(repo, contract.dataset, digest, one.raw, one.dropped)
            kept = dropped_folder(repo, contract.dataset, digest)
            found.append(Dropped(repo.shown(file), **counts, kept=repo.shown(kept)))
    return tuple(found)


def _merged(
    contract: Contract, old: _Current | None, batches: Sequence[pd.DataFrame]
) -> table.Merged:
    """The version with all batches, of which each key counts once."""
    if not batches and old:
        return table.Merged(old.rows, old.rows.iloc[:0], 0, 0, 0)
    joined = batches[0]
    for batch in batches[1:]:
        joined = table.upsert(contract, joined, batch).rows
    return table.upsert(contract, old.rows if old else None, joined)


def _moved(contract: Contract, old: _Current | None, merged: table.Merged) -> tuple[Drift, ...]:
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


def _recorded(repo: Repository, old: _Current | None, files: Sequence[Path]) -> tuple[RawFile, ...]:
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
    old: _Current | None,
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
