"""mlops data: datasets validated against their contracts, ingested and pinned."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops import digests
from mlops.commands import (
    data_checkout,
    data_derive,
    data_diff,
    data_learn,
    data_lineage,
    data_log,
    data_propose,
    data_quarantine,
    data_rollback,
    data_status,
    data_validate,
)
from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.ingest import Ingested


@click.group()
def group() -> None:
    """Datasets: validate against the contract, ingest and pin.

    Example: mlops data validate bike-rentals
    """


for each in (
    data_validate,
    data_learn,
    data_derive,
    data_log,
    data_diff,
    data_checkout,
    data_rollback,
    data_lineage,
):
    group.add_command(each.command)
group.add_command(data_quarantine.group)
group.add_command(data_status.command)
group.add_command(data_propose.command)


@group.command("ingest")
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def ingest_command(dataset: str, files: tuple[Path, ...], as_json: bool) -> int:
    """Check raw FILES, put their rows into DATASET and pin the new version.

    All or nothing: a broken file is kept aside and nothing else is changed (exit code 1). Rows
    are put in by primary key; of rows with the same key the last file's wins, where the contract
    does not say otherwise. The same rows again give the same version.

    Example: mlops data ingest bike-rentals 2011-04.csv 2011-05.csv
    """
    return ingest(Repository.at(), dataset, files, as_json=as_json)


@recorded("data.ingest")
def ingest(
    repo: Repository, dataset: str, files: tuple[Path, ...], *, as_json: bool = False
) -> int:
    """Ingest raw files and pin the new version; raises NotGood when a batch is broken."""
    from rich.console import Console

    from mlops.data.ingest import ingest as run

    status = Console(stderr=True).status(f"reading {dataset}")
    with repo.exclusive("mlops data ingest"), status:
        done = run(repo, dataset, [file.absolute() for file in files], progress=status.update)
    if as_json:
        click.echo(json.dumps(_as_json(dataset, done), indent=2))
    else:
        tell_ingested(repo, dataset, done, len(files))
    return Exit.DONE


def _as_json(dataset: str, done: "Ingested") -> dict[str, object]:
    return {
        "dataset": dataset,
        "old": done.old.digest if done.old else None,
        "new": done.new.digest,
        "rows": done.new.rows,
        "added": done.added,
        "replaced": done.replaced,
        "unchanged": done.unchanged,
        "changed": done.changed,
        "dropped": [asdict(each) for each in done.dropped],
        "known": list(done.known),
        "warnings": [problem.what for problem in done.warnings],
        "drift": {entry.column: entry.statistic for entry in done.drift},
    }


def tell_ingested(repo: Repository, dataset: str, done: "Ingested", files: int) -> None:
    """Print what an ingest did, and the lines that keep it."""
    from mlops.data.pin import pin_path

    click.echo(
        f"{dataset}: {'1 file holds' if files == 1 else f'{files} files hold'} to contract "
        f"{done.new.contract}: {done.added} rows added, {done.replaced} replaced, "
        f"{done.unchanged} there already"
    )
    old = digests.short(done.old.digest) if done.old else "none"
    click.echo(f"  version  {old} -> {digests.short(done.new.digest)} ({done.new.rows} rows)")
    for warning in done.warnings:
        click.echo(str(warning), err=True)
    for each in done.dropped:
        counts = f"{each.late} late and {each.duplicates} duplicate rows dropped"
        click.echo(f"  {each.file}: {counts}, kept in {each.kept}")
    for file in done.known:
        click.echo(f"  {file}: is in the version already, not taken again")
    _tell_drift(done)
    if not done.changed:
        click.echo("  the same content: still the same version, nothing to commit")
        return
    path = pin_path(dataset)
    click.echo(f"  stored, pushed to the DVC remote, pinned in {path}. To keep it:")
    # A version can be made again from its raw files only where they are in Git, too.
    raw = [file.path for file in done.new.raw]
    kept = shlex.join([path, *(repo.git.uncommitted(*raw) if raw else ())])
    click.echo(f"    git add {kept}")
    click.echo(f"    git commit -m '{dataset}: {done.new.rows} rows' -- {kept}")
    for line in data_derive.to_derive(repo, dataset):
        click.echo(line)


def _tell_drift(done: "Ingested") -> None:
    if not done.drift:
        return
    from rich.console import Console
    from rich.table import Table

    click.echo(
        "  drift of the new rows from the version before (0: the same, 1: nothing in common)"
    )
    grid = Table("column")
    grid.add_column("distance", justify="right")
    for entry in sorted(done.drift, key=lambda entry: -entry.statistic):
        grid.add_row(entry.column, f"{entry.statistic:.3f}")
    Console().print(grid)
