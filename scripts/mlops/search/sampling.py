"""Which parameters are tried next: Optuna's TPE, from what was tried before.

Bergstra et al., Algorithms for Hyper-Parameter Optimization (2011); the first ten are drawn at
random.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlops.search.trials import Trial
from mlops.specs.search import Choice, Continuous, Range, Search, Value, Whole
from mlops.training.metrics import HIGHER_IS_BETTER, rounded

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def suggested(search: Search, number: int, before: Sequence[Trial]) -> dict[str, Value]:
    """The parameters of a try; the same number after the same tries gives the same.

    Args:
        search: the space, its metric and its seed.
        number: of the try, from 0.
        before: tries whose values are known.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {name: _distribution(one) for name, one in search.space.items()}
    higher = search.metric in HIGHER_IS_BETTER
    # A sampler for each number: what a killed run drew before does not decide what comes next.
    study = optuna.create_study(
        direction="maximize" if higher else "minimize",
        sampler=optuna.samplers.TPESampler(seed=_seed(search.seed, number)),
    )
    study.add_trials(
        [
            optuna.trial.create_trial(params=dict(one.params), distributions=space, value=one.value)
            for one in before
        ]
    )
    found: Mapping[str, Value] = study.ask(space).params
    return {name: _plain(search.space[name], value) for name, value in found.items()}


def _distribution(one: Range) -> "BaseDistribution":
    from optuna import distributions

    match one:
        case Whole():
            return distributions.IntDistribution(one.min, one.max, log=one.log, step=one.step)
        case Continuous():
            return distributions.FloatDistribution(one.min, one.max, log=one.log, step=one.step)
        case Choice():
            return distributions.CategoricalDistribution(one.of)


def _plain(one: Range, value: Value) -> Value:
    """A value as a person would write it: what is tried is what model.yaml gets."""
    if not isinstance(one, Continuous):
        return value
    return min(max(rounded(float(value)), one.min), one.max)


def _seed(seed: int, number: int) -> int:
    drawn = hashlib.sha256(f"{seed}/{number}".encode()).digest()
    return int.from_bytes(drawn[:4], "big")
