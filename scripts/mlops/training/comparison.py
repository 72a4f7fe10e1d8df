"""A challenger against the champion on one frozen set of rows, by paired bootstrap."""

from dataclasses import dataclass

import numpy as np

from mlops.errors import bad_input
from mlops.scoring.scorer import Scorer
from mlops.specs.decision import Comparison
from mlops.specs.model import Model, RelativeGate
from mlops.training import baseline
from mlops.training.bootstrap import Draws, difference, draws
from mlops.training.holdout import Split
from mlops.training.metrics import HIGHER_IS_BETTER, Floats, rounded, value
from mlops.training.rows import records, targets


@dataclass(frozen=True)
class Pair:
    """Two models (by digest, or `baseline`) and their predictions for the same targets."""

    model: str
    challenger: str
    champion: str
    measured_on: str
    y: Floats
    p: Floats
    other: Floats


def compare(
    spec: Model, holdout: Split, challenger: Scorer, champion: Scorer | None
) -> tuple[Comparison, ...]:
    """One comparison for each relative gate.

    Args:
        spec: the model's spec; its relative gates name the metrics.
        holdout: the frozen set, and the rows before it that the baseline is made from.
        challenger: what wants to serve.
        champion: what serves; None compares with the stated baseline.

    Raises:
        BadInput: when a scorer's Record does not fit the rows.
    """
    y = targets(holdout.holdout, spec.data.target)
    p = predicted(challenger, holdout)
    if champion is None:
        other, name = baseline.predictions(spec, holdout), "baseline"
    else:
        other, name = predicted(champion, holdout), _named(champion)
    pair = Pair(spec.model, _named(challenger), name, holdout.digest, y, p, other)
    drawn = draws(spec.evaluation, holdout.holdout, holdout.digest)
    return tuple(_compared(gate, pair, drawn) for gate in spec.gates.relative)


def predicted(scorer: Scorer, split: Split) -> Floats:
    """Predictions for the holdout, shape (rows,)."""
    return scorer.score(records(split.holdout, scorer.features))


def _named(scorer: Scorer) -> str:
    if scorer.digest is None:
        raise ValueError("only a model opened by its digest can be compared")
    return scorer.digest


def _compared(gate: RelativeGate, pair: Pair, drawn: Draws) -> Comparison:
    metric = gate.metric
    own, others = value(metric, pair.y, pair.p), value(metric, pair.y, pair.other)
    if not np.isfinite(own):
        raise bad_input(
            f"models/{pair.model}/model.yaml",
            f"the relative gate on {metric} cannot be measured, {metric} is undefined on the "
            f"{len(pair.y)} rows of the holdout",
            "raise `data.holdout_days`",
        )
    found = difference(metric, pair.y, pair.p, pair.other, drawn)
    worst = -found.low if metric in HIGHER_IS_BETTER else found.high
    return Comparison(
        model=pair.model,
        challenger=pair.challenger,
        champion=pair.champion,
        measured_on=pair.measured_on,
        rows=len(pair.y),
        metric=metric,
        challenger_value=rounded(own),
        champion_value=rounded(others),
        difference=found.value,
        low=found.low,
        high=found.high,
        confidence=drawn.confidence,
        passed=worst <= gate.max_worse * abs(others),
    )
