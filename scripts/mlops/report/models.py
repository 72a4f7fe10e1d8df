"""Models of a change against what serves, the worst first."""

import math
from collections.abc import Sequence

from mlops.environments.differences import figure, is_better
from mlops.environments.markdown import cell, folded, items, more, table, words
from mlops.report.sections import absolute, compared, mark, signed
from mlops.specs.decision import Comparison
from mlops.specs.evidence import ModelEvidence
from mlops.specs.result import ModelResult, PairedMetric


def loss(comparison: Comparison) -> float:
    """By which part of the champion's value the challenger is worse; below 0 it is better."""
    one = comparison
    part = abs(one.difference) / abs(one.champion_value) if one.champion_value else math.inf
    if not one.difference or math.isnan(part):
        return 0.0
    better = is_better(one.metric, one.champion_value, one.champion_value + one.difference)
    return -part if better else part


def worst_first(models: Sequence[ModelResult]) -> tuple[ModelResult, ...]:
    """Failed gates first, then by the largest loss against the champion, then by name."""

    def key(model: ModelResult) -> tuple[int, float, str]:
        failed = sum(not gate.passed for gate in model.gates)
        losses = [loss(one) for one in model.comparisons]
        return -failed, -max(losses, default=0.0), model.evidence.model

    return tuple(sorted(models, key=key))


OPEN = 20
"""Rows of the table that are not folded."""


def model_table(models: Sequence[ModelResult], most: int) -> list[str]:
    """Each model's metrics against the champion; at most so many rows, whole models only."""
    if not models:
        return []
    shown, rows = _whole(models, min(most, OPEN))
    folds, more_rows = _whole(models[len(shown) :], most - len(rows))
    lines = _compared(shown, rows)
    alone = [one.evidence for one in shown if not one.comparisons]
    names = [f"`{one.model}`" for one in alone]
    measured = [*absolute(alone, OPEN), ""] if alone else []
    not_compared = [f"Not compared: {', '.join(names[:10])}.", "", *measured] if names else []
    count = len(shown) + len(folds)
    return [
        *(_heading(models), "", *not_compared, *lines),
        *_folded(folds, more_rows),
        *_left_out(models, count),
        *_notes(models[:count], most),
        *_served_by(models[:count]),
    ]


def _heading(models: Sequence[ModelResult]) -> str:
    places = ", ".join(sorted({model.environment for model in models})[:5])
    if any(model.champion for model in models):
        return f"## Models against what serves in {places}"
    return f"## Models (nothing serves them in {places} yet)"


def _compared(models: Sequence[ModelResult], rows: Sequence[Comparison]) -> list[str]:
    now = "serves now" if any(model.champion for model in models) else "baseline"
    return compared(rows, now, "with this change", len(rows), marked=now != "baseline")


def _notes(models: Sequence[ModelResult], most: int) -> list[str]:
    """What a reader has to know of the champions."""
    told = [
        f"`{model.evidence.model}`: {words(note)}" for model in models for note in model.notes[:5]
    ]
    return ["", *items(told[:most], most=most), *more(len(told) - most)] if told else []


def _folded(models: Sequence[ModelResult], rows: Sequence[Comparison]) -> list[str]:
    if not rows:
        return []
    lines = _compared(models, rows)
    return ["", *folded(f"The next {len(models):,} models", lines)]


def _whole(
    models: Sequence[ModelResult], most: int
) -> tuple[Sequence[ModelResult], list[Comparison]]:
    rows: list[Comparison] = []
    for count, model in enumerate(models):
        if len(rows) + max(1, len(model.comparisons)) > most:
            return models[:count], rows
        rows += sorted(model.comparisons, key=lambda one: one.passed)
    return models, rows


def _left_out(models: Sequence[ModelResult], shown: int) -> list[str]:
    left_out = models[shown:]
    if not left_out:
        return []
    failed = sum(any(not gate.passed for gate in model.gates) for model in left_out)
    told = f"{failed:,} of them with failed gates" if failed else "none of them with a failed gate"
    worst = ", the worst are above" if shown else ""
    return ["", f"{len(left_out):,} more of {len(models):,} models{worst}; {told}."]


def _served_by(models: Sequence[ModelResult]) -> list[str]:
    services = sorted({service for model in models for service in model.services})
    if not services:
        return []
    names = ", ".join(f"`{name}`" for name in services[:10])
    left_out = f" and {len(services) - 10:,} more" if len(services) > 10 else ""
    return ["", f"Served by {names}{left_out}."]


def all_paired(models: Sequence[ModelResult], most: int) -> list[str]:
    """Every metric, and the deciding one on each slice, against what serves; folded."""
    found = [(model, one) for model in models for one in model.paired]
    if not found:
        return []
    now = "serves now" if any(model.champion for model in models) else "baseline"
    head = ("model", "rows", "metric", now, "with this change", "difference", "interval")
    rows = [_paired_row(model, one, marked=now != "baseline") for model, one in found[:most]]
    lines = [*table(head, rows, most=most), *more(len(found) - len(rows))]
    return folded(f"All metrics and slices ({len(found):,})", lines)


def _paired_row(model: ModelResult, one: PairedMetric, *, marked: bool) -> tuple[str, ...]:
    part = f"{one.column} = {one.value}" if one.column else "all"
    other = " (baseline)" if marked and model.champion is None else ""
    return (
        f"`{model.evidence.model}`",
        f"{cell(part)} ({one.rows:,})",
        cell(one.metric),
        figure(one.champion_value) + other,
        figure(one.challenger_value),
        signed(one.difference),
        f"{signed(one.low)} to {signed(one.high)} ({model.evidence.confidence:.0%})",
    )


def all_metrics(models: Sequence[ModelEvidence], most: int) -> list[str]:
    """Every metric of each model with its interval, folded."""
    count = sum(len(model.metrics) for model in models)
    if not count:
        return []
    title = f"All metrics of the models of this change ({count:,})"
    return folded(title, absolute(models[:most], most))


def model_gates(models: Sequence[ModelResult], most: int) -> list[str]:
    """All gates, folded."""
    found = [(model, gate) for model in models for gate in model.gates]
    if not found:
        return []
    rows = [
        (
            mark(gate.passed),
            f"`{model.evidence.model}`",
            cell(gate.gate),
            cell(gate.detail, longest=240),
        )
        for model, gate in found[:most]
    ]
    lines = table(("", "model", "gate", "found"), rows, most=most)
    passed = sum(gate.passed for _, gate in found)
    left_out = more(len(found) - len(rows))
    return folded(f"All gates ({passed:,} of {len(found):,} passed)", [*lines, *left_out])
