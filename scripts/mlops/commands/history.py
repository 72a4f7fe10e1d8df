"""mlops history: which release served where, since when and why."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape

from mlops.commands.plan import default_base
from mlops.environments.held import Held, held
from mlops.environments.markdown import visible
from mlops.errors import BadInput, Exit, bad_input
from mlops.records import Record, read
from mlops.repository import Layout, Repository

NOT_CONFIRMED = "intended, not confirmed"
INDENT = " " * 18


@click.command()
@click.argument("service", required=False)
@click.option("--env", "environment", metavar="ENV", help="This environment only.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(service: str | None, environment: str | None, as_json: bool) -> int:
    """Which release of SERVICE served where, since when and why; newest first.

    Read from the history of the forge's main branch as last fetched. Since when a release was
    confirmed serving comes from the followers' records; without one it was intended only.

    \b
    Example: mlops history bike-demand --env prod
    """
    return history(Repository.at(), service, environment=environment, as_json=as_json)


def history(
    repo: Repository,
    service: str | None = None,
    *,
    environment: str | None = None,
    as_json: bool = False,
) -> int:
    """Print what each environment held.

    Raises:
        BadInput: when the service or environment is unknown.
    """
    ref = default_base(repo)
    layout = repo.commit(ref)
    services = [known_service(layout, service)] if service else served(layout)
    environments = [layout.known(environment)] if environment else list(reversed(layout.order))
    records = _records(repo)
    found = {
        name: {env: held(repo.git, ref, env, name, records) for env in environments}
        for name in services
    }
    if as_json:
        told = {
            name: {env: [dataclasses.asdict(one) for one in entries] for env, entries in by.items()}
            for name, by in found.items()
        }
        click.echo(json.dumps({"ref": ref, "commit": repo.commit_id(ref), "services": told}))
        return Exit.DONE
    for name, by in found.items():
        for env, entries in by.items():
            _show(name, env, entries)
    click.echo(f"as of {ref} {repo.commit_id(ref)[:12]}, as last fetched")
    return Exit.DONE


def served(layout: Layout) -> list[str]:
    """Every service that is in apps/ or in an environment."""
    names = {name for environment in layout.order for name in layout.served_in(environment)}
    return sorted(names.union(layout.services()))


def known_service(layout: Layout, name: str) -> str:
    """The name itself.

    Raises:
        BadInput: when no such service is in apps/ or in an environment.
    """
    names = served(layout)
    if name not in names:
        raise bad_input(
            f"apps/{name}",
            "is not a service of this project",
            f"name one of {', '.join(names) or 'none, there is none yet'}",
        )
    return name


def _records(repo: Repository) -> Sequence[Record]:
    """The followers' records; without them history is told as intended."""
    try:
        return read(repo.git, repo.project.forge.remote)
    except BadInput as error:
        click.echo(str(error), err=True)
        return ()


def _show(service: str, environment: str, entries: Sequence[Held]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(service)} in {escape(environment)}[/bold]")
    if not entries:
        console.print("  no release yet")
    for place, entry in enumerate(entries):
        first, *others = (escape(visible(line)) for line in _lines(entry))
        console.print(f"  {'now' if place == 0 else '   '}  {first}")
        for line in others:
            console.print(f"{INDENT}[dim]{line}[/dim]")
    for number, reason in {one.release: one.withdrawn for one in entries if one.withdrawn}.items():
        console.print(f"  release {number} is withdrawn: {escape(visible(reason))}")
    console.print()


def _lines(entry: Held) -> Iterator[str]:
    number = "nothing" if entry.release is None else f"release {entry.release}"
    mark = ", withdrawn" if entry.withdrawn else ""
    yield f"{number:<11}{entry.kind:<11}merged {moment(entry.at)} by {entry.author}{mark}"
    since = f"serving since {moment(entry.confirmed)}" if entry.confirmed else NOT_CONFIRMED
    yield ", ".join((since, *(f"data {version}" for version in entry.data)))
    yield entry.why


def moment(text: str) -> str:
    """A moment in ISO 8601, for people."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
