"""mlops data rollback: the pin of an earlier version, and who learned from what came after it."""

import json
from typing import TYPE_CHECKING

import click

from mlops import digests
from mlops.errors import Exit
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.versions.rollback import RolledBack


@click.command("rollback")
@click.argument("dataset")
@click.option(
    "--to",
    metavar="VERSION",
    help="The beginning of its digest, or a commit; default: the version before.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(dataset: str, *, to: str | None, as_json: bool) -> int:
    """Pin an earlier version of DATASET again, and name what learned from those taken back.

    The version's content is fetched and verified, then the pin in the work tree is replaced; the
    commit is yours. What serves is not changed: the commands for that are told.

    \b
    Example: mlops data rollback bike-rentals
    Example: mlops data rollback bike-rentals --to 1f0c2d
    """
    return rollback(Repository.at(), dataset, to=to, as_json=as_json)


def rollback(
    repo: Repository, dataset: str, *, to: str | None = None, as_json: bool = False
) -> int:
    """Put the pin back and say what is next; see `mlops.versions.rollback` for what is raised."""
    from rich.console import Console

    from mlops.versions.rollback import roll_back

    status = Console(stderr=True).status(f"reading {dataset}")
    with repo.exclusive("mlops data rollback"), status:
        done = roll_back(repo, dataset, to, progress=status.update)
    if as_json:
        click.echo(json.dumps(_as_json(repo, dataset, done), indent=2))
    else:
        click.echo("\n".join(_lines(repo, dataset, done)))
    return Exit.DONE


def _as_json(repo: Repository, dataset: str, done: "RolledBack") -> dict[str, object]:
    from mlops.commands.data_log import consumer_json

    return {
        "dataset": dataset,
        "version": done.target.pin.digest,
        "rows": done.target.pin.rows,
        "pinned_by": done.target.change.commit,
        "taken_back": [pin.digest for pin in done.taken_back],
        "environments_of": {"ref": done.ref, "commit": repo.commit_id(done.ref)},
        "releases": [consumer_json(one) for one in done.consumers],
        "retrain": done.models,
        "roll_back": [
            {
                "service": way.service,
                "environment": way.environment,
                "release": way.release,
                "to": way.to,
                "command": way.command,
            }
            for way in done.ways_back
        ],
    }


def _lines(repo: Repository, dataset: str, done: "RolledBack") -> list[str]:
    from mlops.commands.data_derive import to_derive
    from mlops.data.pin import pin_path

    pin, path = done.target.pin, pin_path(dataset)
    old = ", ".join(digests.short(each.digest) for each in done.taken_back)
    lines = [
        f"{dataset}: back to {done.target.text}",
        f"  version  {old} -> {digests.short(pin.digest)} ({pin.rows} rows), here and verified",
    ]
    if done.other_contract:
        lines.append(
            f"  held to contract {pin.contract}, the one taken back to {done.other_contract}: "
            f"mlops data validate {dataset}"
        )
    return [
        *lines,
        f"  pinned in {path}. To keep it:",
        f"    git add {path}",
        f"    git commit -m '{dataset}: back to {digests.short(pin.digest)}' -- {path}",
        *to_derive(repo, dataset),
        *_consumers(repo, done),
    ]


def _consumers(repo: Repository, done: "RolledBack") -> list[str]:
    from mlops.commands.data_log import learned

    seen = f"as of {done.ref} {repo.commit_id(done.ref)[:12]}, as last fetched"
    if not done.consumers:
        return [f"No release learned from what was taken back, {seen}."]
    lines = [f"Learned from what was taken back, {seen}:"]
    lines += [f"  {digests.short(one.digest)}  {learned(one)}" for one in done.consumers]
    if not done.ways_back:
        return [*lines, "None of it serves now."]
    lines.append("What serves goes on; to take it back now:")
    lines += [f"  {way.command or way.nothing}" for way in done.ways_back]
    lines.append("When the pin is merged, to train again and release:")
    return [*lines, *(f"  mlops retrain {model}" for model in done.models)]
