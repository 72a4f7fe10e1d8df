"""mlops data checkout: the bytes of a version as a file."""

from pathlib import Path

import click

from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository


@click.command("checkout")
@click.argument("dataset")
@click.argument("version")
@click.argument("file", type=click.Path(path_type=Path))
def command(dataset: str, version: str, file: Path) -> int:
    """Write VERSION of DATASET to FILE, a Parquet table, verified by its digest.

    VERSION is the beginning of a digest (`mlops data log`), a commit or a branch. The pin stays as
    it is. A FILE with other content is not replaced.

    \b
    Example: mlops data checkout bike-rentals 1f0c2d march.parquet
    Example: mlops data checkout bike-rentals HEAD~1 before.parquet
    """
    return checkout(Repository.at(), dataset, version, file)


@recorded("data.checkout")
def checkout(repo: Repository, dataset: str, version: str, file: Path) -> int:
    """Write a version's bytes; raises `BadInput` when nobody has such a version."""
    from mlops.versions.checkout import check_out
    from mlops.versions.history import named

    found = named(repo, dataset, version)
    new = check_out(repo, found.pin, file.absolute())
    state = "written and verified" if new else "is that version already"
    click.echo(f"{file}: {state}: {dataset} {found.text}, {found.pin.rows} rows")
    return Exit.DONE
