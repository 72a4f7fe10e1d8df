"""mlops score: a model's predictions for many rows at once, into a Parquet file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops import digests
from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.pipelines.batch import Scored


@click.command()
@click.argument("model")
@click.option(
    "--version",
    type=click.IntRange(min=1),
    metavar="N",
    help="This version of the registry; default: the one trained from the work tree.",
)
@click.option(
    "--rows",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Parquet or CSV with the fields of the model's Record; default: the newest days of its "
    "pinned data.",
)
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="FILE", help="Write here; needed with --rows."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    model: str, version: int | None, rows: Path | None, to: Path | None, as_json: bool
) -> int:
    """Predict rows in one go with a registered MODEL: batch scoring.

    The file holds the dataset's key and moment of each row where it has them, and `prediction`;
    its metadata names the model by digest. The same model and rows give the same bytes.

    \b
    Example: mlops score bike-demand
    Example: mlops score bike-demand --version 2 --rows tomorrow.parquet --to predicted.parquet
    """
    return score(Repository.at(), model, version=version, rows=rows, to=to, as_json=as_json)


@recorded("score")
def score(
    repo: Repository,
    model: str,
    *,
    version: int | None = None,
    rows: Path | None = None,
    to: Path | None = None,
    as_json: bool = False,
) -> int:
    """Write the predictions and say where; raises `BadInput` when a row is no valid Record."""
    from mlops.pipelines.batch import score as run
    from mlops.training.candidate import registered_of

    done = run(repo, registered_of(repo, model, version), rows, to)
    click.echo(json.dumps(_body(done)) if as_json else _told(repo, done))
    for feature, count in done.outside.items():
        what = f"{count} values of feature `{feature}` are outside the contract {model} learned by"
        click.echo(
            f"{done.path}: {what}; look at these rows, their predictions are guesses", err=True
        )
    return Exit.DONE


def _body(done: "Scored") -> dict[str, object]:
    return {
        "model": done.registered.model,
        "version": done.registered.version,
        "digest": done.registered.digest,
        "rows": done.rows,
        "path": str(done.path),
        "outside": dict(done.outside),
    }


def _told(repo: Repository, done: "Scored") -> str:

    found = done.registered
    return (
        f"{found.model} version {found.version} ({digests.short(found.digest)}): {done.rows} rows "
        f"predicted, in {repo.shown(done.path)}"
    )
