"""mlops data diff: what differs between the rows of two versions of a dataset."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mlops.errors import Exit
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.differences import ColumnDifference, DataDifference, Example
    from mlops.data.history import Named


@click.command("diff")
@click.argument("dataset")
@click.argument("old", metavar="[A]", required=False)
@click.argument("new", metavar="[B]", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(dataset: str, old: str | None, new: str | None, *, as_json: bool) -> int:
    """What differs from version A to version B of DATASET: rows, columns, distributions.

    A version is the beginning of a digest (`mlops data log`), a commit or a branch. Without B, A
    is compared with what the work tree pins; without both, what HEAD pins with the work tree's, or
    the version before with it. Rows are told apart by the contract's primary key.

    \b
    Example: mlops data diff bike-rentals
    Example: mlops data diff bike-rentals 1f0c2d HEAD
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
    """Print the differences; the exit code is 0 whether there are any or not.

    Raises:
        BadInput: when a version is unknown, cannot be had or cannot be compared.
        NotGood: when there is nothing to compare with.
    """
    from rich.console import Console

    from mlops.data.contract import read_contract
    from mlops.data.differences import Side, differences
    from mlops.data.history import pair
    from mlops.data.pin import fetch

    key = read_contract(repo, dataset).primary_key
    named = pair(repo, dataset, old, new)
    with Console(stderr=True).status(f"comparing {dataset}"):
        before, after = (Side(one.name, fetch(repo, one.pin)) for one in named)
        found = differences(before, after, key, repo.stores)
    if as_json:
        click.echo(json.dumps(_as_json(dataset, named, found), indent=2, default=str))
    else:
        _show(dataset, named, found)
    return Exit.DONE


def _as_json(
    dataset: str, named: "tuple[Named, Named]", found: "DataDifference"
) -> dict[str, object]:
    before, after = named
    return {
        "dataset": dataset,
        "a": before.pin.digest,
        "b": after.pin.digest,
        "key": list(found.key),
        "rows": {
            "added": found.added,
            "removed": found.removed,
            "changed": found.changed,
            "unchanged": found.unchanged,
        },
        "distances_of_one_key_in": found.share,
        "columns": [_column_json(column, found.key) for column in found.columns],
    }


def _column_json(column: "ColumnDifference", key: tuple[str, ...]) -> dict[str, object]:
    return {
        "column": column.name,
        "type": {"a": column.before, "b": column.after},
        "changed": column.changed,
        "missing": {"a": column.missing_before, "b": column.missing_after},
        "distance": column.drift,
        "examples": [
            {
                "key": dict(zip(key, one.key, strict=True)),
                "a": one.before,
                "b": one.after,
            }
            for one in column.examples
        ],
    }


def _show(dataset: str, named: "tuple[Named, Named]", found: "DataDifference") -> None:
    from rich.console import Console
    from rich.table import Table

    before, after = named
    click.echo(f"{dataset}: {before.name} -> {after.name}")
    click.echo(
        f"  rows by {', '.join(found.key)}: {found.added} added, {found.removed} removed, "
        f"{found.changed} changed, {found.unchanged} unchanged"
    )
    differing = [column for column in found.columns if column.differs]
    if not differing:
        click.echo(f"  {_same(found)}")
        return
    grid = Table("column", "type")
    for heading in ("changed", "missing", "distance"):
        grid.add_column(heading, justify="right")
    grid.add_column("largest changes", overflow="fold")
    for column in sorted(differing, key=lambda one: -(one.drift or 0)):
        grid.add_row(*_cells(column, found.key))
    Console().print(grid)
    for line in _words(found):
        click.echo(f"  {line}")


def _same(found: "DataDifference") -> str:
    if found.added or found.removed:
        return "the columns are the same, and the distributions of their values"
    return "the same rows and columns"


def _words(found: "DataDifference") -> Iterator[str]:
    yield "distance: of the distributions, from 0 (the same) to 1 (nothing in common)"
    if found.share > 1:
        yield f"distances are those of one in {found.share} keys, the same in both"


def _cells(column: "ColumnDifference", key: tuple[str, ...]) -> tuple[str, ...]:
    from rich.markup import escape

    from mlops.environments.markdown import visible

    missing = (column.missing_before, column.missing_after)
    examples = "\n".join(_example(one, key) for one in column.examples)
    told = (
        visible(column.name),
        _type(column),
        str(column.changed or ""),
        "" if missing == (0, 0) else f"{missing[0]} -> {missing[1]}",
        "" if column.drift is None else f"{column.drift:.3f}",
        "\n".join(visible(line) for line in examples.split("\n")),
    )
    return tuple(escape(text) for text in told)


def _type(column: "ColumnDifference") -> str:
    if column.before is None:
        return f"new ({column.after})"
    if column.after is None:
        return f"gone ({column.before})"
    same = column.before == column.after
    return column.after if same else f"{column.before} -> {column.after}"


def _example(one: "Example", key: tuple[str, ...]) -> str:
    where = ", ".join(f"{name} {_value(value)}" for name, value in zip(key, one.key, strict=True))
    return f"{_value(one.before)} -> {_value(one.after)} ({where})"


def _value(value: Any) -> str:
    return "missing" if value is None else str(value)
