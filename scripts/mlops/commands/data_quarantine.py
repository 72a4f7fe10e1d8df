"""mlops data quarantine: batches kept aside looked at, repaired, released or dropped."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops import digests
from mlops.errors import Exit, MlopsError
from mlops.lineage.step import recording
from mlops.repository import Repository

if TYPE_CHECKING:
    from rich.table import Table

    from mlops.data.ingest import Ingested
    from mlops.data.profiles import Profile
    from mlops.data.quarantine import Batch, Decision

Pair = tuple["Profile | None", "Profile | None"]
Progress = Callable[[str], None]
Decide = Callable[[Repository, Progress], "tuple[Decision, Ingested | None]"]
CORRECTED = "the file was corrected"


@click.group("quarantine")
def group() -> None:
    """Batches that broke the contract: look at them, and decide what becomes of each.

    BATCH is the beginning of its digest. Each is decided once, and who did it and why stays
    in its folder.

    Example: mlops data quarantine list
    """


@group.command("list")
@click.argument("dataset", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_command(dataset: str | None, as_json: bool) -> int:
    """Which batches are or were kept aside, of DATASET or all.

    Example: mlops data quarantine list bike-rentals
    """
    return list_batches(Repository.at(), dataset, as_json=as_json)


@group.command("show")
@click.argument("dataset")
@click.argument("batch")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def show_command(dataset: str, batch: str, as_json: bool) -> int:
    """Why BATCH of DATASET was kept aside, and its columns beside those of the pinned version.

    Example: mlops data quarantine show bike-rentals 3f2a
    """
    return show(Repository.at(), dataset, batch, as_json=as_json)


@group.command("repair")
@click.argument("dataset")
@click.argument("batch")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reason", default=CORRECTED, show_default=True, help="Why; it stays with BATCH.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def repair_command(dataset: str, batch: str, file: Path, reason: str, as_json: bool) -> int:
    """Take FILE, which was corrected, in the place of BATCH: checked, ingested and pinned.

    Exit code 1 when FILE is still broken; BATCH waits on then.

    Example: mlops data quarantine repair bike-rentals 3f2a 2011-04-corrected.csv
    """
    from mlops.data.quarantine_decisions import repair

    def decide(repo: Repository, progress: Progress) -> "tuple[Decision, Ingested]":
        corrected = file.absolute()
        return repair(repo, dataset, batch, corrected, reason=reason, progress=progress)

    return _decided(decide, dataset, "repair", as_json=as_json)


@group.command("release")
@click.argument("dataset")
@click.argument("batch")
@click.option("--reason", required=True, help="Why; it stays with BATCH.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def release_command(dataset: str, batch: str, reason: str, as_json: bool) -> int:
    """Take BATCH in as it came, if it holds to the contract as that is now.

    Exit code 1 with what is still broken; BATCH waits on then.

    Example: mlops data quarantine release bike-rentals 3f2a --reason "the contract was too narrow"
    """
    from mlops.data.quarantine_decisions import release

    def decide(repo: Repository, progress: Progress) -> "tuple[Decision, Ingested]":
        return release(repo, dataset, batch, reason=reason, progress=progress)

    return _decided(decide, dataset, "release", as_json=as_json)


@group.command("drop")
@click.argument("dataset")
@click.argument("batch")
@click.option("--reason", required=True, help="Why; it stays with BATCH.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def drop_command(dataset: str, batch: str, reason: str, as_json: bool) -> int:
    """Take the rows of BATCH away. The record of it stays.

    Example: mlops data quarantine drop bike-rentals 3f2a --reason "a test of the sender"
    """
    from mlops.data.quarantine_decisions import drop

    def decide(repo: Repository, _: Progress) -> "tuple[Decision, None]":
        return drop(repo, dataset, batch, reason=reason), None

    return _decided(decide, dataset, "drop", as_json=as_json)


def list_batches(repo: Repository, dataset: str | None = None, *, as_json: bool = False) -> int:
    """Print the batches of a dataset or of all.

    Raises:
        BadInput: for an unknown dataset, or records that cannot be read.
    """
    from mlops.data import quarantine
    from mlops.service_levels.contacts import contacts_of

    if dataset:
        quarantine.known(repo, dataset)
    names = [dataset] if dataset else quarantine.datasets(repo)
    found = {name: quarantine.batches(repo, name) for name in names}
    asked = {name: contacts_of(repo, name) for name in names}
    every = [batch for batches in found.values() for batch in batches]
    if as_json:
        told = [
            _batch_json(batch) | {"contact": asked[name].as_json()}
            for name, batches in found.items()
            for batch in batches
        ]
        click.echo(json.dumps({"batches": told}, indent=2))
        return Exit.DONE
    if not every:
        click.echo(f"no batch{f' of {dataset}' if dataset else ''} is in quarantine")
        return Exit.DONE
    _print(_list(found, {name: str(asked[name]) for name in names}))
    if waits := quarantine.waiting(every):
        one = waits[0]
        click.echo(f"next: mlops data quarantine show {one.reason.dataset} {one.name}")
    return Exit.DONE


def _list(found: "Mapping[str, Sequence[Batch]]", asked: Mapping[str, str]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    from mlops.data.quarantine import shown_moment

    grid = Table(box=None, pad_edge=False)
    for heading in ("dataset", "batch", "kept aside", "rows", "broken", "state", "ask"):
        named = heading in ("dataset", "batch")  # what is typed in the next command stays whole
        grid.add_column(
            heading,
            justify="right" if heading == "rows" else "left",
            no_wrap=named,
            overflow="fold",
        )
    for name, batches in found.items():
        for batch in batches:
            kept = shown_moment(batch.reason.at)
            cells = (name, batch.name, kept, str(batch.reason.rows), _kinds(batch), batch.state)
            grid.add_row(*map(Text, cells), Text(asked[name]))
    return grid


def _kinds(batch: "Batch") -> str:
    """How many rules are broken, and of which kinds."""
    broken = batch.reason.broken
    kinds = ", ".join(dict.fromkeys(text.partition(":")[0] for text in broken))
    return f"{len(broken)} ({kinds})" if broken else f"{len(batch.reason.unchecked)} not checked"


def _batch_json(batch: "Batch") -> dict[str, Any]:
    return {
        "dataset": batch.reason.dataset,
        "batch": batch.reason.digest,
        "file": batch.reason.file,
        "folder": str(batch.folder),
        "kept_aside": batch.reason.at,
        "contract": batch.reason.contract,
        "rows": batch.reason.rows,
        "broken": list(batch.reason.broken),
        "unchecked": list(batch.reason.unchecked),
        "state": batch.state,
        "decision": batch.decision.model_dump(mode="json") if batch.decision else None,
    }


def show(repo: Repository, dataset: str, name: str, *, as_json: bool = False) -> int:
    """Print a batch beside the pinned version.

    Raises:
        BadInput: when there is no such batch, or the contract cannot be read.
    """
    from rich.console import Console

    from mlops.data.quarantine import find
    from mlops.service_levels.contacts import contacts_of

    batch = find(repo, dataset, name)
    with Console(stderr=True).status(f"reading {batch.file.name}"):
        pairs, notes = _profiles(repo, batch)
    contact = contacts_of(repo, dataset)
    if as_json:
        columns = {
            column: {"batch": _json(one), "pinned": _json(other)}
            for column, (one, other) in pairs.items()
        }
        told = _batch_json(batch) | {"contact": contact.as_json(), "columns": columns}
        click.echo(json.dumps(told | {"notes": notes}, indent=2))
        return Exit.DONE
    _tell_batch(batch, str(contact))
    if pairs:
        _print(_columns(pairs))
    for note in notes:
        click.echo(f"note: {note}")
    if not batch.decision:
        called = f"{dataset} {batch.name}"
        click.echo(f"next: mlops data quarantine repair {called} CORRECTED.csv")
        click.echo(f"  or: mlops data quarantine release {called} --reason TEXT")
        click.echo(f"  or: mlops data quarantine drop {called} --reason TEXT")
    return Exit.DONE


def _json(profile: "Profile | None") -> dict[str, Any] | None:
    return profile.as_json() if profile else None


def _profiles(repo: Repository, batch: "Batch") -> tuple[dict[str, Pair], list[str]]:
    """Each column of the batch beside that of the pinned version, and what could not be read."""
    from mlops.data import pin, table
    from mlops.data.batch import rows_passed_on
    from mlops.data.contract import read_contract
    from mlops.data.profiles import profiles

    if not batch.file.is_file():
        return {}, ["its rows are not there any more"]
    notes: list[str] = []
    contract = read_contract(repo, batch.reason.dataset)
    pinned: dict[str, Profile] = {}
    try:
        pinned = profiles(contract, table.load(pin.fetch(repo, pin.read_pin(repo, contract.name))))
    except MlopsError as error:
        notes += [str(problem) for problem in error.problems]
    came = profiles(contract, rows_passed_on(repo, contract, batch.file))
    names = [name for name in contract.names if name in came or name in pinned]
    return {name: (came.get(name), pinned.get(name)) for name in names}, notes


def _tell_batch(batch: "Batch", contact: str) -> None:
    from mlops.data.quarantine import shown_moment

    reason = batch.reason
    click.echo(f"{reason.dataset} {batch.name}: {batch.state}")
    click.echo(f"  file      {batch.file}")
    click.echo(f"  kept      {shown_moment(reason.at)}, {reason.rows} rows")
    click.echo(f"  contract  {reason.contract}, broken rules: {len(reason.broken)}")
    for text in reason.broken:
        click.echo(f"    {text}")
    for text in reason.unchecked:
        click.echo(f"    not checked, a column is missing: {text}")
    if batch.decision:
        click.echo(f"  decided   {batch.decision}")
    click.echo(f"  ask       {contact}")


def _columns(pairs: Mapping[str, Pair]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False)
    for heading in ("column", "", "missing", "unreadable", "distinct"):
        right = heading in ("missing", "unreadable", "distinct")
        grid.add_column(heading, justify="right" if right else "left", overflow="fold")
    grid.add_column("least, quarters, largest; or most frequent", overflow="fold")
    for name, pair in pairs.items():
        for title, label, profile in zip((name, ""), ("batch", "pinned"), pair, strict=True):
            grid.add_row(*(Text(cell) for cell in (title, label, *_cells(profile))))
    return grid


def _cells(profile: "Profile | None") -> Iterator[str]:
    if profile is None:
        yield "no column"
        return
    yield str(profile.missing or "")
    yield str(profile.unreadable or "")
    yield str(profile.distinct)
    yield profile.values


def _print(grid: "Table") -> None:
    from rich.console import Console

    Console().print(grid)


def _decided(decide: Decide, dataset: str, doing: str, *, as_json: bool) -> int:
    """Make a decision while nothing else changes this clone, and tell it."""
    from rich.console import Console

    repo = Repository.at()
    status = Console(stderr=True).status(f"reading {dataset}")
    with recording(repo, f"data.quarantine.{doing}", dataset):
        with repo.exclusive(f"mlops data quarantine {doing}"), status:
            decision, done = decide(repo, status.update)
        _tell_decided(repo, decision, done, as_json=as_json)
    return Exit.DONE


def _tell_decided(
    repo: Repository, decision: "Decision", done: "Ingested | None", *, as_json: bool
) -> None:
    from mlops.commands.data import tell_ingested

    if as_json:
        click.echo(json.dumps(decision.model_dump(mode="json"), indent=2))
        return
    click.echo(f"{decision.dataset} {digests.short(decision.batch)}: {decision}")
    if done is not None:
        tell_ingested(repo, decision.dataset, done, 1)
