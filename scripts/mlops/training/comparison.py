"""A challenger against the champion on one frozen set of rows, by paired bootstrap."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlops.errors import bad_input
from mlops.scoring.scorer import Scorer
from mlops.specs.decision import Comparison
from mlops.specs.model import METRICS, Model, RelativeGate
from mlops.specs.result import PairedMetric
from mlops.training import baseline
from mlops.training.bootstrap import Draws, difference, draws
from mlops.training.holdout import Split
from mlops.training.metrics import HIGHER_IS_BETTER, Floats, rounded, value
from mlops.training.rows import records, targets

if TYPE_CHECKING:
    from pandas import DataFrame


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
    return comparisons_of(spec, holdout, pair_of(spec, holdout, challenger, champion))


def pair_of(spec: Model, holdout: Split, challenger: Scorer, champion: Scorer | None) -> Pair:
    """Both models' predictions; arguments and errors as of `compare`."""
    y = targets(holdout.holdout, spec.data.target)
    p = _predicted(challenger, holdout)
    if champion is None:
        other, name = baseline.predictions(spec, holdout), "baseline"
    else:
        other, name = _predicted(champion, holdout), _named(champion)
    return Pair(spec.model, _named(challenger), name, holdout.digest, y, p, other)


def comparisons_of(spec: Model, holdout: Split, pair: Pair) -> tuple[Comparison, ...]:
    """One comparison for each relative gate, of predictions for the holdout."""
    drawn = draws(spec.evaluation, holdout.holdout, holdout.digest)
    return tuple(_compared(gate, pair, drawn) for gate in spec.gates.relative)


def deciding_metric(spec: Model) -> str:
    """That of the first relative gate, else the first of the task."""
    gates = spec.gates.relative
    return gates[0].metric if gates else METRICS[spec.task][0]


SLICES = 50
"""Slices that are compared; each takes a bootstrap of its own."""
Slice = tuple[str, str, NDArray[np.int64]]
"""Column, value, and places of its rows in the holdout; no column: all rows."""


def slices_of(spec: Model, rows: "DataFrame") -> Iterator[Slice]:
    """The slices that the spec declares."""
    for column in spec.evaluation.slices:
        places = rows.groupby(column, observed=True).indices
        for group, index in sorted(places.items(), key=lambda item: str(item[0])):
            yield column, str(group), np.asarray(index, dtype=np.int64)


def paired_metrics(spec: Model, holdout: Split, pair: Pair) -> tuple[PairedMetric, ...]:
    """Every metric of both models on all rows, and the deciding one on each of the largest slices.

    A metric that is undefined on such rows is left out.
    """
    every: Slice = ("", "", np.arange(len(pair.y)))
    asked = [(every, metric) for metric in METRICS[spec.task]]
    parts = sorted(slices_of(spec, holdout.holdout), key=lambda part: -len(part[2]))
    asked += [(part, deciding_metric(spec)) for part in parts[:SLICES]]
    found = (_paired(spec, holdout, pair, part, metric) for part, metric in asked)
    return tuple(one for one in found if one is not None)


def _paired(
    spec: Model, holdout: Split, pair: Pair, part: Slice, metric: str
) -> PairedMetric | None:
    column, group, index = part
    y, p, other = pair.y[index], pair.p[index], pair.other[index]
    own, others = value(metric, y, p), value(metric, y, other)
    if not (np.isfinite(own) and np.isfinite(others)):
        return None
    drawn = draws(spec.evaluation, holdout.holdout.iloc[index], holdout.digest)
    found = difference(metric, y, p, other, drawn)
    return PairedMetric(
        column=column,
        value=group,
        rows=len(index),
        metric=metric,
        champion_value=rounded(others),
        challenger_value=rounded(own),
        difference=found.value,
        low=found.low,
        high=found.high,
    )


def _predicted(scorer: Scorer, split: Split) -> Floats:
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
