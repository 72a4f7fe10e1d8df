"""The text of a pull request, from which a reviewer decides in two minutes."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlops.digests import short
from mlops.environments.differences import Commit, Difference, figure, is_better
from mlops.environments.markdown import cell, code, fenced, folded, items, table
from mlops.environments.timeline import Entry
from mlops.repository import evidence_path, folder_of
from mlops.specs.decision import Comparison, Decision
from mlops.specs.evidence import Evidence, Interval, ModelEvidence
from mlops.specs.release import Release

LIMIT = 65_536
"""Characters of a pull-request text that GitHub takes."""
CUT_NOTE = "The text was longer than a forge takes; the branch holds all of it."


@dataclass(frozen=True)
class Story:
    """All that the text is made of.

    Attributes:
        decision: kind, environment, comparisons and checks.
        release: what is to serve.
        champion: what serves there now; None when nothing does.
        evidence: of the release; None when the branch does not hold it.
        differences: from the champion to the release.
        commits: in the release's source and not in the champion's, newest first.
        undone: in the champion's source and not in the release's, newest first.
        rendered: diff of manifests.yaml; empty when nothing is rendered.
        undo: how to undo it, one command a line.
        plain_revert: for a rollback: the newest change, when `git revert` of it does the same.
    """

    decision: Decision
    release: Release
    champion: Release | None
    evidence: Evidence | None
    differences: Sequence[Difference]
    commits: Sequence[Commit]
    undone: Sequence[Commit]
    rendered: str
    undo: Sequence[str]
    plain_revert: Entry | None = None


def title(decision: Decision) -> str:
    """One line, also the subject of the commit."""
    service, number, there = decision.service, decision.release, decision.environment
    return {
        "release": f"Release {service} {number} to {there}",
        "promotion": f"Promote {service} {number} to {there}",
        "rollback": f"Roll {service} back to {number} in {there}",
    }[decision.kind]


def body(story: Story) -> str:
    """The whole text in Markdown, at most `LIMIT` characters."""
    sections = [
        _verdict(story),
        _metrics(story),
        _changes(story),
        _data(story),
        _drift(story),
        _all_metrics(story),
        _slices(story),
        _checks(story),
        _undo(story),
        _evidence(story),
    ]
    text = "\n\n".join("\n".join(section) for section in sections if section) + "\n"
    return _within(_with_rendered(text, story))


def _verdict(story: Story) -> list[str]:
    decision = story.decision
    failed = [check for check in decision.checks if not check.passed]
    checks = (
        f"{len(failed)} of {len(decision.checks)} checks failed"
        if failed
        else f"all {len(decision.checks)} checks passed"
    )
    told = decision.comparisons[:5]
    words = "; ".join(_in_words(comparison) for comparison in told)
    lines = [f"**{_sentence(story)}: {checks}.**", ""]
    if words:
        left_out = len(decision.comparisons) - len(told)
        lines += [f"{words}{f'; and {left_out:,} more' if left_out else ''}.", ""]
    if decision.reason:
        lines += [f"Reason given: {code(decision.reason, longest=500)}", ""]
    return lines + _replaces(story)


def _sentence(story: Story) -> str:
    decision = story.decision
    return {
        "release": f"New release {decision.release} of {decision.service} "
        f"for {decision.environment}",
        "promotion": f"Promote release {decision.release} of {decision.service} "
        f"from {decision.came_from} to {decision.environment}",
        "rollback": f"Put release {decision.release} of {decision.service} "
        f"back in {decision.environment}",
    }[decision.kind]


def _replaces(story: Story) -> list[str]:
    champion, environment = story.champion, story.decision.environment
    if champion is None:
        return [f"Nothing serves in {environment} yet."]
    now = f"Release {champion.release} serves in {environment} now"
    if story.decision.kind != "rollback":
        return [f"{now}; this takes its place."]
    back = story.release.release < champion.release
    what = (
        "this withdraws it, and to promote it again takes `--again REASON`"
        if back
        else ("this puts the newer release back that was withdrawn before")
    )
    return [f"{now}; {what}.", "", _plain(story)]


def _plain(story: Story) -> str:
    if story.plain_revert is None:
        return "A plain `git revert` of the newest change would not give this."
    commit = story.plain_revert.commit[:12]
    return f"`git revert {commit}` puts the same release back, with no tool at all."


def word_of(comparison: Comparison) -> str:
    """`better` or `worse` when the whole interval says so, else `no clear difference`."""
    if comparison.low <= 0 <= comparison.high:
        return "no clear difference"
    one = comparison
    better = is_better(one.metric, one.champion_value, one.champion_value + one.difference)
    return "better" if better else "worse"


def _in_words(comparison: Comparison) -> str:
    against = "the stated baseline" if comparison.champion == "baseline" else "what serves now"
    metric, difference = code(comparison.metric), comparison.difference
    if not difference:
        return f"`{comparison.model}` has the same {metric} as {against}"
    change = "lower" if difference < 0 else "higher"
    if comparison.champion_value:
        change = f"{abs(100 * difference / comparison.champion_value):.1f} % {change}"
    return f"`{comparison.model}` is {change} in {metric} than {against} ({word_of(comparison)})"


def _metrics(story: Story) -> list[str]:
    found = story.decision.comparisons
    return ["## Metrics against the champion", "", *_compared(story, found)] if found else []


def _all_metrics(story: Story) -> list[str]:
    if story.evidence is None:
        return []
    rows = ", ".join(f"{model.rows:,}" for model in story.evidence.models)
    summary = f"All metrics of release {story.release.release}, on {rows} rows it has not seen"
    return folded(summary, _absolute(story.evidence.models))


def _compared(story: Story, found: Sequence[Comparison]) -> list[str]:
    name = f"release {story.champion.release}" if story.champion else "baseline"
    head = (
        "model", "metric", f"champion ({name})", f"challenger (release {story.release.release})",
        "difference", "interval", "verdict", "gate",
    )  # fmt: skip
    rows = [
        (
            f"`{one.model}`",
            cell(one.metric),
            figure(one.champion_value) + (" (baseline)" if one.champion == "baseline" else ""),
            figure(one.challenger_value),
            _signed(one.difference),
            f"{_signed(one.low)} to {_signed(one.high)} ({one.confidence:.0%})",
            word_of(one),
            _mark(one.passed),
        )
        for one in found
    ]
    measured = sorted({(one.measured_on, one.rows) for one in found})
    sets = ", ".join(f"{rows:,} rows (`{short(digest)}`)" for digest, rows in measured)
    note = f"Both measured anew on the same frozen rows: {sets}."
    return [*table(head, rows, most=30), "", note]


def _absolute(models: Sequence[ModelEvidence]) -> list[str]:
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
    return table(head, rows, most=30)


def _interval(interval: Interval, confidence: float) -> str:
    return f"{figure(interval.low)} to {figure(interval.high)} ({confidence:.0%})"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + figure(value)


def _mark(passed: bool) -> str:
    return "passed" if passed else "**FAILED**"


def _slices(story: Story) -> list[str]:
    models = story.evidence.models if story.evidence else ()
    rows = [
        (
            f"`{model.model}`",
            cell(f"{one.column} = {one.value}"),
            f"{one.rows:,}",
            ", ".join(f"{cell(name)} {figure(value)}" for name, value in one.metrics.items()),
        )
        for model in models
        for one in model.slices
    ]
    if not rows:
        return []
    lines = table(("model", "slice", "rows", "metrics"), rows, most=30)
    return folded(f"Slices of release {story.release.release} ({len(rows)})", lines)


def _data(story: Story) -> list[str]:
    parts = ("dataset ", "contract of ")
    changed = {one.part: one for one in story.differences if one.part.startswith(parts)}
    rows = [
        (
            f"`{pin.name}`",
            f"`{short(pin.digest)}`",
            _rows(story, pin.name),
            pin.contract,
            _changed(story, changed.get(f"dataset {pin.name}")),
            _changed(story, changed.get(f"contract of {pin.name}")),
        )
        for pin in story.release.datasets
    ]
    head = ("dataset", "version", "rows, rules kept", "contract", "data was", "contract was")
    return ["## Data and contracts", "", *table(head, rows, most=20)]


def _rows(story: Story, dataset: str) -> str:
    for one in story.evidence.data if story.evidence else ():
        if one.dataset == dataset:
            return f"{one.rows:,} rows, {one.rules - one.failed} of {one.rules} rules"
    return "-"


def _changed(story: Story, difference: Difference | None) -> str:
    if story.champion is None:
        return "-"
    if difference is None:
        return "the same"
    was = cell(difference.before) if difference.before else "not there"
    return was + (f", {difference.note}" if difference.note else "")


def _changes(story: Story) -> list[str]:
    if story.champion is None:
        return []
    heading = f"## What changes against release {story.champion.release}"
    texts = [
        f"{one.part.split(' ', 1)[0]}{_name(one)}: {code(one.before or 'none')} to "
        f"{code(one.after or 'none')}" + (f" ({one.note})" if one.note else "")
        for one in story.differences
    ]
    lines = items(texts, most=40) or ["Nothing: both pin the same content."]
    return [
        heading,
        "",
        *lines,
        *_log(story.commits, "Commits that come in"),
        *_log(story.undone, "Commits that go out"),
    ]


def _name(difference: Difference) -> str:
    _, _, name = difference.part.partition(" ")
    return f" {code(name)}" if name else ""


def _log(commits: Sequence[Commit], heading: str) -> list[str]:
    if not commits:
        return []
    texts = [f"`{one.commit[:12]}` {code(one.subject)}" for one in commits]
    return ["", f"{heading} (those that reach this service):", "", *items(texts, most=20)]


def _checks(story: Story) -> list[str]:
    checks = story.decision.checks
    if not checks:
        return []
    ordered = sorted(checks, key=lambda check: check.passed)
    rows = [
        (_mark(check.passed), cell(check.gate), cell(check.detail, longest=240))
        for check in ordered
    ]
    return ["## Checks", "", *table(("", "check", "found"), rows, most=40)]


def _drift(story: Story) -> list[str]:
    models = story.evidence.models if story.evidence else ()
    found = sorted(
        ((one.statistic, model.model, one.column) for model in models for one in model.drift),
        reverse=True,
    )
    if not found:
        return []
    rows = [(f"`{model}`", cell(column), f"{value:.2f}") for value, model, column in found[:5]]
    note = (
        "How far the evaluated rows are from the training rows, 0 (the same) to 1 "
        f"(Kolmogorov-Smirnov distance); the {len(rows)} largest of {len(found)}."
    )
    lines = table(("model", "column", "distance"), rows, most=5)
    return ["## Drift", "", *lines, "", note]


def _undo(story: Story) -> list[str]:
    return ["## How to undo this", "", *fenced("\n".join(story.undo), "sh")]


def _evidence(story: Story) -> list[str]:
    path = evidence_path(story.release.service, story.release.evidence.digest)
    there = f"`{path}`" if story.evidence else f"`{path}` (not in this branch)"
    folder = folder_of(story.decision.environment, story.decision.service)
    pins = f"bento `{short(story.release.bento)}`, source `{story.release.source.commit[:12]}`"
    return [f"Evidence: {there}. All pins: `{folder}/release.yaml` ({pins})."]


def _with_rendered(text: str, story: Story) -> str:
    """The text with the rendered diff folded at its end, cut to what is left."""
    if not story.rendered:
        return text
    path = f"{folder_of(story.decision.environment, story.decision.service)}/manifests.yaml"
    lines = story.rendered.rstrip("\n").split("\n")
    shown = len(lines)
    while shown >= 0:
        block = "\n" + "\n".join(_rendered_block(lines, shown, path)) + "\n"
        if len(text) + len(block) <= LIMIT:
            return text + block
        shown = shown * 3 // 4 if shown else -1
    return text


def _rendered_block(lines: Sequence[str], shown: int, path: str) -> list[str]:
    left_out = len(lines) - shown
    note = ["", f"{left_out:,} lines more are in `{path}`."] if left_out else []
    block = fenced("\n".join(lines[:shown]), "diff") if shown else []
    return folded(f"Rendered difference ({len(lines):,} lines)", [*block, *note])


def _within(text: str) -> str:
    """The last resort: whole lines up to the limit."""
    if len(text) <= LIMIT:
        return text
    kept = text[: LIMIT - len(CUT_NOTE) - 2]
    return f"{kept.rpartition(chr(10))[0]}\n\n{CUT_NOTE}"
