"""mlops data learn: rules that batches are held to, learned from the pinned version."""

import shlex
from typing import TYPE_CHECKING

import click

from mlops.errors import Exit
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.contract import Severity
    from mlops.data.learned.learning import Taught


@click.command("learn")
@click.argument("dataset")
@click.option(
    "--severity",
    type=click.Choice(["warning", "error"]),
    help="error: a batch that breaks a learned rule is refused. Default: as before, else warning.",
)
def command(dataset: str, severity: "Severity | None") -> int:
    """Learn from DATASET's pinned version what its batches look like.

    Writes data-contracts/DATASET/learned.yaml, to be read, reviewed and committed. From then on
    `validate --batch` and `ingest` hold each batch to it. What you switched off under `off` stays
    off when it is learned again.

    Example: mlops data learn bike-rentals
    """
    return learn(Repository.at(), dataset, severity=severity)


def learn(repo: Repository, dataset: str, *, severity: "Severity | None" = None) -> int:
    """Learn, write the files, say what to do; raises like `learning.learn`."""
    from rich.console import Console

    from mlops.data import pin as pins
    from mlops.data.contract import read_contract
    from mlops.data.learned import files, learning
    from mlops.data.learned.model import Learned, learned_path
    from mlops.specs.base import read_if_there

    contract = read_contract(repo, dataset)
    before = read_if_there(repo.tree, learned_path(dataset), Learned)
    status = Console(stderr=True).status(f"reading {dataset}")
    with repo.exclusive("mlops data learn"), status:
        pin = pins.read_pin(repo, dataset)
        taught = learning.learn(
            contract,
            pins.fetch(repo, pin),
            pin.digest,
            severity=severity or (before.severity if before else "warning"),
            off=before.off if before else (),
            progress=status.update,
        )
        paths = files.write(repo, taught)
    _tell(taught, paths)
    return Exit.DONE


def _tell(taught: "Taught", paths: tuple[str, ...]) -> None:
    learned = taught.learned
    count = sum(len(named) for named in learned.rules.values())
    click.echo(
        f"{learned.dataset}: {count} rules learned from {learned.periods} {learned.period}s; "
        f"what breaks one is {'refused' if learned.severity == 'error' else 'told'}"
    )
    click.echo("  read them, switch off under `off` what is no rule, and keep them:")
    kept = shlex.join(paths)
    click.echo(f"    git add {kept}")
    click.echo(f"    git commit -m '{learned.dataset}: learned rules' -- {kept}")
