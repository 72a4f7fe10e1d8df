"""mlops status: what should serve, what serves, and what to do next."""

import json
import time

import click

from mlops.errors import Exit, NotGood, Problem
from mlops.follow.overview import Row, aliases_of, git_says, head_of_remote, overview, unmet
from mlops.repository import Repository

POLL = 0.1
ALIASES_LIMIT = 60.0


@click.command()
@click.option("--env", "environment", metavar="ENV", help="This environment only.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait until followers serve what the remote's main branch says; exit 1 if not in time.",
)
@click.option("--check", is_flag=True, help="Exit 1 unless all is Healthy and Synced.")
@click.option("--aliases", is_flag=True, help="Also the registry's aliases, once current.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    environment: str | None, wait: float | None, *, check: bool, aliases: bool, as_json: bool
) -> int:
    """What Git says should serve, what serves, and the next step of each service.

    Example: mlops status --env prod --wait 60
    """
    repo = Repository.at()
    return status(repo, environment, wait=wait, check=check, show_aliases=aliases, as_json=as_json)


def status(
    repo: Repository,
    environment: str | None = None,
    *,
    wait: float | None = None,
    check: bool = False,
    show_aliases: bool = False,
    as_json: bool = False,
) -> int:
    """Print the table of one environment or all; see the options for the exit code.

    Raises:
        BadInput: when files are broken or no such environment exists.
        NotGood: when `wait` seconds were not enough, with what is missing.
    """
    names = [repo.known(environment)] if environment else list(repo.order)
    if wait is not None:
        _wait(repo, names, wait)
    rows = overview(repo, names)
    aliases = _current_aliases(repo, names) if show_aliases else {}
    if as_json:
        named = {"aliases": aliases} if show_aliases else {}
        click.echo(json.dumps({"services": [row.as_json() for row in rows], **named}))
    else:
        _tell(repo, rows)
        _tell_aliases(aliases)
    bad = any(not row.is_good for row in rows)
    return Exit.NOT_GOOD if check and bad else Exit.DONE


def _wait(repo: Repository, names: list[str], seconds: float) -> None:
    """Wait until every follower has read the remote's main as it is now, and serves it."""
    deadline = time.monotonic() + seconds
    commit = head_of_remote(repo)
    while problems := unmet(repo, names, commit):
        if time.monotonic() > deadline:
            raise NotGood(_late(problem, seconds) for problem in problems)
        time.sleep(POLL)


def _late(problem: Problem, seconds: float) -> Problem:
    return Problem(problem.path, f"not within {seconds:g} s: {problem.what}", problem.fix)


def _current_aliases(repo: Repository, names: list[str]) -> dict[str, dict[str, int]]:
    """The registry's aliases, after running followers have made them current."""
    from mlops.follow.overview import aliases_wait

    deadline = time.monotonic() + ALIASES_LIMIT
    while aliases_wait(repo, names) and time.monotonic() < deadline:
        time.sleep(POLL)
    return aliases_of(repo, names)


def _tell(repo: Repository, rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, pad_edge=False)
    columns = ("service", "Git", "serves", "health", "sync", "since")
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ignore")
    for row in rows:
        table.add_row(*row.cells())
    console.print(f"releases as in {git_says(repo)[0]}", style="dim")
    console.print(table)
    for row in rows:
        for line in row.remarks():
            console.print(Text(line), soft_wrap=True)


def _tell_aliases(aliases: dict[str, dict[str, int]]) -> None:
    for model, named in aliases.items():
        for alias, version in sorted(named.items()):
            click.echo(f"alias {alias} -> {model} version {version}")
