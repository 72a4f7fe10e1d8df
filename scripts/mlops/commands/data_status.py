"""mlops data status: whether datasets are fresh, complete and valid, and who is to be told."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.errors import Exit
from mlops.files import write_whole
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.service_levels.status import Status

MOMENT = click.DateTime([f"%Y-%m-%d{time}" for time in ("", "T%H:%M%z", "T%H:%M", "T%H:%M:%S%z")])
COLOURS = {"good": "green", "bad": "red", "unknown": "yellow", "not asked": "dim"}


@click.command("status")
@click.argument("datasets", metavar="[DATASET]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--metrics",
    metavar="FILE",
    help="Write Prometheus' text format to FILE, whole or not at all; - is standard output.",
)
@click.option(
    "--now", type=MOMENT, metavar="MOMENT", help="Judge as of then; default: the present."
)
def command(
    datasets: tuple[str, ...], *, as_json: bool, metrics: str | None, now: datetime | None
) -> int:
    """Hold each DATASET (default: all) to the service levels of its contract.

    Fresh: newer rows are there when `frequency` and `latency` ask for them. Complete: no period
    without rows, no batch waits in quarantine, versions are kept for `retention`. Valid: the
    pinned version holds to the rules. From `endOfSupport` on nothing new is asked, from
    `endOfLife` on nothing at all.

    Exit code 1 when something is late, incomplete or invalid; 2 when something could not be
    looked at.

    \b
    Example: mlops data status
    Example: mlops data status bike-rentals --metrics /var/lib/node_exporter/datasets.prom
    """
    if as_json and metrics == "-":
        raise click.UsageError("--json and --metrics - both write to standard output; take one")
    return status(Repository.at(), datasets, as_json=as_json, metrics=metrics, now=now)


def status(
    repo: Repository,
    datasets: Sequence[str] = (),
    *,
    as_json: bool = False,
    metrics: str | None = None,
    now: datetime | None = None,
) -> int:
    """Print what datasets are; see `command` for the exit code.

    Args:
        datasets: their names; none means all.
        metrics: where Prometheus' text format is written; `-` is standard output, in place of
            the table.
        now: UTC where it has no zone; default: the present.

    Raises:
        BadInput: for an unknown dataset, or a file that cannot be written.
    """
    from rich.console import Console

    from mlops.data.contract import known_dataset
    from mlops.service_levels.assessment import assess
    from mlops.service_levels.promises import utc

    moment = utc(now or datetime.now(UTC))
    for name in datasets:
        known_dataset(repo, name)
    names = list(dict.fromkeys(datasets)) or repo.datasets()
    with Console(stderr=True).status("looking"):
        found = [assess(repo, name, now=moment) for name in names]
    if metrics is not None:
        _write(metrics, found, moment)
    if as_json:
        told = {"now": moment.isoformat(), "datasets": [each.as_json() for each in found]}
        click.echo(json.dumps(told, indent=2))
    elif metrics != "-":
        _tell(found)
    return _closing(found)


def _write(place: str, found: "Sequence[Status]", now: datetime) -> None:
    from mlops.service_levels.exposition import exposition

    text = exposition(found, now)
    if place == "-":
        click.echo(text, nl=False)
    else:
        write_whole(Path(place), text)


def _tell(found: "Sequence[Status]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not found:
        click.echo("there is no dataset: no contract lies in data-contracts/")
        return
    grid = Table(box=None, pad_edge=False)
    for heading in ("dataset", "phase", "fresh", "complete", "valid", "ask"):
        grid.add_column(heading)
    for each in found:
        verdicts = [
            Text(aspect.verdict, COLOURS[aspect.verdict]) for aspect in each.aspects.values()
        ]
        grid.add_row(Text(each.dataset), Text(each.phase), *verdicts, Text(str(each.contacts)))
    Console().print(grid)
    for each in found:
        for name, aspect in each.aspects.items():
            if aspect.verdict != "bad":
                click.echo(f"{each.dataset}: {name}: {aspect.verdict}, {aspect.detail}")
        if each.not_measured:
            click.echo(f"{each.dataset}: promised, not measured: {', '.join(each.not_measured)}")


def _closing(found: "Sequence[Status]") -> int:
    """Tell what is bad and what could not be looked at; the exit code."""
    problems = [problem for each in found for problem in each.problems]
    for problem in (*(breach for each in found for breach in each.breaches), *problems):
        click.echo(str(problem), err=True)
    if problems:
        return Exit.BAD_INPUT
    return Exit.DONE if all(each.is_good for each in found) else Exit.NOT_GOOD
