"""Sections that the report of a pull request and the text of a promotion have in common.

Each gives the lines of a section with at most `most` entries; an empty list where there is
nothing to tell.
"""

from collections.abc import Sequence

from mlops.digests import short
from mlops.environments.differences import figure, is_better
from mlops.environments.markdown import cell, code, fenced, folded, more, table, words
from mlops.specs.decision import Comparison
from mlops.specs.evidence import GateResult, Interval, ModelEvidence
from mlops.specs.result import Fact


def word_of(comparison: Comparison) -> str:
    """`better` or `worse` when the whole interval says so, else `no clear difference`."""
    if comparison.low <= 0 <= comparison.high:
        return "no clear difference"
    one = comparison
    better = is_better(one.metric, one.champion_value, one.champion_value + one.difference)
    return "better" if better else "worse"


def in_words(comparison: Comparison, where: str = "") -> str:
    """One comparison as the end of a sentence; `where` such as ` in prod`."""
    baseline = comparison.champion == "baseline"
    against = "the stated baseline" if baseline else f"what serves{where} now"
    metric, difference = code(comparison.metric), comparison.difference
    if not difference:
        return f"`{comparison.model}` has the same {metric} as {against}"
    change = "lower" if difference < 0 else "higher"
    if comparison.champion_value:
        change = f"{abs(100 * difference / comparison.champion_value):,.1f} % {change}"
    return f"`{comparison.model}` is {change} in {metric} than {against} ({word_of(comparison)})"


def compared(
    found: Sequence[Comparison],
    champion: str,
    challenger: str,
    most: int = 30,
    *,
    marked: bool = True,
) -> list[str]:
    """A table of comparisons and the rows they were measured on.

    Args:
        found: in the order they are shown.
        champion: heading of the champion's column.
        challenger: heading of the challenger's column.
        most: rows.
        marked: say in the champion's column where it is the baseline.
    """
    if not found:
        return []
    head = ("model", "metric", champion, challenger, "difference", "interval", "verdict", "gate")
    rows = [
        (
            f"`{one.model}`",
            cell(one.metric),
            figure(one.champion_value)
            + (" (baseline)" if marked and one.champion == "baseline" else ""),
            figure(one.challenger_value),
            signed(one.difference),
            f"{signed(one.low)} to {signed(one.high)} ({one.confidence:.0%})",
            word_of(one),
            mark(one.passed),
        )
        for one in found
    ]
    return [*table(head, rows, most=most), "", _frozen_rows(found)]


def _frozen_rows(found: Sequence[Comparison]) -> str:
    measured = sorted({(one.measured_on, one.rows) for one in found})
    if len(measured) > 3:
        return f"Each pair measured anew on the same frozen rows ({len(measured):,} sets)."
    sets = ", ".join(f"{rows:,} rows (`{short(digest)}`)" for digest, rows in measured)
    return f"Both measured anew on the same frozen rows: {sets}."


def absolute(models: Sequence[ModelEvidence], most: int = 30) -> list[str]:
    """A table of each model's metrics with their intervals."""
    head = ("model", "metric", "value", "interval", "baseline")
    rows = [
        (
            f"`{model.model}`",
            cell(name),
            figure(interval.value),
            _interval(interval, model.confidence),
            figure(model.baseline[name]) if name in model.baseline else "-",
        )
        for model in models
        for name, interval in sorted(model.metrics.items())
    ]
    return table(head, rows, most=most)


def slices(models: Sequence[ModelEvidence], whose: str, most: int = 30) -> list[str]:
    """The metrics of each slice, folded; `whose` such as `of release 3`."""
    found = [(model.model, one) for model in models for one in model.slices]
    if not found:
        return []
    rows = [
        (
            f"`{model}`",
            cell(f"{one.column} = {one.value}"),
            f"{one.rows:,}",
            _figures(one.metrics),
        )
        for model, one in found[:most]
    ]
    lines = [
        *table(("model", "slice", "rows", "metrics"), rows, most=most),
        *more(len(found) - most),
    ]
    return folded(f"Slices {whose} ({len(found):,})", lines)


def _figures(metrics: dict[str, float]) -> str:
    told = [f"{cell(name)} {figure(value)}" for name, value in list(metrics.items())[:8]]
    left_out = len(metrics) - len(told)
    return ", ".join(told) + (f" and {left_out:,} more" if left_out else "")


def drift(models: Sequence[ModelEvidence], most: int = 5) -> list[str]:
    """How far the evaluated rows are from the training rows, the largest distances first."""
    found = sorted(
        ((one.statistic, model.model, one.column) for model in models for one in model.drift),
        reverse=True,
    )
    if not found:
        return []
    shown = found[:most]
    rows = [(f"`{model}`", cell(column), f"{value:.2f}") for value, model, column in shown]
    note = (
        "How far the evaluated rows are from the training rows, 0 (the same) to 1 "
        f"(Kolmogorov-Smirnov distance); the {len(rows)} largest of {len(found):,}."
    )
    lines = table(("model", "column", "distance"), rows, most=most)
    return ["## Drift", "", *lines, "", note]


def checks(found: Sequence[GateResult], most: int = 40) -> list[str]:
    """A table of checks, the failed ones first."""
    ordered = sorted(found, key=lambda check: check.passed)
    rows = [
        (mark(check.passed), cell(check.gate), cell(check.detail, longest=240))
        for check in ordered[:most]
    ]
    if not ordered:
        return []
    return [*table(("", "check", "found"), rows, most=most), *more(len(ordered) - most)]


def undo(commands: Sequence[str]) -> list[str]:
    """How to take it back, as commands."""
    return ["## How to undo this", "", *fenced("\n".join(commands), "sh")]


def rendered(diff: str, path: str, most: int, *, title: str, total: int | None = None) -> list[str]:
    """The diff of a rendered file, folded.

    Args:
        diff: the text, perhaps cut already.
        path: where the whole file is.
        most: lines that are shown; the others are counted.
        title: the words on the fold (our own).
        total: lines of the whole diff, when `diff` is cut.
    """
    lines = diff.rstrip("\n").split("\n")
    shown = lines[:most]
    left_out = max(total or 0, len(lines)) - len(shown)
    note = ["", f"{left_out:,} lines more are in {code(path)}."] if left_out else []
    block = fenced("\n".join(shown), "diff") if shown else []
    return folded(f"{title} ({max(total or 0, len(lines)):,} lines)", [*block, *note])


def mark(passed: bool) -> str:
    """`passed`, or what no reader misses."""
    return "passed" if passed else "**FAILED**"


def _interval(interval: Interval, confidence: float) -> str:
    return f"{figure(interval.low)} to {figure(interval.high)} ({confidence:.0%})"


def signed(value: float) -> str:
    """A figure with its sign."""
    return ("+" if value > 0 else "") + figure(value)


def facts(found: Sequence[Fact], most: int) -> list[str]:
    """What a reviewer wants to know beside the rules, what is not good or not known first."""
    ordered = sorted(found, key=lambda fact: fact.good)
    rows = [
        ("ok" if fact.good else "**look**", words(fact.name), words(fact.text)) for fact in ordered
    ]
    return table(("", "fact", "found"), rows, most=most) if rows else []
