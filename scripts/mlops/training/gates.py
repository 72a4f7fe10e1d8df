"""Gates: what was asked, what was measured, in words; a gate that measured nothing is not met."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlops.specs.decision import Comparison
from mlops.specs.evidence import GateResult, Interval
from mlops.specs.model import Bound, CostGate, Model, SliceGate
from mlops.training.metrics import HIGHER_IS_BETTER, Floats, value
from mlops.training.rows import targets

if TYPE_CHECKING:
    from pandas import DataFrame

MB = 1_000_000


def absolute(spec: Model, metrics: Mapping[str, Interval]) -> tuple[GateResult, ...]:
    """Each absolute gate, on the metric's value."""
    return tuple(_absolute(gate, metrics.get(gate.metric)) for gate in spec.gates.absolute)


def _absolute(gate: Bound, found: Interval | None) -> GateResult:
    if found is None:
        return _undefined(f"absolute {gate.metric}", gate)
    return GateResult(
        gate=f"absolute {gate.metric}",
        passed=inside(gate, found.value),
        detail=f"{gate.metric} is {found.value:.4g} ({found.low:.4g} to {found.high:.4g}), "
        f"{asked(gate)} is asked",
    )


def by_slice(spec: Model, rows: "DataFrame", predictions: Floats) -> tuple[GateResult, ...]:
    """Each slice gate, on its worst group."""
    return tuple(_slice(gate, spec, rows, predictions) for gate in spec.gates.slices)


def _slice(gate: SliceGate, spec: Model, rows: "DataFrame", predictions: Floats) -> GateResult:
    name = f"slice {gate.column} {gate.metric}"
    y = targets(rows, spec.data.target)
    places = rows.groupby(gate.column, observed=True).indices
    found = {
        str(group): value(gate.metric, y[index], predictions[index])
        for group, index in sorted(places.items(), key=lambda item: str(item[0]))
        if len(index) >= gate.min_rows
    }
    if not found:
        what = f"no group of {gate.column} has {gate.min_rows} rows"
        return GateResult(gate=name, passed=False, detail=f"{what}, {asked(gate)} is asked")
    broken = {group: number for group, number in found.items() if not inside(gate, number)}
    shown = ", ".join(f"{group}: {number:.4g}" for group, number in (broken or found).items())
    return GateResult(
        gate=name,
        passed=not broken,
        detail=f"{gate.metric} by {gate.column} is {shown}, {asked(gate)} is asked of each",
    )


def relative(spec: Model, comparisons: tuple[Comparison, ...]) -> tuple[GateResult, ...]:
    """Each relative gate, on the bad end of the interval of the difference."""
    allowed = {gate.metric: gate.max_worse for gate in spec.gates.relative}
    return tuple(_relative(one, allowed[one.metric]) for one in comparisons)


def _relative(found: Comparison, max_worse: float) -> GateResult:
    against = "the baseline" if found.champion == "baseline" else "the champion"
    end, worst = ("low", found.low) if found.metric in HIGHER_IS_BETTER else ("high", found.high)
    return GateResult(
        gate=f"relative {found.metric}",
        passed=found.passed,
        detail=f"{found.metric} is {found.challenger_value:.4g}, {against}'s "
        f"{found.champion_value:.4g}; the difference's {end} end is {worst:+.4g}, "
        f"at most {max_worse:.0%} worse is asked",
    )


def cost(gate: CostGate, size: int, latency_ms: float) -> tuple[GateResult, ...]:
    """Size (bytes) and latency; the latter's detail holds the bound only, so that it is the
    same on every machine that keeps it."""
    kept = latency_ms <= gate.latency_ms
    return (
        GateResult(
            gate="size",
            passed=size <= gate.size_mb * MB,
            detail=f"the artifact has {size / MB:.3f} MB, at most {gate.size_mb:g} is asked",
        ),
        GateResult(
            gate="latency",
            passed=kept,
            detail=f"99th percentile of one-row calls is {'within' if kept else 'above'} "
            f"{gate.latency_ms:g} ms",
        ),
    )


def inside(bound: Bound, number: float) -> bool:
    """Whether a number lies in the bound; what is not a number does not."""
    above = bound.min is None or number >= bound.min
    below = bound.max is None or number <= bound.max
    return bool(number == number and above and below)  # noqa: PLR0124 - NaN differs from itself


def asked(bound: Bound) -> str:
    """The bound in words."""
    if bound.min is None:
        return f"at most {bound.max:g}"
    if bound.max is None:
        return f"at least {bound.min:g}"
    return f"{bound.min:g} to {bound.max:g}"


def _undefined(name: str, gate: Bound) -> GateResult:
    detail = f"{gate.metric} is undefined on these rows, {asked(gate)} is asked"
    return GateResult(gate=name, passed=False, detail=detail)
