"""mlops tune: better parameters for a model, searched on its training rows."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mlops.errors import Exit, bad_input
from mlops.files import write_whole
from mlops.lineage.step import recorded
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.search.proposal import Proposed
    from mlops.search.searching import Outcome, Share
    from mlops.search.trials import Trial
    from mlops.specs.search import Search

SHARE = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)")


@click.command()
@click.argument("model")
@click.option("--trials", type=click.IntRange(1, 10_000), metavar="N", help="Default: model.yaml.")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Tries at the same time.")
@click.option(
    "--share",
    metavar="I/N",
    help="Make the I-th part of the tries, one of N machines with one registry.",
)
@click.option("--write", is_flag=True, help="Put what is better into model.yaml.")
@click.option("--propose", is_flag=True, help="Open a pull request with what is better.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    model: str,
    *,
    trials: int | None,
    workers: int | None,
    share: str | None,
    write: bool,
    propose: bool,
    as_json: bool,
) -> int:
    """Search better `training.params` for MODEL, as `search` of its model.yaml says.

    Each try is trained and measured on windows of the training rows; the holdout is not read. What
    was tried is kept in the registry, so that a search that was killed goes on, and one that ended
    is not made again. No model is registered: parameters come into Git, and are trained from there.

    \b
    Example: mlops tune bike-demand
    Example: mlops tune bike-demand --trials 100 --write
    Example: mlops tune bike-demand --share 1/4
    """
    return tune(
        Repository.at(),
        model,
        trials=trials,
        workers=workers,
        share=share,
        write=write,
        propose=propose,
        as_json=as_json,
    )


@recorded("tune")
def tune(
    repo: Repository,
    model: str,
    *,
    trials: int | None = None,
    workers: int | None = None,
    share: str | None = None,
    write: bool = False,
    propose: bool = False,
    as_json: bool = False,
) -> int:
    """Make the tries that are missing and tell what came of them; raises like `searching.run`."""
    from mlops.lock import only_one
    from mlops.search.searching import run, search_of

    # The workers of model.yaml are these machines.
    asked = {"trials": trials, "workers": 1 if share and workers is None else workers}
    search = search_of(repo, model).model_copy(
        update={name: value for name, value in asked.items() if value is not None}
    )
    part = _share(share, alone=not (write or propose))
    place = repo.stores / "searches" / model / f"{part.number}-of-{part.of}"
    with only_one(place, f"mlops tune {model}"), _progress(model, search, part) as tells:
        found = run(repo, model, search, part, tells)
    if found is None:
        return Exit.DONE
    opened = _proposed(repo, model, found) if propose and found.is_better else None
    if write and found.is_better:
        _write(repo, model, found)
    if as_json:
        click.echo(json.dumps(_body(model, found, opened, written=write and found.is_better)))
    else:
        _tell(repo, model, found, opened, written=write)
    return Exit.DONE


def _share(text: str | None, *, alone: bool) -> "Share":
    from mlops.search.searching import Share

    if text is None:
        return Share()
    if not alone:
        raise bad_input(
            "--share", "makes a part of the tries only", "leave out --write and --propose"
        )
    found = SHARE.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise bad_input("--share", f"{text!r} is no part of a whole", "write it as 1/4 to 4/4")
    return Share(int(found[1]), int(found[2]))


@contextmanager
def _progress(
    model: str, search: "Search", share: "Share"
) -> Iterator[Callable[[Mapping[int, "Trial"]], None]]:
    """A bar on a terminal, and for a log one line at the end."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    there = 0
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(model, total=search.trials)

        def tells(known: Mapping[int, "Trial"]) -> None:
            nonlocal there
            there = len(known)
            bar.update(task, completed=there, description=_standing(model, search, known))

        yield tells
    whose = f", part {share.number} of {share.of}" if share.of > 1 else ""
    click.echo(f"{model}: {there} of {search.trials} tries are known{whose}", err=True)


def _standing(model: str, search: "Search", known: Mapping[int, "Trial"]) -> str:
    from mlops.training.metrics import HIGHER_IS_BETTER

    if not known:
        return model
    best = max if search.metric in HIGHER_IS_BETTER else min
    return f"{model}: {search.metric} {best(one.value for one in known.values()):.5g}"


def _proposed(repo: Repository, model: str, found: "Outcome") -> "Proposed":
    from mlops.forges.choice import forge_of
    from mlops.search.proposal import propose

    with repo.exclusive("mlops tune --propose"):
        return propose(repo, forge_of(repo), model, found)


def _write(repo: Repository, model: str, found: "Outcome") -> None:
    from mlops.search.writing import with_params

    path = f"models/{model}/model.yaml"
    with repo.exclusive("mlops tune --write"):
        content = repo.tree.read(path) or b""
        write_whole(repo.root / path, with_params(content, path, found.best.params))


def _body(
    model: str, found: "Outcome", opened: "Proposed | None", *, written: bool
) -> dict[str, Any]:
    there = opened.opened if opened else None
    return {
        "model": model,
        "study": found.study,
        "metric": found.search.metric,
        "trials": len(found.trials),
        "start": _trial(found.start),
        "best": _trial(found.best),
        "better": found.is_better,
        "gain": found.gain,
        "seconds": round(sum(one.seconds for one in found.trials), 3),
        "written": written,
        "branch": there.branch if there else None,
        "text": there.place if there else None,
    }


def _trial(one: "Trial") -> dict[str, Any]:
    return {
        "number": one.number,
        "params": dict(one.params),
        "value": one.value,
        "folds": list(one.folds),
        "seconds": one.seconds,
    }


def _tell(
    repo: Repository,
    model: str,
    found: "Outcome",
    opened: "Proposed | None",
    *,
    written: bool,
) -> None:
    from mlops.search.table import verdict

    _table(model, found)
    click.echo(verdict(found))
    if not found.is_better:
        return
    if opened:
        _tell_opened(repo, opened)
    elif written:
        click.echo(f"Written to models/{model}/model.yaml\nNext: mlops train {model}")
    else:
        click.echo(f"Next: mlops tune {model} --trials {found.search.trials} --write")


def _table(model: str, found: "Outcome") -> None:
    from rich.console import Console
    from rich.table import Table

    from mlops.search.table import HEADINGS, rows_of

    grid = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        grid.add_column(heading or model, justify="right" if heading else "left")
    for row in rows_of(found):
        grid.add_row(*row)
    Console().print(grid)


def _tell_opened(repo: Repository, found: "Proposed") -> None:
    from mlops.commands.proposing import near

    opened = found.opened
    if opened is None:
        click.echo(f"{repo.project.forge.main} has these parameters already: nothing to propose")
        return
    state = "pushed" if opened.new else "was there already, unchanged"
    click.echo(f"  branch  {opened.branch} ({state})\n  text    {near(opened.place)}")
    click.echo("\n".join(["Next: read the text, then merge:", *(f"  {x}" for x in opened.merge)]))
