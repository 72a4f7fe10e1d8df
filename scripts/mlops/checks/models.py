"""Part `models`: what the change makes of each model, against what serves now."""

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops.checks.context import Context
from mlops.checks.contracts import without_contract
from mlops.checks.features import features_contract
from mlops.checks.found import count, result
from mlops.errors import MlopsError, NotHere, Problem
from mlops.files import not_text
from mlops.repository import Layout, folder_of, release_path
from mlops.sources import code_of_model
from mlops.specs.decision import Champion as Pinned
from mlops.specs.release import Release
from mlops.specs.result import ContractResult, ModelResult, Outcome, Plot, Result

if TYPE_CHECKING:
    from mlops.training.champion import Champion
    from mlops.training.outcome import Outcome as Found

ASK = "ask a maintainer to have this commit evaluated (workflow evaluate-fork)"


@dataclass(frozen=True)
class Looked:
    """What was found of one model.

    Attributes:
        result: absent when the model could not be measured.
        problems: what is not good about it.
        absent: why something of it was not evaluated.
        contract: how the contract of its features changes.
        waits: that it has no data yet, neither before nor with the change; empty: it has.
    """

    model: str
    result: ModelResult | None = None
    problems: tuple[Problem, ...] = ()
    absent: tuple[Problem, ...] = ()
    contract: ContractResult | None = None
    waits: str = ""

    @property
    def outcome(self) -> Outcome:
        """A model that is surely not good is so whatever else could not be evaluated."""
        if self.problems:
            return "not good"
        return "not evaluated" if self.absent else "good"


@dataclass(frozen=True)
class Rival:
    """What a model is compared with; with `absent` it is there, but cannot be opened here."""

    environment: str
    pinned: Pinned | None = None
    champion: "Champion | None" = None
    absent: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def run(context: Context) -> Result:
    """Train and evaluate each model of the share; one that fails does not stop the others."""
    environment = compared_with(context)
    looked = [_looked_at(context, model, environment) for model in context.share.names]
    problems = [problem for one in looked for problem in (*one.problems, *one.absent)]
    return result(
        context,
        _summary(looked, environment),
        problems,
        outcome=_worst(looked),
        models=tuple(one.result for one in looked if one.result),
        contracts=tuple(one.contract for one in looked if one.contract),
        removed=tuple(name for name in context.share.names if _is_gone(context, name)),
    )


def _is_gone(context: Context, model: str) -> bool:
    return not context.repo.tree.files(f"models/{model}")


def compared_with(context: Context) -> str:
    """The last environment of mlops.toml that was there before the change."""
    before, order = context.before, context.repo.order
    there = [name for name in order if before.tree.read(f"environments/{name}/env.yaml")]
    return (there or order)[-1]


def _worst(looked: Sequence[Looked]) -> Outcome:
    found = {one.outcome for one in looked}
    order: tuple[Outcome, ...] = ("not good", "not evaluated", "good")
    return next((outcome for outcome in order if outcome in found), "good")


def _summary(looked: Sequence[Looked], environment: str) -> str:
    if len(looked) == 1:
        return _in_words(looked[0], environment)
    waiting = [one.waits for one in looked if one.waits]
    counts = {
        outcome: len([one for one in looked if one.outcome == outcome and not one.waits])
        for outcome in ("good", "not good", "not evaluated")
    }
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number)
    said = f"{count(len(looked), 'model')} against what serves {environment}: {told or 'none'}"
    return ". ".join((said, *waiting))


def _in_words(one: Looked, environment: str) -> str:
    if one.problems:
        more = f" (and {len(one.problems) - 1} more)" if len(one.problems) > 1 else ""
        return f"{one.model}: {one.problems[0].what}{more}"
    if one.absent:
        return f"{one.model}: not evaluated: {one.absent[0].what}"
    if one.waits:
        return one.waits
    if one.result is None:
        return f"{one.model} is removed, nothing serves it"
    champion = one.result.champion
    against = f"release {champion.release} in {environment}" if champion else "the stated baseline"
    return f"{one.model} meets its {len(one.result.gates)} gates, compared with {against}"


def _looked_at(context: Context, model: str, environment: str) -> Looked:
    if _is_gone(context, model):
        return Looked(model, problems=tuple(_removed(context, model)))
    try:
        return _evaluated(context, model, environment)
    except NotHere as error:
        return Looked(model, absent=tuple(_askable(problem) for problem in error.problems))
    except MlopsError as error:
        return Looked(model, problems=error.problems)
    except Exception as error:  # noqa: BLE001 - the model's own code may raise anything
        traceback.print_exc(file=sys.stderr)
        what = f"training or evaluating it failed with {type(error).__name__}: {error}"
        fix = f"see the trace above, run `mlops train {model}`, correct its code"
        return Looked(model, problems=(Problem(f"models/{model}", what, fix),))


def _evaluated(context: Context, model: str, environment: str) -> Looked:
    from mlops.data.pin import pin_path
    from mlops.data.waiting import waits_for_data
    from mlops.training.candidate import registered_now
    from mlops.training.comparison import paired_metrics
    from mlops.training.outcome import outcome_of

    repo = context.repo
    if binary := [
        bad for path, text in code_of_model(repo, model).items() if (bad := not_text(text, path))
    ]:
        return Looked(model, problems=tuple(binary))
    if (dataset := repo.model(model).data.dataset) not in repo.datasets():
        return Looked(model, problems=(without_contract(context, dataset),))
    services = tuple(_served_by(context, model))
    contract, raised, notes = features_contract(context, model, services)
    waits = waits_for_data(repo, model)
    if waits and context.before.tree.read(pin_path(dataset)) is None:
        return Looked(model, problems=raised, contract=contract, waits=waits)
    registered = registered_now(repo, model)
    rival = _rival(context, model, environment)
    found = outcome_of(
        repo,
        repo,
        registered,
        environment,
        rival.champion,
        services=services,
        compared=not rival.absent,
    )
    measured = ModelResult(
        evidence=found.measured.evidence,
        environment=environment,
        champion=rival.pinned,
        comparisons=found.comparisons,
        paired=paired_metrics(repo.model(model), found.rows, found.pair),
        gates=found.gates,
        services=found.services,
        plots=_plots(context, found),
        notes=(*rival.notes, *notes),
    )
    return Looked(model, measured, (*raised, *found.unmet), rival.absent, contract)


def _rival(context: Context, model: str, environment: str) -> Rival:
    """What serves the model by the files before the change: what users have now."""
    from mlops.environments.champion import as_champion
    from mlops.training.champion import Champion, release_with
    from mlops.training.reproduced import scorer_of_release

    pinned, last = None, context.repo.order[-1]
    away = () if environment == last else (_NO_LAST.format(last=last, other=environment),)
    try:
        before = context.before_below(f"environments/{environment}")
        release = release_with(before, model, environment, _served_by(context, model))
        pinned = as_champion(release)
        if release is None:
            return Rival(environment, notes=away)
        scorer = scorer_of_release(context.repo, release, model)
    except MlopsError as error:
        absent = tuple(
            _askable(Problem(one.path, f"comparison not evaluated: {one.what}", one.fix))
            for one in error.problems
        )
        return Rival(environment, pinned, absent=absent, notes=away)
    notes = (*away, *_lost(context, release, model))
    return Rival(environment, pinned, Champion(environment, release, scorer), notes=notes)


_NO_LAST = "{last} is not there before this change, so it is held against {other}"


def _lost(context: Context, release: Release, model: str) -> tuple[str, ...]:
    """What of a champion that serves is not where it was put, though it could be compared."""
    from mlops import bento
    from mlops.registry import Registry

    named, registry = f"release {release.release} of {release.service}", Registry.of(context.repo)
    pin = next(pin for pin in release.models if pin.name == model)
    folder = bento.folder(context.repo, release.service, release.bento)
    note = ""
    if not (folder / "bento.yaml").is_file():
        source = release.source.commit[:12]
        note = f"the bento of {named} is not in the stores here, its model was opened from the "
        note += f"registry or trained again from commit {source}, with the digest that is pinned"
    elif registry.find(model, digest=pin.digest) is None:
        note = f"{named} serves, but version {pin.version} of its model is gone from the registry, "
        note += "it was opened from the bento"
    return (note,) if note else ()


def _askable(problem: Problem) -> Problem:
    """A problem of what is not here, with the way that a pull request from a fork has."""
    fix = f"{problem.fix}; or {ASK}" if problem.fix else ASK
    return Problem(problem.path, problem.what, fix)


def _plots(context: Context, found: "Found") -> tuple[Plot, ...]:
    if context.out is None:
        return ()
    from mlops.checks.plots import plots

    return plots(context.repo.model(found.registered.model), found, context.out)


def _served_by(context: Context, model: str) -> list[str]:
    """Services that serve a model of the change; the change reaches each of them."""
    return [name for name in context.affected.services if _serves(context.repo, name, model)]


def _serves(layout: Layout, service: str, model: str) -> bool:
    try:
        return model in layout.service(service).models
    except MlopsError:
        return False  # its own check tells what is wrong with it


def _removed(context: Context, model: str) -> list[Problem]:
    """Why a model that the change takes away has to stay."""
    from mlops.training.champion import release_with

    repo, problems = context.repo, []
    for environment in reversed(repo.order):  # where most users are first
        release = release_with(repo, model, environment)
        if release is None:
            continue
        held = release_path(environment, release.service)
        what = f"is removed, but {environment} serves it in release {release.release} ({held})"
        folder = folder_of(environment, release.service)
        fix = f"promote a release without it first, or remove {folder} first"
        problems.append(Problem(f"models/{model}", what, fix))
    what, fix = f"names {model}, which is removed", "take it out of `models` in the same change"
    problems += [
        Problem(f"apps/{service}/service.yaml", what, fix) for service in _served_by(context, model)
    ]
    return problems
