"""mlops data lineage: what something was made of, and what was made of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.errors import Exit
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.lineage.graph import Derivation, Graph, Node, Way
    from mlops.lineage.logs import Answer

HEADINGS: "dict[Way, str]" = {"up": "Made of:", "down": "What came of it:"}


@click.command("lineage")
@click.argument("thing")
@click.option("--up", "ways", flag_value="up", help="Only what it was made of.")
@click.option("--down", "ways", flag_value="down", help="Only what came of it.")
@click.option(
    "--at",
    type=click.DateTime(("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")),
    metavar="TIME",
    help="With ENVIRONMENT/SERVICE: what it held then (UTC), as for an answer that it gave.",
)
@click.option("--files", is_flag=True, help="Also code, settings and records that steps read.")
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=12,
    show_default=True,
    help="How many steps far.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE.svg",
    help="Draw it into this file, too.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    *,
    thing: str,
    ways: "Way | None",
    at: datetime | None,
    files: bool,
    steps: int,
    picture: Path | None,
    as_json: bool,
) -> int:
    """What THING was made of, and what came of it, by the events in the stores and by Git.

    THING is a file (by its content), the beginning of a digest, a dataset, a model or release
    with or without @NUMBER, ENVIRONMENT/SERVICE, or an answer of a service by its header
    `x-prediction`. A name that several kinds have is written
    `model:NAME`.

    \b
    Example: mlops data lineage predicted.parquet --up
    Example: mlops data lineage model:bike-demand@2 --picture model.svg
    Example: mlops data lineage release:bike-demand@3
    Example: mlops data lineage prod/bike-demand --at 2026-03-01T10:00
    Example: mlops data lineage 01a22cc6-8584-740c-bbd2-e6b3c03a25ec --up
    """
    return lineage(
        Repository.at(),
        thing,
        ways=(ways,) if ways else ("up", "down"),
        at=at.replace(tzinfo=UTC) if at else None,
        files=files,
        steps=steps,
        picture=picture,
        as_json=as_json,
    )


def lineage(
    repo: Repository,
    thing: str,
    *,
    ways: "tuple[Way, ...]" = ("up", "down"),
    at: datetime | None = None,
    files: bool = False,
    steps: int = 12,
    picture: Path | None = None,
    as_json: bool = False,
) -> int:
    """Print the part of the graph around a version; raises `BadInput` for what is not known."""
    from mlops.files import write_whole
    from mlops.lineage.asked import node_of
    from mlops.lineage.graph import FILE
    from mlops.lineage.logs import answer_of
    from mlops.lineage.picture import svg
    from mlops.lineage.seen import load

    graph = load(repo)
    answer = answer_of(repo, thing)
    if answer is not None:
        graph = graph.knowing(answer.wrote, answer.place)
    asked = answer.file if answer else node_of(repo, graph, thing, at)
    if not files and asked.kind != FILE:
        graph = graph.without_files()
    if not as_json:
        graph = graph.gathered(asked)
    parts = {way: graph.around(asked, way, steps) for way in ways}
    if picture is not None:
        write_whole(picture, svg(graph.joined(parts.values()), asked))
    if as_json:
        click.echo(json.dumps({**_answered(answer), **_body(asked, parts)}, indent=2))
    else:
        if answer is not None:
            click.echo(answer.text)
        _tell(graph, asked, parts)
        if picture is not None:
            click.echo(f"drawn in {picture}")
    return Exit.DONE


def _tell(graph: "Graph", asked: "Node", parts: "dict[Way, Graph]") -> None:
    from mlops.lineage.tree import Tree

    for way, part in parts.items():
        if part.derivations:
            click.echo(HEADINGS[way])
            click.echo("\n".join(Tree(part, way).lines(asked)))
    if not any(part.derivations for part in parts.values()):
        click.echo(f"{graph.text(asked)}: no step that wrote or read it is known")
    for place in sorted(graph.places.get(asked, ())):
        click.echo(f"its bytes: {place}")


def _answered(answer: "Answer | None") -> dict[str, object]:
    if answer is None:
        return {}
    at = answer.at.isoformat()
    return {"answer": {"id": answer.identity, "at": at, "rows": answer.rows}}


def _body(asked: "Node", parts: "dict[Way, Graph]") -> dict[str, object]:
    return {
        "thing": _node(asked),
        **{way: [_step(one) for one in part.derivations] for way, part in parts.items()},
    }


def _step(one: "Derivation") -> dict[str, object]:
    return {
        "step": one.job,
        "at": one.at or None,
        "commit": one.commit,
        "run": one.run,
        "read": [_node(node) for node in sorted(one.inputs)],
        "wrote": [_node(node) for node in sorted(one.outputs)],
    }


def _node(node: "Node") -> dict[str, str]:
    return {"kind": node.kind, "name": node.name, "version": node.version}
