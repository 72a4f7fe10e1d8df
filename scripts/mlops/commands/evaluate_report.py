"""What `mlops evaluate` shows."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from mlops import digests
from mlops.specs.evidence import Drift, GateResult, ModelEvidence
from mlops.training.champion import Champion
from mlops.training.months import Month
from mlops.training.outcome import Outcome

DRIFTED = 3
"""How many of the columns that drifted most are named."""


def as_json(outcome: Outcome) -> dict[str, Any]:
    """For machines."""
    champion = outcome.champion
    return {
        "version": outcome.registered.version,
        "evidence": outcome.measured.evidence.model_dump(mode="json"),
        "latency_ms": round(outcome.measured.latency_ms, 4),
        "against": {
            "environment": outcome.environment,
            "release": champion.release.release if champion else None,
        },
        "comparisons": [one.model_dump(mode="json") for one in outcome.comparisons],
        "gates": [one.model_dump(mode="json") for one in outcome.gates],
        "passed": all(one.passed for one in outcome.gates),
    }


def show(outcome: Outcome) -> None:
    """For people: metrics, slices, comparison, drift, gates, and what to do next."""
    evidence, console = outcome.measured.evidence, Console(highlight=False)
    console.print(
        f"{evidence.model} version {outcome.registered.version} "
        f"({digests.short(evidence.digest)}) on {evidence.rows} rows it has not seen, "
        f"{evidence.first} to {evidence.last}",
        soft_wrap=True,
    )
    console.print(_metrics(evidence))
    if evidence.slices:
        console.print(_slices(evidence))
    if outcome.comparisons:
        console.print(_against(outcome), soft_wrap=True)
        console.print(_comparisons(outcome))
    console.print(f"Drift from the training rows: {drifted(evidence.drift)}")
    latency = f"{outcome.measured.latency_ms:.3f} ms"
    console.print(f"One-row call: {latency} of the processor at the 99th percentile")
    console.print(_gates(outcome.gates))
    if all(one.passed for one in outcome.gates):
        builds = " or ".join(f"mlops release {name}" for name in outcome.services)
        console.print(f"All gates are met. Next: {builds or 'a service that serves it'}")


def _metrics(evidence: ModelEvidence) -> Table:
    table = _table("Metric", "Value", f"{evidence.confidence:.0%} interval", "Baseline")
    for name, one in evidence.metrics.items():
        base = evidence.baseline.get(name)
        ends = f"{one.low:.4g} to {one.high:.4g}"
        table.add_row(name, f"{one.value:.4g}", ends, "-" if base is None else f"{base:.4g}")
    return table


def _slices(evidence: ModelEvidence) -> Table:
    names = list(evidence.metrics)
    table = _table("Slice", "Rows", *names)
    for one in evidence.slices:
        figures = [f"{one.metrics[name]:.4g}" if name in one.metrics else "-" for name in names]
        table.add_row(f"{one.column} = {one.value}", str(one.rows), *figures)
    return table


def _against(outcome: Outcome) -> str:
    champion, environment = outcome.champion, outcome.environment
    if champion is None:
        model = outcome.registered.model
        return f"Against the stated baseline, because {environment} serves no {model} yet"
    seen = _seen(outcome)
    favoured = f"; it was trained on rows up to {seen}, which favours it" if seen else ""
    return f"Against release {champion.release.release}, which {environment} serves{favoured}"


def _seen(outcome: Outcome) -> str | None:
    """Until when the champion was trained, if that is later than the first evaluated row."""
    until = outcome.champion.scorer.card.trained_until if outcome.champion else None
    return until if until and until >= outcome.measured.evidence.first else None


def _comparisons(outcome: Outcome) -> Table:
    other = "Champion" if outcome.champion else "Baseline"
    table = _table("Metric", "Candidate", other, "Difference", "Interval")
    for one in outcome.comparisons:
        table.add_row(
            one.metric,
            f"{one.challenger_value:.4g}",
            f"{one.champion_value:.4g}",
            f"{one.difference:+.4g}",
            f"{one.low:+.4g} to {one.high:+.4g}",
        )
    return table


def _gates(results: tuple[GateResult, ...]) -> Table:
    table = _table("Gate", "Met", "What was found")
    for one in results:
        table.add_row(one.gate, "yes" if one.passed else "[bold red]NO[/]", one.detail)
    return table


def show_months(model: str, champion: Champion, months: Sequence[Month]) -> None:
    """Month by month: how a serving model does, and how far the rows are from its own."""
    console = Console(highlight=False)
    card = champion.scorer.card
    console.print(
        f"{model} as release {champion.release.release} serves it in {champion.environment} "
        f"({digests.short(champion.scorer.digest or '')}), trained on rows from "
        f"{card.trained_from} to {card.trained_until}",
        soft_wrap=True,
    )
    names = list(months[0].metrics) if months else []
    table = _table("Month", "Rows", "Trained on", *names, "Drifted most (distance, 0 to 1)")
    for one in months:
        figures = [f"{one.metrics[name]:.4g}" if name in one.metrics else "-" for name in names]
        share = f"{one.trained_on / one.rows:.0%}" if one.trained_on else "no"
        table.add_row(one.month, str(one.rows), share, *figures, drifted(one.drift))
    console.print(table)


def drifted(drift: Sequence[Drift]) -> str:
    """The columns that drifted most, in words."""
    most = sorted(drift, key=lambda one: (-one.statistic, one.column))[:DRIFTED]
    return ", ".join(f"{one.column} {one.statistic:.2f}" for one in most) or "-"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
