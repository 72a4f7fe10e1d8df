"""mlops due: the services that what was merged has to bring out as releases."""

import json
import os
from pathlib import Path

import click

from mlops.errors import Exit, bad_input
from mlops.repository import Repository

OUTPUT, SUMMARY = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"
NO_STORES = (
    "No stores are set up, so nothing is released: what a runner keeps in a folder of its own is "
    "gone with it. Set them up with `mlops init --registry URL --data URL`, or with "
    "`--stores-root /FOLDER` on runners that share one."
)


@click.command()
@click.option(
    "--base", metavar="REV", default="HEAD^1", show_default=True, help="What was there before."
)
@click.option(
    "--github", is_flag=True, help="Append `services`, `any` and `stores` to $GITHUB_OUTPUT."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(base: str, *, github: bool, as_json: bool) -> int:
    """The services that the commits since BASE have to bring out as releases.

    A service is due when it answers by other models, code or packages than before, and the
    first environment has a folder for it. Without stores nothing is due, and the way to set
    them up is told.

    Example: mlops due --base HEAD~1
    """
    return due(Repository.at(), base, github=github, as_json=as_json)


def due(repo: Repository, base: str, *, github: bool = False, as_json: bool = False) -> int:
    """Print the services, one a line, or why there are none.

    Raises:
        BadInput: when the base is not here, or `github` is asked for where no job runs.
    """
    ready = has_stores(repo)
    services = services_due(repo, base) if ready else ()
    if github:
        _to_workflow(services, ready=ready)
    if as_json:
        click.echo(json.dumps({"base": base, "stores": ready, "services": services}))
    else:
        click.echo("\n".join(services) or ("Nothing is due." if ready else NO_STORES))
    return Exit.DONE


def has_stores(repo: Repository) -> bool:
    """Whether artifacts outlive the machine: a registry and a data store, or a shared folder."""
    stores = repo.project.stores
    return Path(stores.root).is_absolute() or bool(stores.registry and stores.data)


def services_due(repo: Repository, base: str) -> tuple[str, ...]:
    """Services that the commits since `base` reach and the first environment serves, sorted.

    Raises:
        BadInput: when the base is not here.
    """
    from mlops.checks.planning import planned

    reached = planned(repo, base, uncommitted=False).affected.services
    served = set(repo.served_in(repo.order[0]))
    return tuple(name for name in reached if name in served)


def _to_workflow(services: tuple[str, ...], *, ready: bool) -> None:
    output = os.environ.get(OUTPUT)
    if not output:
        raise bad_input(f"${OUTPUT}", "is not set", "leave --github out, it is for jobs of CI")
    matrix = json.dumps({"include": [{"service": name} for name in services]})
    with Path(output).open("a", encoding="utf-8") as file:
        file.write(f"services={matrix}\nany={_word(bool(services))}\nstores={_word(ready)}\n")
    summary = os.environ.get(SUMMARY)
    if summary and not ready:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"{NO_STORES}\n")


def _word(value: bool) -> str:
    return "true" if value else "false"
