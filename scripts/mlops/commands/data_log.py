"""mlops data log: the versions of a dataset, newest first."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mlops import digests
from mlops.errors import Exit
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.versions.consumers import Consumer
    from mlops.versions.log import Entry, Log

INDENT = " " * 8


@click.command("log")
@click.argument("dataset")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(dataset: str, *, as_json: bool) -> int:
    """The versions of DATASET: when, by whom, what was ingested, what learned from it, where
    that serves; newest first.

    Read from Git alone: the pin in the history of HEAD, releases and environments on the forge's
    main branch as last fetched.

    Example: mlops data log bike-rentals
    """
    return log(Repository.at(), dataset, as_json=as_json)


def log(repo: Repository, dataset: str, *, as_json: bool = False) -> int:
    """Print the versions; raises `BadInput` when the dataset is unknown or was never pinned."""
    from mlops.data.pin import not_pinned
    from mlops.versions.log import log as read

    found = read(repo, dataset)
    if not found.entries and found.now.content is None:
        raise not_pinned(repo, dataset)
    if as_json:
        click.echo(json.dumps(_as_json(repo, dataset, found), indent=2))
    else:
        _show(repo, dataset, found)
    return Exit.DONE


def consumer_json(one: "Consumer") -> dict[str, object]:
    """A release that holds a version, for machines."""
    return {
        "service": one.service,
        "release": one.release,
        "models": [{"name": pin.name, "version": pin.version} for pin in one.models],
        "data": one.digest,
        "serves": list(one.serves),
    }


def _as_json(repo: Repository, dataset: str, found: "Log") -> dict[str, object]:
    return {
        "dataset": dataset,
        "uncommitted": None if found.now.is_committed else _uncommitted(found),
        "environments_of": {"ref": found.ref, "commit": repo.commit_id(found.ref)},
        "versions": [_entry_json(entry) for entry in found.entries],
    }


def _uncommitted(found: "Log") -> str:
    """The version that only the work tree pins; empty when it pins none."""
    return "" if found.now.content is None else found.now.pin.digest


def _entry_json(entry: "Entry") -> dict[str, object]:
    change, pin = entry.change, entry.pin
    return {
        "commit": change.commit,
        "at": change.at,
        "author": change.author,
        "subject": change.subject,
        "digest": pin.digest if pin else None,
        "rows": pin.rows if pin else None,
        "contract": pin.contract if pin else None,
        "note": entry.note,
        "added": entry.added,
        "files": list(entry.files),
        "dropped": {"late": entry.late, "duplicates": entry.duplicates},
        "sources": [one.model_dump() for one in pin.sources] if pin else [],
        "back": entry.back,
        "releases": [consumer_json(one) for one in entry.consumers],
    }


def _show(repo: Repository, dataset: str, found: "Log") -> None:
    from rich.console import Console
    from rich.markup import escape

    from mlops.environments.markdown import visible

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(dataset)}[/bold]")
    if not found.now.is_committed:
        console.print(f"  here  {_in_work_tree(found)}")
    for place, entry in enumerate(found.entries):
        first, *others = (escape(visible(line)) for line in _lines(entry))
        console.print(f"  {'now' if place == 0 else '   '}   {first}")
        for line in others:
            console.print(f"{INDENT}[dim]{line}[/dim]")
    click.echo(f"releases as of {found.ref} {repo.commit_id(found.ref)[:12]}, as last fetched")


def _in_work_tree(found: "Log") -> str:
    digest = _uncommitted(found)
    return f"{digests.short(digest)}  in the work tree, in no commit" if digest else "no pin"


def _lines(entry: "Entry") -> Iterator[str]:
    from mlops.commands.history import moment

    change, pin = entry.change, entry.pin
    who = f"{moment(change.at)} by {change.author} in {change.commit[:12]}"
    if pin is None:
        yield f"{'no version':<12}  {entry.note}"
        yield who
        return
    more = "" if entry.added is None else f" ({entry.added:+})"
    back = ", again" if entry.back else ""
    yield f"{digests.short(pin.digest)}  {pin.rows} rows{more}, contract {pin.contract}{back}"
    yield f"{who}: {change.subject}"
    if entry.files:
        yield f"ingested {', '.join(entry.files)}"
    if entry.late or entry.duplicates:
        yield f"dropped {entry.late} late and {entry.duplicates} duplicate rows"
    if pin.sources:
        yield f"made of {', '.join(f'{one.dataset} {one.sha256[:12]}' for one in pin.sources)}"
    yield from (learned(one) for one in entry.consumers)


def learned(one: "Consumer") -> str:
    """A release that holds a version: its models, and where it serves."""
    models = " and ".join(f"{pin.name} {pin.version}" for pin in one.models)
    where = f"serves {', '.join(one.serves)}" if one.serves else "serves nowhere now"
    return f"{models or 'no model'} in {one.service} release {one.release}, {where}"
