"""mlops data derive: a dataset made of other datasets, and pinned."""

import json
from typing import TYPE_CHECKING

import click

from mlops import digests
from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.derive import Derived


@click.command("derive")
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(dataset: str, as_json: bool) -> int:
    """Make DATASET of the versions its sources are pinned at, and pin it.

    All or nothing: what breaks the contract is not pinned (exit code 1). The pin names the
    versions that it was made of; the same ones give the same version.

    Example: mlops data derive flights-with-weather
    """
    return derive(Repository.at(), dataset, as_json=as_json)


@recorded("data.derive")
def derive(repo: Repository, dataset: str, *, as_json: bool = False) -> int:
    """Make and pin a dataset; raises like `data.derive.derive`."""
    from rich.console import Console

    from mlops.data.derive import derive as run

    status = Console(stderr=True).status(f"reading the sources of {dataset}")
    with repo.exclusive("mlops data derive"), status:
        done = run(repo, dataset, progress=status.update)
    if as_json:
        click.echo(json.dumps(_as_json(done), indent=2))
    else:
        _tell(done)
    return Exit.DONE


def _as_json(done: "Derived") -> dict[str, object]:
    return {
        "dataset": done.new.dataset,
        "old": done.old.digest if done.old else None,
        "new": done.new.digest,
        "rows": done.new.rows,
        "sources": {each.dataset: each.digest for each in done.sources},
        "changed": done.changed,
        "warnings": [problem.what for problem in done.warnings],
    }


def _tell(done: "Derived") -> None:
    from mlops.data.pin import pin_path

    dataset, rows = done.new.dataset, done.new.rows
    of = ", ".join(f"{each.dataset} {digests.short(each.digest)}" for each in done.sources)
    click.echo(f"{dataset}: made of {of}; {rows} rows hold to contract {done.new.contract}")
    old = digests.short(done.old.digest) if done.old else "none"
    click.echo(f"  version  {old} -> {digests.short(done.new.digest)}")
    for warning in done.warnings:
        click.echo(str(warning), err=True)
    if not done.changed:
        click.echo("  the same content: still the same version, nothing to commit")
        return
    pins = " ".join(pin_path(each.dataset) for each in (*done.sources, done.new))
    click.echo(f"  stored, pushed to the DVC remote, pinned in {pin_path(dataset)}. To keep it:")
    click.echo(f"    git add {pins}")
    click.echo(f"    git commit -m '{dataset}: {rows} rows' -- {pins}")


def to_derive(repo: Repository, dataset: str) -> list[str]:
    """A line for each dataset that has to be made again when this one has another version."""
    from mlops.data.derivation import with_derived

    made_of_it = sorted(with_derived(repo, [dataset]) - {dataset})
    return [f"  {name} is made of it: mlops data derive {name}" for name in made_of_it]
