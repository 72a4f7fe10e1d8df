"""mlops promote: the pull request that promotes a release to the next environment."""

import json

import click

from mlops.commands.proposing import Steps, told, values
from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository


@click.command()
@click.argument("service")
@click.option("--to", "environment", metavar="ENV", required=True, help="Where it goes.")
@click.option(
    "--release",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="The release you expect in the environment before; another is refused.",
)
@click.option("--again", metavar="REASON", help="Why a release that was withdrawn is good now.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    service: str, environment: str, number: int | None, again: str | None, as_json: bool
) -> int:
    """Open the pull request that promotes SERVICE to ENV.

    Takes the release that the environment before ENV holds on the forge's main branch, compares
    it with what serves in ENV on the release's own unseen rows, and checks the rules. When one
    is broken nothing is pushed.

    \b
    Example: mlops promote bike-demand --to staging
    Example: mlops promote bike-demand --to prod --release 3 --again "fixed upstream"
    """
    repo = Repository.at()
    return promote(repo, service, environment, number=number, again=again, as_json=as_json)


@recorded("promote")
def promote(
    repo: Repository,
    service: str,
    environment: str,
    *,
    number: int | None = None,
    again: str | None = None,
    as_json: bool = False,
) -> int:
    """Open the pull request and say where it is; see `promotion.promote` for what is raised."""
    from mlops.environments import promotion

    with repo.exclusive("mlops promote"), Steps() as steps:
        found = promotion.promote(
            repo, service, environment, number=number, again=again, tell=steps
        )
    click.echo(json.dumps(values(found)) if as_json else told(found))
    return Exit.DONE
