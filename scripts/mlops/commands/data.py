"""mlops data: datasets validated against their contracts, ingested and pinned."""

import json
import shlex
import sys
from collections import Counter
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
    data_stream,
)
from mlops.errors import Exit, bad_input
from mlops.lineage import told
from mlops.lineage.step import recorded
from mlops.lineage.told import About
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.expectations import Outcome
    from mlops.data.ingest import Ingested
    from mlops.data.validation import Report


@click.group()
def group() -> None:
    """Datasets: validate against the contract, ingest and pin.

    Example: mlops data validate bike-rentals
    """


for each in (
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


@group.command("validate")
@click.argument("dataset")
@click.option(
    "--batch",
    type=click.Path(path_type=Path),
    help="Check this raw file, as ingest would, instead of the pinned version.",
)
@click.option("--all", "every", is_flag=True, help="Show the rules without a finding, too.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--stream",
    "streamed",
    is_flag=True,
    help="Check records from standard input, an object of JSON a line; a verdict a line.",
)
def validate_command(
    dataset: str, batch: Path | None, every: bool, as_json: bool, streamed: bool
) -> int:
    """Check DATASET's pinned version, a raw batch, or single records against its contract.

    Nothing is written but its lineage. Exit code 1 when a rule is broken.

    Example: mlops data validate bike-rentals --batch 2011-04.csv
    """
    if streamed and (batch or every or as_json):
        raise bad_input("--stream", "goes with no other option", "leave the others out")
    if streamed:
        return data_stream.stream(Repository.at(), dataset, sys.stdin.buffer)
    return validate(Repository.at(), dataset, batch=batch, every=every, as_json=as_json)


@group.command("ingest")
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def ingest_command(dataset: str, files: tuple[Path, ...], as_json: bool) -> int:
    """Check raw FILES, put their rows into DATASET and pin the new version.

    All or nothing: a broken file is kept aside and nothing else is changed (exit code 1). Rows
    are put in by primary key; of rows with the same key the last file's wins. The same rows
    again give the same version.

    Example: mlops data ingest bike-rentals 2011-04.csv 2011-05.csv
    """
    return ingest(Repository.at(), dataset, files, as_json=as_json)


@recorded("data.validate")
def validate(
    repo: Repository,
    dataset: str,
    *,
    batch: Path | None = None,
    every: bool = False,
    as_json: bool = False,
) -> int:
    """Check a pinned version or a raw batch; 1 when the contract is broken."""
    from rich.console import Console

    with Console(stderr=True).status(f"checking {dataset}"):
        report = _pinned(repo, dataset) if batch is None else _batch(repo, dataset, batch)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        _tell_report(report, every=every)
    return Exit.DONE if report.passed else Exit.NOT_GOOD


def _batch(repo: Repository, dataset: str, file: Path) -> "Report":
    from mlops.data.contract import read_contract
    from mlops.data.ingest import check_batch
    from mlops.lineage.quality import assertions

    report = check_batch(repo, read_contract(repo, dataset), file.absolute())
    told.describe(file.absolute(), About(quality=assertions(report)))
    return report


def _pinned(repo: Repository, dataset: str) -> "Report":
    from mlops.data import pin, table
    from mlops.data.contract import read_contract
    from mlops.data.validation import validate as check
    from mlops.lineage.quality import assertions, columns

    contract = read_contract(repo, dataset)
    file = pin.fetch(repo, pin.read_pin(repo, dataset))
    rows = table.load(file)
    rows.index += 1
    report = check(contract, rows, subject=pin.pin_path(dataset))
    told.describe(file, About(quality=assertions(report), schema=columns(contract)))
    return report


def _tell_report(report: "Report", *, every: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    contract = report.contract
    click.echo(f"{report.subject}: {report.rows} rows, contract {contract.version}")
    grid = Table(box=None, pad_edge=False)
    for heading in ("", "kind", "rule", "failing", "worst examples"):
        grid.add_column(heading, overflow="fold")
    for outcome in report.outcomes:
        if every or outcome.failing or not outcome.passed:
            grid.add_row(*_cells(outcome))
    for rule in report.unchecked:
        grid.add_row("-", rule.kind, rule.text, "", "not checked: a column is missing")
    if grid.row_count:
        Console().print(grid)
    for problem in (*report.problems, *report.warnings):
        click.echo(str(problem), err=True)
    click.echo(_verdict(report, _rules(report)))


def _rules(report: "Report") -> str:
    """How many rules there are, those of the contract and those learned apart."""
    learned = sum(outcome.rule.is_learned for outcome in report.outcomes)
    count = len(report.outcomes) + len(report.unchecked) - learned
    declared = f"{count} rules of {report.contract.path}"
    return f"{declared} and {learned} learned" if learned else declared


def _verdict(report: "Report", rules: str) -> str:
    warned = len(report.warned)
    if not report.passed:
        broken = f"broken: {len(report.failed)} of {rules}"
        return broken + (f", and {warned} of severity warning" if warned else "")
    if warned:
        return f"good: of {rules}, only {warned} of severity warning broken ({_kinds(report)})"
    return f"good: all {rules} hold ({_kinds(report)})"


def _kinds(report: "Report") -> str:
    """How many rules of each kind were checked."""
    kinds = Counter(outcome.rule.kind for outcome in report.outcomes)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.items())


def _cells(outcome: "Outcome") -> tuple[str, str, str, str, str]:
    from rich.markup import escape

    broken = "[red]broken[/]" if outcome.rule.stops else "[yellow]warning[/]"
    mark = "[green]good[/]" if outcome.passed else broken
    examples = "; ".join(map(str, outcome.examples)) or ("" if outcome.passed else outcome.observed)
    counted = str(outcome.failing) if outcome.failing else ""
    kind = f"{outcome.rule.kind}{', learned' if outcome.rule.is_learned else ''}"
    return mark, kind, escape(outcome.rule.text), counted, escape(examples)


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
