"""Evaluation: what a registered model does on rows it has not seen, kept by content."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops import digests
from mlops.data.drift import drift
from mlops.data.pin import read_pin
from mlops.errors import not_good
from mlops.files import read_whole, write_whole
from mlops.registry import Registered, Registry
from mlops.repository import Layout, Repository
from mlops.scoring.scorer import Scorer
from mlops.sources import EVALUATION_CODE, tool_code
from mlops.specs.decision import Comparison
from mlops.specs.evidence import Interval, ModelEvidence, SliceMetrics
from mlops.specs.model import METRICS, Model
from mlops.training import baseline, gates
from mlops.training.bootstrap import draws, interval
from mlops.training.comparison import compare, slices_of
from mlops.training.holdout import Split, split
from mlops.training.latency import one_row_ms
from mlops.training.metrics import Floats, value, values
from mlops.training.rows import hold, moment, records, targets
from mlops.training.training import features_of

if TYPE_CHECKING:
    from pandas import DataFrame

LATENCY = "latency"
"""Name of that gate."""


@dataclass(frozen=True)
class Measured:
    """Evidence, and what belongs to the machine it was measured on (milliseconds)."""

    evidence: ModelEvidence
    latency_ms: float

    @property
    def is_fast(self) -> bool:
        """Whether the gate on latency is met, the one that is the machine's matter too."""
        return all(gate.passed for gate in self.evidence.gates if gate.gate == LATENCY)


def evaluate(repo: Repository, layout: Layout, registered: Registered) -> ModelEvidence:
    """What a model does on the holdout of the rows a tree pins; the same anywhere.

    Raises:
        BadInput: when the model, its features.py or the data are not the ones named.
        NotGood: when the model was trained on rows of the holdout.
    """
    return measure(repo, layout, registered).evidence


def evaluate_candidate(
    repo: Repository, layout: Layout, registered: Registered, champion: Scorer | None
) -> tuple[ModelEvidence, tuple[Comparison, ...]]:
    """Evidence and the comparison with the champion (None: with the stated baseline)."""
    found = measure(repo, layout, registered)
    scorer = scorer_of(repo, layout, registered)
    spec = layout.model(registered.model)
    return found.evidence, compare(spec, split(repo, layout, registered.model), scorer, champion)


def measure(repo: Repository, layout: Layout, registered: Registered) -> Measured:
    """Like `evaluate`, with the latency; taken from the store when it was measured before."""
    kept = _kept_in(repo, layout, registered)
    if kept.is_file():
        return _read(kept)
    spec = layout.model(registered.model)
    scorer = scorer_of(repo, layout, registered)
    found = measure_rows(spec, split(repo, layout, registered.model), scorer, registered.inputs)
    registry = Registry.of(repo)
    registry.log(registered, _figures(found))
    if found.is_fast:  # too slow may be a busy machine: that is measured again, not remembered
        write_whole(kept, _text(found))
    # Asked again while MLflow is loaded: the commands that follow need not load it.
    registry.find(registered.model, inputs=registered.inputs)
    return found


def scorer_of(repo: Repository, layout: Layout, registered: Registered) -> Scorer:
    """A registered model with a tree's feature code.

    Raises:
        BadInput: when the artifact's content is not what was registered, or the model was
            trained with other feature code.
    """
    folder = Registry.of(repo).fetch(registered)
    return Scorer.of(features_of(layout, registered.model), folder, registered.digest)


def measure_rows(spec: Model, rows: Split, scorer: Scorer, inputs: str) -> Measured:
    """Measure an opened model on a split.

    Raises:
        NotGood: when it was trained on rows of the holdout, or features of the holdout break the
            contract that it was trained by.
    """
    _refuse_seen(spec, rows, scorer)
    asked = records(rows.holdout, scorer.features)
    if scorer.limits is not None:
        hold(scorer.limits, scorer.matrix(asked), spec.model, "the rows to evaluate on")
    y, p = targets(rows.holdout, spec.data.target), scorer.score(asked)
    latency_ms = one_row_ms(scorer, asked[0])
    metrics = _intervals(spec, rows, y, p)
    moments = rows.holdout[spec.data.time]
    evidence = ModelEvidence(
        model=spec.model,
        digest=scorer.digest or "",
        inputs=inputs,
        measured_on=rows.digest,
        rows=len(rows.holdout),
        first=moment(moments.min()),
        last=moment(moments.max()),
        confidence=spec.evaluation.confidence,
        metrics=metrics,
        baseline=values(spec.task, y, baseline.predictions(spec, rows)),
        slices=_slices(spec, rows.holdout, y, p),
        drift=drift(rows.train, rows.holdout, tuple(scorer.features.record.model_fields)),
        gates=(
            *gates.absolute(spec, metrics),
            *gates.by_slice(spec, rows.holdout, p),
            *gates.cost(spec.gates.cost, scorer.size, latency_ms),
        ),
    )
    return Measured(evidence, latency_ms)


def _refuse_seen(spec: Model, rows: Split, scorer: Scorer) -> None:
    start = moment(rows.holdout[spec.data.time].min())
    until = scorer.card.trained_until
    if until is not None and until >= start:
        raise not_good(
            f"models/{spec.model}",
            f"the model was trained on rows up to {until}, the holdout starts at {start}",
            "evaluate it on later data, or train on the data pinned here",
        )


def _intervals(spec: Model, rows: Split, y: Floats, p: Floats) -> dict[str, Interval]:
    drawn = draws(spec.evaluation, rows.holdout, rows.digest)
    defined = [metric for metric in METRICS[spec.task] if np.isfinite(value(metric, y, p))]
    return {metric: interval(metric, y, p, drawn) for metric in defined}


def _slices(spec: Model, rows: "DataFrame", y: Floats, p: Floats) -> tuple[SliceMetrics, ...]:
    return tuple(
        SliceMetrics(
            column=column,
            value=group,
            rows=len(index),
            metrics=values(spec.task, y[index], p[index]),
        )
        for column, group, index in slices_of(spec, rows)
    )


def _kept_in(repo: Repository, layout: Layout, registered: Registered) -> Path:
    """Where an evaluation is kept: named by all that decides it."""
    spec = layout.model(registered.model)
    decisive = {"task", "data", "baseline", "evaluation", "gates"}
    key = digests.of_json(
        {
            "spec": spec.model_dump(mode="json", include=decisive),
            "data": read_pin(layout, spec.data.dataset).digest,
            "features": features_of(layout, registered.model).digest,
            "inputs": registered.inputs,
            "tool": digests.of_files(tool_code(EVALUATION_CODE)),
        }
    )
    model = registered.digest.removeprefix(digests.PREFIX)
    return repo.stores / "evaluations" / f"{model}-{digests.short(key)}.json"


def _text(found: Measured) -> str:
    body = {"evidence": found.evidence.model_dump(mode="json"), "latency_ms": found.latency_ms}
    return json.dumps(body)


def _read(file: Path) -> Measured:
    body: Any = json.loads(read_whole(file))
    evidence = ModelEvidence.model_validate_json(json.dumps(body["evidence"]))
    return Measured(evidence, body["latency_ms"])


def _figures(found: Measured) -> dict[str, float]:
    metrics = {f"holdout_{name}": one.value for name, one in found.evidence.metrics.items()}
    return {**metrics, "latency_p99_ms": found.latency_ms}
