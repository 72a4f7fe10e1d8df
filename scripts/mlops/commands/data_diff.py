"""mlops data diff: what differs between the rows of two versions of a dataset."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mlops.errors import Exit
from mlops.repository import Repository

if TYPE_CHECKING:
    from rich.table import Table

    from mlops.versions.differences import ColumnDifference, DataDifference
    from mlops.versions.history import Named


@click.command("diff")
@click.argument("dataset")
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(dataset: str, old: str | None, new: str | None, *, as_json: bool) -> int:
    """What differs between versions OLD and NEW of DATASET: rows, columns, distributions.

    A version is the beginning of a digest (`mlops data log`), a commit or a branch. Without NEW
    it is the one that the work tree pins; without OLD the one that HEAD pins, or the one before
    when that is the same. Rows are told apart by the contract's primary key.

    \b
    Example: mlops data diff bike-rentals
    Example: mlops data diff bike-rentals HEAD~1 HEAD
    """
    return diff(Repository.at(), dataset, old, new, as_json=as_json)


def diff(
    repo: Repository,
    dataset: str,
    old: str | None = None,
    new: str | None = None,
    *,
    as_json: bool = False,
) -> int:
    """Print what differs; see `history.pair` and `differences.differences` for what is raised."""
    from rich.console import Console

    from mlops.data.contract import read_contract
    from mlops.data.pin import fetch
    from mlops.versions.differences import Side, differences
    from mlops.versions.history import pair

    before, after = pair(repo, dataset, old, new)
    with Console(stderr=True).status(f"comparing versions of {dataset}"):
        key = read_contract(repo, dataset).primary_key
        one, other = (Side(each.name, fetch(repo, each.pin)) for each in (before, after))
        found = differences(one, other, key, repo.stores / "tmp")
    if as_json:
        click.echo(json.dumps(_as_json(dataset, before, after, found), indent=2, default=str))
    else:
        _show(dataset, before, after, found)
    return Exit.DONE


def _as_json(
    dataset: str, before: "Named", after: "Named", found: "DataDifference"
) -> dict[str, object]:
    return {
        "dataset": dataset,
        "before": before.pin.digest,
        "after": after.pin.digest,
        **asdict(found),
    }


def _show(dataset: str, before: "Named", after: "Named", found: "DataDifference") -> None:
    click.echo(f"{dataset}: {before.name} -> {after.name}")
    click.echo(
        f"  rows {before.pin.rows} -> {after.pin.rows}: {found.added} added, {found.removed} "
        f"removed, {found.changed} changed, {found.unchanged} the same"
    )
    differing = [each for each in found.columns if each.differs]
    if not differing:
        same = "every column of the rows that both have is the same"
        click.echo(f"  {same if found.added or found.removed else 'the same rows'}")
        return
    from rich.console import Console

    Console().print(_table(differing))
    if found.share > 1:
        click.echo(f"drift is of the rows of one in {found.share} keys")


def _table(differing: "list[ColumnDifference]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False)
    grid.add_column("column", overflow="fold")
    for heading in ("values changed", "missing", "drift"):
        grid.add_column(heading, justify="right")
    grid.add_column("largest changes", overflow="fold")
    for each in differing:
        grid.add_row(*map(Text, _cells(each)))
    return grid


def _cells(one: "ColumnDifference") -> Iterator[str]:
    yield one.name
    yield str(one.changed or "")
    moved = one.missing_before != one.missing_after
    yield f"{one.missing_before} -> {one.missing_after}" if moved else ""
    yield "" if not one.drift else f"{one.drift:.3f}"
    if one.before != one.after:
        yield f"{one.before or 'no column'} -> {one.after or 'no column'}"
    else:
        yield "; ".join(
            f"{', '.join(map(str, each.key))}: {each.before} -> {each.after}"
            for each in one.examples
        )
