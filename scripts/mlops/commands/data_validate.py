"""mlops data validate: a version, or a batch, held to its contract, and shown."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.commands.data_stream import stream
from mlops.errors import Exit, bad_input
from mlops.lineage import told
from mlops.lineage.step import recorded
from mlops.lineage.told import About
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.contract import Contract
    from mlops.data.expectations import Outcome
    from mlops.data.profiles import Profile
    from mlops.data.validation import Report

Found = tuple["Report", Mapping[str, "Profile"]]
ENGINES = {
    "duckdb": "DuckDB",
    "great-expectations": "Great Expectations",
    "server": "the server",
    "ingest": "the ingest",
}


@click.command("validate")
@click.argument("dataset")
@click.option(
    "--batch",
    type=click.Path(path_type=Path),
    help="Check this file instead of the pinned version: a raw CSV file as ingest would, or the "
    "contract's table as Parquet, of any size.",
)
@click.option(
    "--server",
    help="Check the table where it lies: a database, or Spark, of `data.servers` in mlops.toml, "
    "or a database of the contract's `servers`.",
)
@click.option("--all", "every", is_flag=True, help="Show the rules without a finding, too.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    help="Write what was found as one HTML page, which loads nothing.",
)
@click.option(
    "--stream",
    "streamed",
    is_flag=True,
    help="Check records from standard input, an object of JSON a line; a verdict a line.",
)
def command(
    dataset: str,
    *,
    batch: Path | None,
    server: str | None,
    every: bool,
    as_json: bool,
    page: Path | None,
    streamed: bool,
) -> int:
    """Check DATASET's pinned version, a batch, or single records against its contract.

    Shows broken rules with counts and the worst rows, and what each column holds. Nothing but the
    page and the lineage is written. Exit code 1 when a rule is broken.

    Example: mlops data validate bike-rentals --batch 2011-04.csv
    """
    if streamed and (batch or server or every or as_json or page):
        raise bad_input("--stream", "goes with no other option", "leave the others out")
    if streamed:
        return stream(Repository.at(), dataset, sys.stdin.buffer)
    return validate(
        Repository.at(),
        dataset,
        batch=batch,
        server=server,
        every=every,
        as_json=as_json,
        page=page,
    )


@recorded("data.validate")
def validate(
    repo: Repository,
    dataset: str,
    *,
    batch: Path | None = None,
    server: str | None = None,
    every: bool = False,
    as_json: bool = False,
    page: Path | None = None,
) -> int:
    """Check a pinned version or a batch; 1 when the contract is broken."""
    from rich.console import Console

    with Console(stderr=True).status(f"checking {dataset}"):
        report, columns = _found(repo, dataset, batch, server)
    if page is not None:
        _write(page, report, columns)
    if as_json:
        shown = {name: profile.as_json() for name, profile in columns.items()}
        click.echo(json.dumps({**report.as_json(), "columns": shown}, indent=2))
    else:
        _tell_report(report, columns, every=every)
    return Exit.DONE if report.passed else Exit.NOT_GOOD


def _found(repo: Repository, dataset: str, batch: Path | None, server: str | None) -> Found:
    if batch is not None and server is not None:
        raise bad_input("--server", "is given beside --batch", "name one of them")
    if server is not None:
        return _in_place(repo, dataset, server), {}
    return _pinned(repo, dataset) if batch is None else _batch(repo, dataset, batch)


def _in_place(repo: Repository, dataset: str, server: str) -> "Report":
    from mlops.data.contract import read_contract
    from mlops.data.in_place.validation import validate_in_place
    from mlops.data.servers import server_of

    contract = read_contract(repo, dataset)
    found, said_in = server_of(repo.project, contract, server)
    return validate_in_place(contract, server, found, said_in=said_in)


def _batch(repo: Repository, dataset: str, file: Path) -> Found:
    from mlops.data.batch import check_batch
    from mlops.data.contract import read_contract
    from mlops.data.learned.files import with_learned
    from mlops.data.profiles import profiles_of
    from mlops.lineage.quality import assertions

    contract = read_contract(repo, dataset)
    if file.suffix == ".parquet" and file.is_file():
        report, columns = _file(repo, contract, file.absolute(), repo.shown(file.absolute()))
        return (report if report.unchecked else with_learned(repo, report, file)), columns
    report = check_batch(repo, contract, file.absolute())
    told.describe(file.absolute(), About(quality=assertions(report)))
    return report, profiles_of(report.read) if report.read else {}


def _pinned(repo: Repository, dataset: str) -> Found:
    from mlops.data import pin
    from mlops.data.contract import read_contract

    contract = read_contract(repo, dataset)
    path = pin.fetch(repo, pin.read_pin(repo, dataset))
    return _file(repo, contract, path, pin.pin_path(dataset))


def _file(repo: Repository, contract: "Contract", path: Path, subject: str) -> Found:
    from mlops.data.validation import profiles_of_file, validate_file
    from mlops.lineage.quality import assertions
    from mlops.lineage.quality import columns as schema

    report = validate_file(contract, path, subject=subject, engine=repo.project.data.engine)
    told.describe(path, About(quality=assertions(report), schema=schema(contract)))
    return report, profiles_of_file(contract, path, subject=subject)


def _write(page: Path, report: "Report", columns: Mapping[str, "Profile"]) -> None:
    from mlops.files import write_whole
    from mlops.report.data_page import data_page

    write_whole(page, data_page(report, columns, made=datetime.now(UTC)))
    click.echo(f"written: {page}", err=True)


def _tell_report(report: "Report", columns: Mapping[str, "Profile"], *, every: bool) -> None:
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
    _tell_columns(columns)
    for problem in (*report.problems, *report.warnings):
        click.echo(str(problem), err=True)
    click.echo(_verdict(report, _rules(report)))
    engines = ", ".join(f"{ENGINES[name]} ({n})" for name, n in report.engines.items())
    click.echo(f"checked by {engines}")


def _rules(report: "Report") -> str:
    """How many rules there are, those of the contract and those learned apart."""
    learned = sum(outcome.rule.is_learned for outcome in report.outcomes)
    count = len(report.outcomes) + len(report.unchecked) - learned
    declared = f"{count} rules of {report.contract.path}"
    return f"{declared} and {learned} learned" if learned else declared


def _tell_columns(columns: Mapping[str, "Profile"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False)
    for heading in ("column", "missing", "unreadable", "distinct"):
        right = heading != "column"
        grid.add_column(heading, justify="right" if right else "left", overflow="fold")
    grid.add_column("least, quarters, largest; or most frequent", overflow="fold")
    for name, profile in columns.items():
        counts = (profile.missing, profile.unreadable, profile.distinct)
        shown = [str(count) if count else "" for count in counts]
        grid.add_row(*(Text(cell) for cell in (name, *shown, profile.values)))
    if grid.row_count:
        Console().print(grid)


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
