"""mlops contract: data contracts, read and told."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops.errors import BadInput, Exit, Problem, bad_input
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.data.enforcement import Finding
    from mlops.data.reading import Reading


@click.group()
def group() -> None:
    """Contracts of data and of features: what one enforces, only reports, and cannot check.

    Example: mlops contract check data-contracts/bike-rentals.odcs.yaml
    """


@group.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check_command(paths: tuple[Path, ...], as_json: bool) -> int:
    """Read the contracts at PATHS (ODCS v3.0 or v3.1), and tell what becomes of each thing said.

    Any file of the standard is read, of this repository or not. Exit code 2 when one is not
    valid by the standard, or contradicts itself; each place is named.

    Example: mlops contract check data-contracts/*.odcs.yaml
    """
    return check(paths, as_json=as_json)


def check(paths: Sequence[Path], *, as_json: bool = False) -> int:
    """Tell of each contract what is enforced, reported and not checked; 2 when one is wrong."""
    told = [_read(path) for path in paths]
    if as_json:
        click.echo(json.dumps([_as_json(*each) for each in told], indent=2))
    else:
        for _, reading, _ in told:
            if reading:
                _tell(reading)
    problems = [problem for _, _, found in told for problem in found]
    for problem in problems:
        click.echo(str(problem), err=True)
    return Exit.BAD_INPUT if problems else Exit.DONE


@group.command("draft")
@click.argument("model")
def draft_command(model: str) -> int:
    """Write a contract for the features of MODEL, from the rows it is trained on.

    Limits are what these rows have: correct them to what a feature can be. Nothing that is there
    is written over.

    Example: mlops contract draft bike-demand
    """
    return draft(Repository.at(), model)


def draft(repo: Repository, model: str) -> int:
    """Write models/<model>/features.odcs.yaml; raises BadInput when there is one."""
    from mlops.training.features_draft import drafted, write_draft

    path = write_draft(repo, model, drafted(repo, model))
    click.echo(f"{path}: from the rows that {model} is trained on. Correct the limits, then")
    click.echo(f"  mlops contract check {path}")
    click.echo(f"  mlops train {model}")
    return Exit.DONE


Told = tuple[Path, "Reading | None", tuple[Problem, ...]]


def _read(path: Path) -> Told:
    from mlops.data.reading import read

    try:
        return path, read(_content(path), str(path)), ()
    except BadInput as error:
        return path, None, error.problems


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise bad_input(path, f"could not be read ({error.strerror})", "name a contract") from error


def _as_json(
    path: Path, reading: "Reading | None", problems: tuple[Problem, ...]
) -> dict[str, Any]:
    from mlops.data.enforcement import findings

    found = findings(reading) if reading else ()
    return {
        "path": str(path),
        "valid": reading is not None,
        "usable": reading is not None and not any(each.in_the_way for each in found),
        "problems": [asdict(problem) for problem in problems],
        "findings": [asdict(each) for each in found],
    }


def _tell(reading: "Reading") -> None:
    from mlops.data.enforcement import findings

    found = findings(reading)
    value = reading.document.value
    named = f"{value.get('name', value['id'])} {value['version']}"
    click.echo(f"{reading.document.path}: {named}, valid by ODCS {value['apiVersion']}")
    titles = {**TITLES, "enforced": OF_FEATURES} if reading.of_features else TITLES
    for group, title in titles.items():
        _tell_group(title, [each for each in found if each.group == group])
    click.echo(_sum(found))


TITLES = {
    "enforced": "enforced: `mlops data` holds the data to it",
    "reported": "reported: for people, not checked",
    "unchecked": "not checked (x: `mlops data` takes no contract with it)",
}


OF_FEATURES = "enforced: training holds the features to it, a service counts what is outside"


def _tell_group(title: str, found: "Sequence[Finding]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not found:
        return
    click.echo(title)
    grid = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        grid.add_column(overflow="fold")
    for each in found:
        grid.add_row(*map(escape, _cells(each)))
    Console().print(grid)


def _cells(found: "Finding") -> tuple[str, str, str]:
    if found.group == "enforced":
        told_only = " (warning: told, stops nothing)" if found.severity == "warning" else ""
        return found.places[0], found.kind, found.text + told_only
    way_out = f"{found.why}; {found.fix}" if found.fix else found.why
    mark = "x" if found.in_the_way else ""
    return (mark, found.text, way_out) if found.group == "unchecked" else (found.text, way_out, "")


def _sum(found: "Sequence[Finding]") -> str:
    counts = Counter(each.group for each in found)
    rules = f"{counts['enforced']} rules enforced"
    in_the_way = sum(each.in_the_way for each in found)
    if in_the_way:
        return f"{rules} once what is marked is changed ({in_the_way})"
    return f"{rules}, {counts['reported']} kinds reported, {counts['unchecked']} not checked"
