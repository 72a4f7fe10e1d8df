"""mlops plan: what a change affects, and the checks it gets."""

import dataclasses
import json
import os
from collections.abc import Iterable
from pathlib import Path

import click

from mlops.checks.context import Share
from mlops.checks.planning import Planned, default_base, planned
from mlops.errors import Exit, bad_input
from mlops.git import NOTHING
from mlops.repository import Repository
from mlops.specs.result import PARTS

__all__ = ["command", "default_base", "plan"]

OUTPUT = "GITHUB_OUTPUT"
SHOWN = 12
"""Names of one kind that are listed before the rest is counted."""


@click.command()
@click.option(
    "--base", metavar="REV", help="Compare with this revision; default: the remote's main branch."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--github", is_flag=True, help="Append `matrix` and `any` to $GITHUB_OUTPUT, of commits only."
)
def command(base: str | None, as_json: bool, github: bool) -> int:
    """What a change affects, committed since BASE and uncommitted, and the checks it gets.

    Example: mlops plan --base origin/main
    """
    return plan(Repository.at(), base=base, as_json=as_json, github=github)


def plan(
    repo: Repository, *, base: str | None = None, as_json: bool = False, github: bool = False
) -> int:
    """Print what the changes since `base` affect; see `planning.planned`.

    Raises:
        BadInput: when the base is not here, or `github` is asked for where no job runs.
    """
    output = os.environ.get(OUTPUT)
    if github and not output:
        raise bad_input(f"${OUTPUT}", "is not set", "leave --github out, it is for jobs of CI")
    found = planned(repo, base, uncommitted=not github)
    if github and output:
        with Path(output).open("a", encoding="ascii") as file:
            file.write(outputs(found.shares))
    if as_json:
        click.echo(json.dumps(_told(found)))
    else:
        _tell(base or default_base(repo), found)
    return Exit.DONE


def outputs(shares: Iterable[Share]) -> str:
    """The lines of a job's outputs: numbers and names of parts, nothing from the repository."""
    matrix = [{"part": share.part, "shard": share.shard, "of": share.of} for share in shares]
    include = json.dumps({"include": matrix}, separators=(",", ":"))
    return f"matrix={include}\nany={'true' if matrix else 'false'}\n"


def _told(found: Planned) -> dict[str, object]:
    return {
        "base": found.base,
        "head": found.head,
        "changed": found.changed,
        **dataclasses.asdict(found.affected),
        "shares": [dataclasses.asdict(share) for share in found.shares],
    }


def _tell(base: str, found: Planned) -> None:
    since = "the first commit" if found.base == NOTHING else _shown(base)
    count = len(found.changed)
    click.echo(f"{count} file{' differs' if count == 1 else 's differ'} from {since}")
    reached = found.affected
    rows = {
        "datasets": reached.datasets,
        "models": [
            f"{name} (sample)" if name in reached.sample else name for name in reached.models
        ],
        "services": reached.services,
        "environments": [
            *reached.environments,
            *(f"{name} (rendering)" for name in reached.rendered),
        ],
    }
    for kind, names in rows.items():
        click.echo(f"  {kind:<13}{_listed(names) or '-'}")
    click.echo(f"  {'code':<13}{'yes' if reached.code else 'no'}")
    click.echo(f"  {'checks':<13}{_parts(found.shares) or '-'}")


def _parts(shares: Iterable[Share]) -> str:
    counts = {share.part: share.of for share in shares}
    return ", ".join(
        part if counts[part] == 1 else f"{part} 1-{counts[part]}"
        for part in PARTS
        if part in counts
    )


def _listed(names: Iterable[str]) -> str:
    shown = [_shown(name) for name in names]
    more = [f"and {len(shown) - SHOWN} more"] if len(shown) > SHOWN else []
    return ", ".join([*shown[:SHOWN], *more])


def _shown(name: str) -> str:
    """A name from the repository, such that a terminal shows it and does nothing else."""
    return name if name.isprintable() else ascii(name)
