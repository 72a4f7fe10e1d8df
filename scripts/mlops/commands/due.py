"""mlops due: what main has to bring out: releases, and promotions that nobody has to ask for."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops.errors import Exit, bad_input
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.environments.next_promotions import Next

OUTPUT, SUMMARY = "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"
NO_STORES = (
    "No stores are set up, so nothing is released: what a runner keeps in a folder of its own is "
    "gone with it. Set them up with `mlops init --registry URL --data URL`, or with "
    "`--stores-root /FOLDER` on runners that share one."
)
MOST = 200
"""Jobs of a matrix; what is left out is due again at the next push."""


@click.command()
@click.option(
    "--base",
    metavar="REV",
    help="What was there before; default: what each service's newest release was made of.",
)
@click.option("--github", is_flag=True, help="Append what is due, as matrices, to $GITHUB_OUTPUT.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(base: str | None, *, github: bool, as_json: bool) -> int:
    """The services that HEAD has to bring out as releases, and promotions that can be opened.

    A service of the first environment is due when it answers by other models, code or packages
    than its newest release there, or has none yet. So a release that a busy day or a failed
    run left out is made up for by the next. A promotion is due into an environment that sets
    `open_promotions`, when the one before it has served a newer release for the time of `soak`.
    Without stores nothing is due, and the way to set them up is told.

    \b
    Example: mlops due
    Example: mlops due --base HEAD~1
    """
    return due(Repository.at(), base, github=github, as_json=as_json)


def due(repo: Repository, base: str | None, *, github: bool = False, as_json: bool = False) -> int:
    """Print services and promotions (`toy to staging`), one a line, or why there are none.

    Raises:
        BadInput: when the base is not here, or `github` is asked for where no job runs.
    """
    ready = has_stores(repo)
    services = services_due(repo, base) if ready else ()
    promotions = _promotions_due(repo) if ready else ()
    for line in sorted(_waiting(repo).values()) if ready else ():
        click.echo(line, err=True)
    if github:
        _to_workflow(services, promotions, ready=ready)
    if as_json:
        told = {"services": services, "promotions": [asdict(one) for one in promotions]}
        click.echo(json.dumps({"base": base, "stores": ready, **told}))
        return Exit.DONE
    lines = [*services, *(f"{one.service} to {one.environment}" for one in promotions)]
    click.echo("\n".join(lines) or ("Nothing is due." if ready else NO_STORES))
    return Exit.DONE


def _promotions_due(repo: Repository) -> "tuple[Next, ...]":
    from mlops.environments.next_promotions import next_promotions

    return next_promotions(repo)


def has_stores(repo: Repository) -> bool:
    """Whether artifacts outlive the machine: a registry and a data store, or a shared folder."""
    stores = repo.project.stores
    return Path(stores.root).is_absolute() or bool(stores.registry and stores.data)


def services_due(repo: Repository, base: str | None = None) -> tuple[str, ...]:
    """Services of the first environment that answer otherwise at HEAD, and have data, sorted.

    Args:
        base: a revision whose answers are the measure; None: each service's newest release. One
            that was taken back counts: what made it is no news.

    Raises:
        BadInput: when the base is not here.
    """
    first = repo.order[0]
    served = set(repo.served_in(first)).intersection(repo.services()) - set(_waiting(repo))
    if base is not None:
        return tuple(sorted(served & _reached(repo, base)))
    sources = {name: _newest_source(repo, first, name) for name in served}
    reached = {source: _reached(repo, source) for source in set(sources.values()) if source}
    return tuple(
        sorted(name for name, source in sources.items() if not source or name in reached[source])
    )


def _waiting(repo: Repository) -> dict[str, str]:
    """Services of the first environment without a release, of which a model has no data yet.

    With a line for each.
    """
    from mlops.data.waiting import waits_for_data

    first = repo.order[0]
    named = set(repo.served_in(first)).intersection(repo.services())
    models = {name: repo.service(name).models for name in named if not repo.release(first, name)}
    lines = [(name, waits_for_data(repo, one)) for name, served in models.items() for one in served]
    return {name: line for name, line in lines if line}


def _reached(repo: Repository, base: str) -> set[str]:
    from mlops.checks.planning import planned

    return set(planned(repo, base, uncommitted=False).affected.services)


def _newest_source(repo: Repository, environment: str, service: str) -> str | None:
    """The commit that a service's newest release was made of; None when it is not here."""
    from mlops.environments.timeline import timeline

    entries = timeline(repo.git, "HEAD", environment, service)
    releases = [entry.release for entry in entries if entry.release]
    newest = max(releases, key=lambda release: release.release, default=None)
    return repo.git.commit_of(newest.source.commit) if newest else None


def _to_workflow(services: Sequence[str], promotions: "Sequence[Next]", *, ready: bool) -> None:
    output = os.environ.get(OUTPUT)
    if not output:
        raise bad_input(f"${OUTPUT}", "is not set", "leave --github out, it is for jobs of CI")
    promoted = [{"service": one.service, "environment": one.environment} for one in promotions]
    values = {
        "services": _matrix([{"service": name} for name in services]),
        "any": _word(bool(services)),
        "promotions": _matrix(promoted),
        "promotable": _word(bool(promoted)),
        "stores": _word(ready),
    }
    with Path(output).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    summary = os.environ.get(SUMMARY)
    if summary and not ready:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(f"{NO_STORES}\n")


def _matrix(jobs: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"include": jobs[:MOST]})


def _word(value: bool) -> str:
    return "true" if value else "false"
