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

    For ingests that run by themselves, where nobody commits. The branch is named by the content;
    a version that main pins already gives none.

    Example: mlops data propose bike-rentals
    """
    return propose(Repository.at(), dataset, as_json=as_json)


@recorded("data.propose")
def propose(repo: Repository, dataset: str, *, as_json: bool = False) -> int:
    """Open the pull request and say where it is; raises like `proposal.propose`."""
    from mlops.forges.choice import forge_of
    from mlops.versions import proposal

    with repo.exclusive("mlops data propose"):
        found = proposal.propose(repo, forge_of(repo), dataset)
    click.echo(json.dumps(_body(found)) if as_json else _told(repo, found))
    return Exit.DONE


def _body(found: "Proposed") -> dict[str, object]:
    opened = found.opened
    return {
        "dataset": found.pin.dataset,
        "old": found.before.digest if found.before else None,
        "new": found.pin.digest,
        "branch": opened.branch if opened else None,
        "commit": opened.commit if opened else None,
        "new_branch": opened.new if opened else False,
        "text": opened.place if opened else None,
    }


def _told(repo: Repository, found: "Proposed") -> str:
    from mlops.commands.proposing import near

    version = f"{found.pin.dataset} {digests.short(found.pin.digest)} ({found.pin.rows} rows)"
    opened = found.opened
    if opened is None:
        return f"{repo.project.forge.main} pins {version} already: nothing to propose"
    state = "pushed" if opened.new else "was there already, unchanged"
    lines = [f"proposed {version}", f"  branch  {opened.branch} ({state})"]
    lines += [f"  text    {near(opened.place)}", "Next: read the text, then merge:"]
    return "\n".join([*lines, *(f"  {line}" for line in opened.merge)])
