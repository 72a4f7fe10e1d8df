"""mlops plan: what a change affects."""

import dataclasses
import json

import click

from mlops.errors import Exit
from mlops.graph import Affected, affected
from mlops.repository import Repository


@click.command()
@click.option(
    "--base", metavar="REV", help="Compare with this revision; default: the remote's main branch."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(base: str | None, as_json: bool) -> int:
    """What a change affects: committed since BASE, and uncommitted.

    Example: mlops plan --base origin/main
    """
    return plan(Repository.at(), base=base, as_json=as_json)


def plan(repo: Repository, *, base: str | None = None, as_json: bool = False) -> int:
    """Print what the changes since `base` affect."""
    base = base or default_base(repo)
    changed = changed_since(repo, base)
    reached = affected(repo, changed)
    if as_json:
        click.echo(json.dumps({"base": base, "changed": changed, **dataclasses.asdict(reached)}))
    else:
        _tell(base, changed, reached)
    return Exit.DONE


def default_base(repo: Repository) -> str:
    """The remote's main branch; in a clone without one, the commit checked out."""
    forge = repo.project.forge
    name = f"{forge.remote}/{forge.main}"
    return name if repo.git.commit_of(name) else "HEAD"


def changed_since(repo: Repository, base: str) -> list[str]:
    """Paths changed between the merge base with `base` and the work tree, sorted."""
    git = repo.git
    start = git.merge_base(base, "HEAD") or repo.commit_id(base)
    return sorted({*git.changed(start, "HEAD"), *git.uncommitted()})


def _tell(base: str, changed: list[str], reached: Affected) -> None:
    click.echo(f"{len(changed)} files differ from {base}")
    rows = {
        "datasets": reached.datasets,
        "models": reached.models,
        "services": reached.services,
        "environments": reached.environments,
    }
    for kind, names in rows.items():
        click.echo(f"  {kind:<13}{', '.join(names) or '-'}")
    click.echo(f"  {'code':<13}{'yes' if reached.code else 'no'}")
