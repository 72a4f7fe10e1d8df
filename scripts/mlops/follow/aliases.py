"""`python -m mlops.follow.aliases`: the registry's aliases, from what is confirmed serving.

A process of its own, because importing MLflow takes seconds and memory that a follower should
not spend.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlops.errors import bad_input
from mlops.follow import confirmed
from mlops.follow.lifeline import run
from mlops.follow.places import Places
from mlops.registry import Registry
from mlops.repository import Repository
from mlops.specs.release import ModelPin

Pins = dict[str, dict[str, ModelPin]]
"""model -> alias -> what the alias has to point to."""


def reconcile(repo: Repository) -> None:
    """Make the aliases `<environment>-<service>` of all models what is confirmed serving.

    Environments that no follower of this clone has served keep theirs: another machine does.

    Raises:
        BadInput: when the registry lacks a model that serves.
    """
    registry = Registry.of(repo)
    with _alone(repo.stores):
        here = [name for name in repo.order if Places.of(repo.stores, name).confirmed.is_file()]
        pins = pins_of(repo, here)
        for model in sorted({*repo.models(), *pins}):
            kept = _of_others(registry.aliases(model), repo.order, here)
            wanted = {alias: _number(registry, pin) for alias, pin in pins.get(model, {}).items()}
            registry.set_aliases(model, {**kept, **wanted})


def pins_of(repo: Repository, environments: list[str]) -> Pins:
    """Models that are confirmed serving, by the alias that names where."""
    pins: Pins = {}
    for environment in environments:
        serving = confirmed.read(Places.of(repo.stores, environment).confirmed)
        for service, release in serving.services.items():
            for pin in release.models:
                pins.setdefault(pin.name, {})[f"{environment}-{service}"] = pin
    return pins


def _of_others(
    aliases: Mapping[str, int], order: tuple[str, ...], here: list[str]
) -> dict[str, int]:
    return {
        alias: version
        for alias, version in aliases.items()
        if (environment := environment_of(alias, order)) and environment not in here
    }


def environment_of(alias: str, order: tuple[str, ...]) -> str | None:
    """The environment an alias begins with; the longest, when several do."""
    found = [name for name in order if alias.startswith(f"{name}-")]
    return max(found, key=len, default=None)


def _number(registry: Registry, pin: ModelPin) -> int:
    """The number this registry has for the content: the one in the release is a label only."""
    found = registry.find(pin.name, digest=pin.digest)
    if found is None:
        raise bad_input(
            f"models/{pin.name}",
            f"the registry lacks the content {pin.digest} that serves",
            f"run `mlops train {pin.name}` at the release's source commit",
        )
    return found.version


@contextmanager
def _alone(stores: Path) -> Iterator[None]:
    """One at a time reads what is confirmed and writes what follows, whole."""
    handle = os.open(stores / "follow" / "aliases.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    run(lambda: reconcile(Repository.at()))
