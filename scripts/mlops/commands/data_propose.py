"""mlops data propose: a pull request with a dataset's new version."""

import json
from typing import TYPE_CHECKING

import click

from mlops import digests
from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.versions.proposal import Proposed


@click.command("propose")
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(dataset: str, as_json: bool) -> int:
    """Open the pull request that pins DATASET's version of the work tree on main.

    For ingests that run by themselves, where nobody commits. Datasets that are made of it are made
    again and pinned with it; of a DATASET that is made of others it is those that are pinned. The
    branch is named by the content; what main pins already gives none.

    Example: mlops data propose bike-rentals
    """
    return propose(Repository.at(), dataset, as_json=as_json)


@recorded("data.propose")
def propose(repo: Repository, dataset: str, *, as_json: bool = False) -> int:
    """Open the pull request and say where it is; raises like `proposal.propose`."""
    from rich.console import Console

    from mlops.forges.choice import forge_of
    from mlops.versions import proposal

    status = Console(stderr=True).status(f"proposing {dataset}")
    with repo.exclusive("mlops data propose"), status:
        found = proposal.propose(repo, forge_of(repo), dataset, progress=status.update)
    click.echo(json.dumps(_body(dataset, found)) if as_json else _told(repo, dataset, found))
    for problem in found.remains:
        click.echo(f"remains: {problem}", err=True)
    return Exit.DONE


def _body(dataset: str, found: "Proposed") -> dict[str, object]:
    opened = found.opened
    return {
        "dataset": dataset,
        "versions": [
            {
                "dataset": each.pin.dataset,
                "old": each.before.digest if each.before else None,
                "new": each.pin.digest,
            }
            for each in found.versions
        ],
        "remains": [str(problem) for problem in found.remains],
        "branch": opened.branch if opened else None,
        "commit": opened.commit if opened else None,
        "new_branch": opened.new if opened else False,
        "text": opened.place if opened else None,
    }


def _told(repo: Repository, dataset: str, found: "Proposed") -> str:
    from mlops.commands.proposing import near

    opened = found.opened
    if opened is None:
        return (
            f"{repo.project.forge.main} pins this version of {dataset} already: nothing to propose"
        )
    state = "pushed" if opened.new else "was there already, unchanged"
    lines = [
        f"proposed {pin.dataset} {digests.short(pin.digest)} ({pin.rows} rows)"
        for pin in (each.pin for each in found.versions)
    ]
    lines += [f"  branch  {opened.branch} ({state})", f"  text    {near(opened.place)}"]
    lines += ["Next: read the text, then merge:"]
    return "\n".join([*lines, *(f"  {line}" for line in opened.merge)])
