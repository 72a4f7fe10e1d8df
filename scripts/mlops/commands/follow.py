"""mlops follow: make an environment's folder real as local processes."""

import click

from mlops.errors import Exit
from mlops.repository import Repository


@click.command()
@click.argument("environment", metavar="ENV")
@click.option("--remote", metavar="NAME|URL", help="What to follow; default: the forge's remote.")
@click.option("--ref", metavar="REF", help="Branch to follow; default: the forge's main.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.05),
    metavar="SECONDS",
    help="Between looks at the branch; default: 0.2 on this machine, 2 over a network.",
)
@click.option(
    "--ready-within",
    type=click.FloatRange(min=1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a release may take to get ready.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON line an event.")
def command(  # noqa: PLR0917 - click passes them by name
    environment: str,
    remote: str | None,
    ref: str | None,
    interval: float | None,
    ready_within: float,
    as_json: bool,
) -> int:
    """Serve what ENV's folder says, and follow every change of it in Git.

    Each service listens on 127.0.0.1 at the `local_port` of its settings.yaml. A new release
    is started beside the old one and takes over when it answers right. Ctrl-C ends it all.

    Example: mlops follow dev
    """
    return follow(
        Repository.at(),
        environment,
        remote=remote,
        ref=ref,
        interval=interval,
        ready_within=ready_within,
        as_json=as_json,
    )


def follow(
    repo: Repository,
    environment: str,
    *,
    remote: str | None = None,
    ref: str | None = None,
    interval: float | None = None,
    ready_within: float = 30.0,
    as_json: bool = False,
) -> Exit:
    """Follow until interrupted; returns the exit code."""
    from mlops.follow import follower, watch
    from mlops.follow.events import Events
    from mlops.follow.starting import Limits

    repo.known(environment)
    return follower.run(
        repo,
        watch.source_of(repo, remote, ref),
        Events(environment, as_json=as_json),
        interval=interval,
        limits=Limits(ready=ready_within),
    )
