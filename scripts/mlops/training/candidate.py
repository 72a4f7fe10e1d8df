"""The work tree's model, trained and registered, or found as it was registered before."""

import time
from dataclasses import dataclass

from mlops.data.pin import read_pin
from mlops.errors import bad_input
from mlops.lineage.step import recorded
from mlops.registry import Registered, Registry
from mlops.repository import Repository
from mlops.sources import training_paths
from mlops.training import training
from mlops.training.training import Trained, inputs_of


@dataclass(frozen=True)
class State:
    """The commit that is trained from, and the paths that decide and differ from it."""

    commit: str
    uncommitted: list[str]

    @classmethod
    def of(cls, repo: Repository, model: str) -> "State":
        """As the clone is now."""
        return cls(repo.git.head(), repo.git.uncommitted(*training_paths(repo, model)))


@dataclass(frozen=True)
class Candidate:
    """A version that was trained just now, and the seconds it took to read data and train."""

    registered: Registered
    trained: Trained
    seconds: float


def registered_before(repo: Repository, model: str) -> Registered | None:
    """The version that was trained from the work tree's files and data, or None."""
    return Registry.of(repo).find(model, inputs=inputs_of(repo, model))


def registered_of(repo: Repository, model: str, version: int | None = None) -> Registered:
    """The version of that number, or the one trained from the work tree's files and data.

    Raises:
        BadInput: when there is none.
    """
    if version is not None:
        repo.model(model)
        return Registry.of(repo).get(model, version)
    found = registered_before(repo, model)
    if found is None:
        raise bad_input(
            f"models/{model}",
            "no registered version was trained from these files and this data",
            f"run `mlops train {model}`, or name a version with --version",
        )
    return found


@recorded("train")
def train_and_register(repo: Repository, model: str, state: State) -> Candidate:
    """Train the work tree's model and register it.

    Raises:
        BadInput: when the model's files or its data are not as they have to be.
    """
    start = time.perf_counter()
    trained = training.train(repo, repo, model)
    seconds = time.perf_counter() - start
    return Candidate(_registered(repo, model, state, trained), trained, seconds)


def registered_now(repo: Repository, model: str) -> Registered:
    """The version of the work tree's files and data, trained when there is none yet.

    Raises:
        NotHere: when a registry elsewhere cannot be used from here.
        BadInput: when the model's files or its data are not as they have to be.
    """
    found = registered_before(repo, model)
    return found or train_and_register(repo, model, State.of(repo, model)).registered


def _registered(repo: Repository, model: str, state: State, trained: Trained) -> Registered:
    spec, inputs = repo.model(model), inputs_of(repo, model)
    pin = read_pin(repo, spec.data.dataset)
    return Registry.of(repo).register(
        model,
        trained.files,
        inputs,
        params={**spec.training.params, "seed": spec.training.seed},
        metrics={"train_rows": trained.rows},
        tags={
            "inputs": inputs,
            "dataset": pin.dataset,
            "dataset.digest": pin.digest,
            "trained_from": trained.first,
            "trained_until": trained.last,
            "source.commit": state.commit,
            "source.dirty": str(bool(state.uncommitted)).lower(),
        },
    )
