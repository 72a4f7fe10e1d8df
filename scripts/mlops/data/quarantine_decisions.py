"""A quarantined batch repaired, released or dropped: done once, and recorded who did it and why.

The record is written last. Killed before that, the same command again does what is left: the same
rows again give the same version, and a file that is gone is gone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mlops import digests
from mlops.data.ingest import Ingested, ingest
from mlops.data.quarantine import Batch, Decision, find, record
from mlops.data.raw import read_bytes
from mlops.errors import bad_input
from mlops.git import GitFailed
from mlops.lineage import told
from mlops.lineage.step import recorded
from mlops.lineage.told import Thing
from mlops.repository import Repository

Progress = Callable[[str], None]


@recorded("data.quarantine.repair")
def repair(
    repo: Repository,
    dataset: str,
    name: str,
    file: Path,
    *,
    reason: str,
    now: datetime | None = None,
    progress: Progress = lambda _: None,
) -> tuple[Decision, Ingested]:
    """Take a corrected file in the place of a batch.

    Args:
        repo: the clone, held by the caller (`repo.exclusive`).
        dataset: its name.
        name: the beginning of the batch's digest.
        file: the corrected file.
        reason: why, for the record.
        now: UTC; default: the present.
        progress: told what is being done.

    Raises:
        BadInput: when the batch is decided already, or the file cannot be read or is the batch.
        NotGood: when the file breaks the contract, too; then nothing is recorded or kept aside.
    """
    with _undecided(repo, dataset, name) as batch:
        by = _person(repo, reason)
        content = digests.of_bytes(read_bytes(repo, file))
        if content == batch.reason.digest:
            what = f"is the batch {batch.name} as it came"
            fix = f"correct it, or `mlops data quarantine release {dataset} {batch.name}`"
            raise bad_input(repo.shown(file), what, fix)
        done = ingest(repo, dataset, [file], aside=False, progress=progress)
        came = {"version": done.new.digest, "file": file.name, "file_digest": content}
        return record(batch, "repaired", by=by, reason=reason, now=now, **came), done


@recorded("data.quarantine.release")
def release(
    repo: Repository,
    dataset: str,
    name: str,
    *,
    reason: str,
    now: datetime | None = None,
    progress: Progress = lambda _: None,
) -> tuple[Decision, Ingested]:
    """Take a batch in as it came, if it holds to the contract as that is now.

    Args and what is held are those of `repair`.

    Raises:
        BadInput: when the batch is decided already, or its file is not what was kept aside.
        NotGood: with what is still broken.
    """
    with _undecided(repo, dataset, name) as batch:
        by = _person(repo, reason)
        _refuse_another_file(repo, batch)
        done = ingest(repo, dataset, [_source(repo, batch)], aside=False, progress=progress)
        version = done.new.digest
        return record(batch, "released", by=by, reason=reason, now=now, version=version), done


@recorded("data.quarantine.drop")
def drop(
    repo: Repository, dataset: str, name: str, *, reason: str, now: datetime | None = None
) -> Decision:
    """Take a batch's rows away; that it was there, and why it went, stays.

    Args are those of `repair`.

    Raises:
        BadInput: when the batch is decided already.
    """
    with _undecided(repo, dataset, name) as batch:
        by = _person(repo, reason)
        batch.file.unlink(missing_ok=True)
        return record(batch, "dropped", by=by, reason=reason, now=now)


@contextmanager
def _undecided(repo: Repository, dataset: str, name: str) -> Iterator[Batch]:
    """A batch that waits, held against other clones with the same stores.

    Raises:
        BadInput: when something was decided of it, or another command holds it.
    """
    found = find(repo, dataset, name)
    with found.held("mlops data quarantine"):
        batch = find(repo, dataset, found.reason.digest)
        told.read(batch.file, batch.reason.digest, Thing("batch", dataset))
        if batch.decision:
            what = f"was {batch.decision}"
            fix = "it stays so; ingest a file of other content as any new one"
            raise bad_input(f"batch {batch.name} of {dataset}", what, fix)
        yield batch


def _person(repo: Repository, reason: str) -> str:
    """Who decides, by Git's identity: `Name <address>`."""
    if not reason.strip():
        raise bad_input("--reason", "is empty", "say why, it stays with the batch")
    try:
        told = repo.git.text("var", "GIT_AUTHOR_IDENT")
    except GitFailed as error:
        raise bad_input(
            "git",
            "does not know who decides here",
            "git config user.name NAME && git config user.email ADDRESS",
        ) from error
    return told.rsplit(" ", 2)[0]  # without the moment and its zone


def _refuse_another_file(repo: Repository, batch: Batch) -> None:
    if not batch.file.is_file():
        what = "its rows are not there: a drop of it was interrupted, or somebody took them away"
        raise bad_input(repo.shown(batch.file), what, "drop the batch again, or repair it")
    if digests.of_file(batch.file) != batch.reason.digest:
        what = f"is not what was kept aside as {batch.name}"
        raise bad_input(repo.shown(batch.file), what, "repair the batch with a file of your own")


def _source(repo: Repository, batch: Batch) -> Path:
    """The batch's file, or the dataset's own file with the same bytes.

    A version made of files in Git can be made again without the stores, see `Pin.raw`.
    """
    size = batch.file.stat().st_size
    for path in repo.tree.files(f"data-contracts/{batch.reason.dataset}"):
        file = repo.root / path
        if file.stat().st_size != size:
            continue
        found = digests.of_file(file)
        told.read(file, found)
        if found == batch.reason.digest:
            return file
    return batch.file
