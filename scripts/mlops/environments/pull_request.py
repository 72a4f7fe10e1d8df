"""The text of a pull request, from which a reviewer decides in two minutes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mlops.digests import short
from mlops.environments.differences import Commit, Difference
from mlops.environments.markdown import cell, code, folded, items, table
from mlops.environments.timeline import Entry
from mlops.report.fitting import Section, fitted, fixed
from mlops.report.sections import (
    absolute,
    checks,
    compared,
    drift,
    facts,
    in_words,
    rendered,
    slices,
    undo,
)
from mlops.repository import evidence_path, folder_of
from mlops.specs.decision import Decision
from mlops.specs.evidence import Evidence, ModelEvidence
from mlops.specs.release import Release
from mlops.specs.result import Fact


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
        facts: what the change means beside its rules, see `environments.facts`.
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
    facts: Sequence[Fact] = ()


def title(decision: Decision) -> str:
    """One line, also the subject of the commit."""
    service, number, there = decision.service, decision.release, decision.environment
    return {
        "release": f"Release {service} {number} to {there}",
        "promotion": f"Promote {service} {number} to {there}",
        "rollback": f"Roll {service} back to {number} in {there}",
    }[decision.kind]


def body(story: Story) -> str:
    """The whole text in Markdown, at most as long as a forge takes."""
    whose = f"of release {story.release.release}"
    return fitted(
        [
            fixed(_verdict(story)),
            fixed(_metrics(story), rank=1),
            fixed(_facts(story), rank=1),
            Section(partial(_changes, story), 40, 3),
            fixed(_data(story), rank=2),
            fixed(drift(_models(story)), rank=4),
            Section(partial(_all_metrics, story), 30, 5),
            Section(partial(slices, _models(story), whose), 30, 6),
            Section(partial(_checks, story), 40, 2),
            fixed(undo(story.undo), rank=1),
            fixed(_evidence(story)),
            Section(partial(_rendered, story), story.rendered.count("\n") + 1, 7),
        ]
    )


def _verdict(story: Story) -> list[str]:
    decision = story.decision
    failed = [check for check in decision.checks if not check.passed]
    outcome = (
        f"{len(failed)} of {len(decision.checks)} checks failed"
        if failed
        else f"all {len(decision.checks)} checks passed"
    )
    told = decision.comparisons[:5]
    words = "; ".join(in_words(comparison) for comparison in told)
    lines = [f"**{_sentence(story)}: {outcome}.**", ""]
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


def _metrics(story: Story) -> list[str]:
    champion = f"champion (release {story.champion.release})" if story.champion else "baseline"
    challenger = f"challenger (release {story.release.release})"
    lines = compared(story.decision.comparisons, champion, challenger)
    return ["## Metrics against the champion", "", *lines] if lines else []


def _all_metrics(story: Story, most: int) -> list[str]:
    if not _models(story):
        return []
    rows = ", ".join(f"{model.rows:,}" for model in _models(story)[:20])
    summary = f"All metrics of release {story.release.release}, on {rows} rows it has not seen"
    return folded(summary, absolute(_models(story), most))


def _models(story: Story) -> tuple[ModelEvidence, ...]:
    return story.evidence.models if story.evidence else ()


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
            return f"{one.rows:,} rows, {one.kept} rules"
    return "-"


def _changed(story: Story, difference: Difference | None) -> str:
    if story.champion is None:
        return "-"
    if difference is None:
        return "the same"
    was = cell(difference.before) if difference.before else "not there"
    return was + (f", {difference.note}" if difference.note else "")


def _changes(story: Story, most: int) -> list[str]:
    if story.champion is None:
        return []
    heading = f"## What changes against release {story.champion.release}"
    texts = [
        f"{one.part.split(' ', 1)[0]}{_name(one)}: {code(one.before or 'none')} to "
        f"{code(one.after or 'none')}" + (f" ({one.note})" if one.note else "")
        for one in story.differences
    ]
    lines = items(texts, most=most) or ["Nothing: both pin the same content."]
    return [
        heading,
        "",
        *lines,
        *_log(story.commits, "Commits that come in", most),
        *_log(story.undone, "Commits that go out", most),
    ]


def _name(difference: Difference) -> str:
    _, _, name = difference.part.partition(" ")
    return f" {code(name)}" if name else ""


def _log(commits: Sequence[Commit], heading: str, most: int) -> list[str]:
    if not commits:
        return []
    texts = [f"`{one.commit[:12]}` {code(one.subject)}" for one in commits]
    return [
        "",
        f"{heading} (those that reach this service):",
        "",
        *items(texts, most=min(most, 20)),
    ]


def _facts(story: Story) -> list[str]:
    return ["## Before you approve", "", *facts(story.facts, 20)] if story.facts else []


def _checks(story: Story, most: int) -> list[str]:
    lines = checks(story.decision.checks, most)
    return ["## Checks", "", *lines] if lines else []


def _evidence(story: Story) -> list[str]:
    path = evidence_path(story.release.service, story.release.evidence.digest)
    there = f"`{path}`" if story.evidence else f"`{path}` (not in this branch)"
    folder = folder_of(story.decision.environment, story.decision.service)
    pins = f"bento `{short(story.release.bento)}`, source `{story.release.source.commit[:12]}`"
    return [f"Evidence: {there}. All pins: `{folder}/release.yaml` ({pins})."]


def _rendered(story: Story, most: int) -> list[str]:
    path = f"{folder_of(story.decision.environment, story.decision.service)}/manifests.yaml"
    if not story.rendered:
        return []
    return rendered(story.rendered, path, most, title="Rendered difference")
