"""mlops train: a model from its pinned data, into the registry."""

import json
from typing import TYPE_CHECKING, Any

import click

from mlops import digests
from mlops.errors import Exit
from mlops.lineage.step import recorded
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.registry import Registered
    from mlops.training.candidate import Candidate, State
    from mlops.training.training import Trained

SHOWN = 5


@click.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(model: str, as_json: bool) -> int:
    """Train MODEL from its pinned data, without the holdout, and register it.

    What was trained from the same code, settings, dependencies and data before is not trained
    again: the version it has is told.

    Example: mlops train bike-demand
    """
    return train(Repository.at(), model, as_json=as_json)


@recorded("train")
def train(repo: Repository, model: str, *, as_json: bool = False) -> int:
    """Train and register the work tree's model; print the version it has."""
    from mlops.data.contract import read_features
    from mlops.data.feature_limits import without_contract
    from mlops.training.candidate import State, registered_before, train_and_register

    state = State.of(repo, model)
    known = registered_before(repo, model)
    if known is not None:
        return _tell_known(known, as_json)
    if not as_json:
        _tell_start(repo, model, state)
    if read_features(repo, model) is None:
        click.echo(str(without_contract(model)), err=True)
    found = train_and_register(repo, model, state)
    if as_json:
        click.echo(json.dumps(_body(found.registered) | _figures(found.trained, found.seconds)))
    else:
        _tell_done(found)
    return Exit.DONE


def _tell_start(repo: Repository, model: str, state: "State") -> None:
    data = repo.model(model).data
    click.echo(
        f"Training {model} on {data.dataset}; its newest {data.holdout_days} days are kept for "
        "evaluation"
    )
    if state.uncommitted:
        named = ", ".join(state.uncommitted[:SHOWN])
        more = len(state.uncommitted) - SHOWN
        rest = f" and {more} more" if more > 0 else ""
        click.echo(
            f"The work tree differs from its commit in {named}{rest}; the run is tagged as dirty"
        )


def _tell_known(known: "Registered", as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({**_body(known), "trained": False}))
        return Exit.DONE
    click.echo(
        f"{known.model} was trained from these inputs before: version {known.version}, "
        f"{digests.short(known.digest)}; nothing was trained"
    )
    click.echo(f"Next: mlops evaluate {known.model}")
    return Exit.DONE


def _tell_done(found: "Candidate") -> None:
    registered, trained = found.registered, found.trained
    click.echo(f"Registered {registered.model} version {registered.version}")
    click.echo(f"  digest  {registered.digest}")
    click.echo(f"  inputs  {registered.inputs}")
    click.echo(f"  rows    {trained.rows}, from {trained.first} to {trained.last}")
    click.echo(f"  time    {found.seconds:.1f} s to read the data and train")
    click.echo(f"Next: mlops evaluate {registered.model}")


def _body(registered: "Registered") -> dict[str, Any]:
    return {
        "model": registered.model,
        "version": registered.version,
        "digest": registered.digest,
        "inputs": registered.inputs,
    }


def _figures(trained: "Trained", seconds: float) -> dict[str, Any]:
    return {
        "trained": True,
        "rows": trained.rows,
        "first": trained.first,
        "last": trained.last,
        "seconds": round(seconds, 3),
    }
