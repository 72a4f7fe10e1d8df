"""A release's models against those of the champion, made anew on one frozen set of rows."""

from collections.abc import Sequence
from typing import TypeGuard

from mlops.errors import Problem, bad_input
from mlops.repository import Layout, Repository
from mlops.specs.decision import Champion, Comparison
from mlops.specs.evidence import GateResult
from mlops.specs.release import ModelPin, Release


def comparisons(
    repo: Repository, release: Release, champion: Release | None
) -> tuple[Comparison, ...]:
    """One comparison for each relative gate of each model of the release, in its order.

    Both sides are scored by the models and feature code they were released with (of their
    bentos, or made again where no bento is), on the holdout that the release's source commit and
    data give; so anybody gets the same figures again.

    Args:
        repo: a clone with the stores that hold bentos and datasets.
        release: the challenger.
        champion: what serves; None (or a champion without that model) is compared with the
            stated baseline.

    Raises:
        BadInput: when a bento, a dataset's version or a commit is not there.
    """
    layout = repo.commit(release.source.commit)
    _check_pins(layout, release)
    return tuple(
        found for pin in release.models for found in _of_model(repo, layout, pin, release, champion)
    )


def as_champion(release: Release | None) -> Champion | None:
    """How decision.yaml names what served before."""
    if release is None:
        return None
    return Champion(release=release.release, bento=release.bento)


def gates_of(layout: Layout, found: Sequence[Comparison]) -> tuple[GateResult, ...]:
    """The relative gates of the models compared, each named with its model.

    Args:
        layout: the tree whose model.yaml files hold the gates.
        found: what `comparisons` gave.
    """
    from mlops.training.gates import relative

    results = ((one.model, relative(layout.model(one.model), (one,))) for one in found)
    return tuple(named(model, gate) for model, gates in results for gate in gates)


def named(model: str, gate: GateResult) -> GateResult:
    """A model's gate with the model's name before its own."""
    return gate.model_copy(update={"gate": f"{model}: {gate.gate}"})


def unmet(results: Sequence[GateResult]) -> list[Problem]:
    """Each gate that is not met, as a problem of the model it names."""
    problems = []
    for result in results:
        model, _, gate = result.gate.partition(": ")
        if not result.passed:
            what = f"gate `{gate}` is not met: {result.detail}"
            problems.append(Problem(f"models/{model}/model.yaml", what, "improve the model"))
    return problems


def _of_model(
    repo: Repository, layout: Layout, pin: ModelPin, release: Release, champion: Release | None
) -> tuple[Comparison, ...]:
    from mlops.training.comparison import compare
    from mlops.training.holdout import split
    from mlops.training.reproduced import scorer_of_release

    challenger = scorer_of_release(repo, release, pin.name)
    other = scorer_of_release(repo, champion, pin.name) if _serves(champion, pin.name) else None
    return compare(layout.model(pin.name), split(repo, layout, pin.name), challenger, other)


def _serves(release: Release | None, model: str) -> TypeGuard[Release]:
    return release is not None and any(pin.name == model for pin in release.models)


def _check_pins(layout: Layout, release: Release) -> None:
    """The data that the source commit pins has to be what the release names."""
    from mlops.data.pin import read_pin

    for pin in release.datasets:
        found = read_pin(layout, pin.name).digest
        if found != pin.digest:
            raise bad_input(
                f"data-contracts/{pin.name}.dvc",
                f"pins {found} in source commit {release.source.commit[:12]}, "
                f"release {release.release} names {pin.digest}",
                f"release again: mlops release {release.service}",
            )
