"""mlops release: the pull request that puts a new release into the first environment."""

import json

import click

from mlops.commands.proposing import Steps, told, values
from mlops.errors import Exit
from mlops.repository import Repository


@click.command()
@click.argument("service")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(service: str, as_json: bool) -> int:
    """Open the pull request that puts a release of SERVICE into the first environment.

    Builds HEAD, measures its models, holds them to their gates and to what serves there now,
    and writes evidence and release into a branch. HEAD has to be what the forge's main branch
    holds. Nothing in the work tree changes; run again, it gives the same branch.

    Example: mlops release bike-demand
    """
    return release(Repository.at(), service, as_json=as_json)


def release(repo: Repository, service: str, *, as_json: bool = False) -> int:
    """Open the pull request and say where it is; see `releases.release` for what is raised."""
    from mlops.environments.releases import AlreadyThere
    from mlops.environments.releases import release as made

    with repo.exclusive("mlops release"), Steps() as steps:
        found = made(repo, service, tell=steps)
    if isinstance(found, AlreadyThere):
        return _nothing_new(found.release.release, found.environment, service, as_json=as_json)
    click.echo(json.dumps(values(found)) if as_json else told(found))
    return Exit.DONE


def _nothing_new(number: int, environment: str, service: str, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"release": number, "environment": environment, "branch": None}))
    else:
        click.echo(
            f"{environment} holds release {number} of {service}, which has this very content: "
            "nothing to do"
        )
    return Exit.DONE
