"""mlops status: what should serve, what serves, and what to do next."""

import json
import os
import time
from collections.abc import Callable

import click

from mlops.cluster.kubectl import Kubectl
from mlops.errors import Exit, NotGood, Problem
from mlops.follow.overview import (
    Row,
    aliases_of,
    follower_of,
    git_says,
    head_of_remote,
    overview,
    unmet,
)
from mlops.repository import Repository

POLL = 0.1
CLUSTER_POLL = 1.0
ALIASES_LIMIT = 60.0


@click.command()
@click.option("--env", "environment", metavar="ENV", help="This environment only.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait until what the remote's main branch says is served; exit 1 if not in time.",
)
@click.option("--check", is_flag=True, help="Exit 1 unless all is Healthy and Synced.")
@click.option("--aliases", is_flag=True, help="Also the registry's aliases, once current.")
@click.option(
    "--cluster/--no-cluster",
    default=None,
    help="Ask Argo CD instead of followers; default: when KUBECONFIG is set, mlops.toml names a "
    "forge, and no follower runs.",
)
@click.option("--context", metavar="NAME", help="Argo CD's context in the kubeconfig; implies it.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    environment: str | None,
    wait: float | None,
    *,
    check: bool,
    aliases: bool,
    cluster: bool | None,
    context: str | None,
    as_json: bool,
) -> int:
    """What Git says should serve, what serves, and the next step of each service.

    \b
    Example: mlops status --env prod --wait 60
    Example: mlops status --env prod --context production
    """
    repo = Repository.at()
    if cluster is None:
        cluster = context is not None or _is_configured(repo, environment)
    return status(
        repo,
        environment,
        wait=wait,
        check=check,
        show_aliases=aliases,
        argocd=Kubectl(context) if cluster else None,
        as_json=as_json,
    )


def status(
    repo: Repository,
    environment: str | None = None,
    *,
    wait: float | None = None,
    check: bool = False,
    show_aliases: bool = False,
    argocd: Kubectl | None = None,
    as_json: bool = False,
) -> int:
    """Print the table of one environment or all; see the options for the exit code.

    Args:
        argocd: the cluster of Argo CD; None asks the followers of this machine.

    Raises:
        BadInput: when files are broken, no such environment exists, or no cluster answers.
        NotGood: when `wait` seconds were not enough, with what is missing.
    """
    names = [repo.known(environment)] if environment else list(repo.order)
    if wait is not None:
        _wait(wait, *_missing(repo, names, argocd))
    rows = _rows(repo, names, argocd)
    aliases = _current_aliases(repo, names) if show_aliases else {}
    if as_json:
        named = {"aliases": aliases} if show_aliases else {}
        click.echo(json.dumps({"services": [row.as_json() for row in rows], **named}))
    else:
        _tell(repo, rows)
        _tell_aliases(aliases)
    bad = any(not row.is_good for row in rows)
    return Exit.NOT_GOOD if check and bad else Exit.DONE


def _is_configured(repo: Repository, environment: str | None) -> bool:
    """Whether clusters are meant: KUBECONFIG alone is set on many a laptop for other work."""
    # No cluster reads a forge that is a folder of this machine, whatever [argocd] says.
    hosted = repo.project.forge.kind != "local" and repo.project.watched is not None
    if not os.environ.get("KUBECONFIG") or not hosted:
        return False
    names = [repo.known(environment)] if environment else repo.order
    return not any(follower_of(repo, name) for name in names)


def _rows(repo: Repository, names: list[str], argocd: Kubectl | None) -> list[Row]:
    if argocd is None:
        return overview(repo, names)
    from mlops.cluster import live

    return live.overview(repo, names, argocd)


def _missing(
    repo: Repository, names: list[str], argocd: Kubectl | None
) -> tuple[Callable[[], list[Problem]], float]:
    """What tells what is missing until the remote's main as it is now is served; how often."""
    if argocd is None:
        commit = head_of_remote(repo)
        return lambda: unmet(repo, names, commit), POLL
    from mlops.cluster import live

    fetched = live.fetched_head(repo)
    return lambda: live.unmet(repo, names, argocd, fetched), CLUSTER_POLL


def _wait(seconds: float, missing: Callable[[], list[Problem]], poll: float) -> None:
    deadline = time.monotonic() + seconds
    while problems := missing():
        if time.monotonic() > deadline:
            raise NotGood(_late(problem, seconds) for problem in problems)
        time.sleep(poll)


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
