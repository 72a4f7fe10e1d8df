"""mlops rollback: the pull request that puts an earlier release back."""

import json
from typing import TYPE_CHECKING

import click

from mlops.commands.proposing import Steps, near, told, values
from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.forges import PullRequest


@click.command()
@click.argument("service")
@click.option("--env", "environment", metavar="ENV", required=True, help="Where.")
@click.option(
    "--to",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="An earlier release; default: the one that the release held now replaced.",
)
@click.option(
    "--if-release",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only while ENV holds release N; else say so and do nothing. For a cluster's events.",
)
@click.option("--reason", metavar="TEXT", help="Why, for the reviewer and the history.")
@click.option(
    "--with-data",
    is_flag=True,
    help="Also open a pull request that sets the data pins back, for the next training.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    service: str,
    *,
    environment: str,
    number: int | None,
    if_release: int | None,
    reason: str | None,
    with_data: bool,
    as_json: bool,
) -> int:
    """Open the pull request that puts an earlier release of SERVICE back in ENV.

    The release is the one that was, byte for byte, rendered against today's settings. The
    release withdrawn is not promoted again without a reason. When nothing changed since, a
    plain `git revert` of the promotion does the same, and the text says so.

    \b
    Example: mlops rollback bike-demand --env prod --reason "worse on weekends"
    Example: mlops rollback bike-demand --env prod --to 3 --with-data
    Example: mlops rollback bike-demand --env prod --if-release 4 --reason "aborted"
    """
    repo = Repository.at()
    return rollback(
        repo,
        service,
        environment,
        number=number,
        if_release=if_release,
        reason=reason,
        with_data=with_data,
        as_json=as_json,
    )


@recorded("rollback")
def rollback(
    repo: Repository,
    service: str,
    environment: str,
    *,
    number: int | None = None,
    if_release: int | None = None,
    reason: str | None = None,
    with_data: bool = False,
    as_json: bool = False,
) -> int:
    """Open the pull request and say where it is; see `rollback.roll_back` for what is raised."""
    from mlops.environments.rollback import Overtaken, roll_back

    try:
        with repo.exclusive("mlops rollback"), Steps() as steps:
            found = roll_back(
                repo,
                service,
                environment,
                number=number,
                if_release=if_release,
                reason=reason,
                with_data=with_data,
                tell=steps,
            )
    except Overtaken as late:
        click.echo(json.dumps({"release": None, "branch": None}) if as_json else str(late))
        return Exit.DONE
    if as_json:
        data = found.data.branch if found.data else None
        click.echo(json.dumps({**values(found.release), "data_branch": data}))
    else:
        click.echo("\n".join([told(found.release), *_data(found.data, asked=with_data)]))
    return Exit.DONE


def _data(opened: "PullRequest | None", *, asked: bool) -> list[str]:
    if opened is None:
        return ["The data pins are those of that release already."] if asked else []
    return [
        "The data pins are a pull request of their own, to be merged the same way:",
        f"  {'branch':<8}{opened.branch}",
        f"  {'text':<8}{near(opened.place)}",
    ]
