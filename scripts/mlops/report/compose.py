"""The report of a pull request: verdict first, then what a reviewer needs, worst first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from mlops.checks.context import Share
from mlops.environments.markdown import code, folded, items, more, words
from mlops.errors import Problem, bad_input
from mlops.report.evaluated import Evaluation
from mlops.report.fitting import LIMIT, Section, fitted, fixed
from mlops.report.judging import Judged, judged
from mlops.report.landscape import contracts, datasets, environments, rendered_files, rules
from mlops.report.models import all_metrics, all_paired, model_gates, model_table, worst_first
from mlops.report.parts import parts
from mlops.report.pictures import Picture
from mlops.report.sections import drift, slices, undo
from mlops.report.sentence import what_changes
from mlops.specs.result import EnvironmentResult, ModelResult, Outcome, Result

SUMMARY_LIMIT = 1_000_000
"""Bytes of a step summary, below GitHub's 1 MiB."""
ADDRESS = re.compile(r"https?://[A-Za-z0-9.:_-]+(/[A-Za-z0-9._~%/-]*)?")
VERDICTS: dict[Outcome, str] = {
    "good": "Good",
    "not good": "Not good",
    "not evaluated": "Not evaluated",
}


@dataclass(frozen=True)
class Report:
    """What people read of a pull request.

    Attributes:
        judged: the verdict and what has to be done.
        sentence: what would change for users, in Markdown.
        comment: Markdown, at most `fitting.LIMIT` characters.
        summary: the same with more room, at most `SUMMARY_LIMIT` bytes.
    """

    judged: Judged
    sentence: str
    comment: str
    summary: str

    @property
    def verdict(self) -> Outcome:
        """good, not good, not evaluated."""
        return self.judged.outcome


@dataclass(frozen=True)
class _Told:
    """All that the text is made of."""

    judged: Judged
    sentence: str
    head: str
    models: tuple[ModelResult, ...]
    environments: tuple[EnvironmentResult, ...]
    pictures: Sequence[Picture]
    ignored: Sequence[Problem]
    run_url: str | None
    parts_only: bool
    fork: bool
    evaluation: Evaluation | None
    pages: Mapping[str, str]


def compose(
    plan: Sequence[Share],
    results: Sequence[Result],
    *,
    base: str,
    head: str,
    refused: Sequence[Problem] = (),
    ignored: Sequence[Problem] = (),
    pictures: Sequence[Picture] = (),
    pages: Mapping[str, str] | None = None,
    services: Sequence[str] = (),
    run_url: str | None = None,
    parts_only: bool = False,
    fork: bool = False,
    evaluation: Evaluation | None = None,
) -> Report:
    """Make the report; whatever is in the results, it stays text and within its limits.

    Args:
        plan: all shares of the change; one without a result makes it not good.
        results: what came back, in any order.
        base: the commit the change started from.
        head: the commit that was to be checked.
        refused: files that should have been results and are not.
        ignored: other files that lay beside them.
        pictures: those that were accepted.
        pages: Markdown that leads to the accepted page of a dataset, by its name.
        services: that the change reaches.
        run_url: address of the run, where the full evidence is.
        parts_only: the run keeps what each share left, and no report made of it.
        fork: the results were made by code that nobody here has approved.
        evaluation: a maintainer's run that found this very commit good; it stands for what
            could not be evaluated here, and for nothing else.

    Raises:
        BadInput: when the address is none.
    """
    if run_url is not None and not ADDRESS.fullmatch(run_url):
        raise bad_input("--run-url", f"{run_url[:60]!r} is no address of a run", "give https://...")
    verdict = judged(plan, results, refused, base=base, head=head, evaluated=evaluation is not None)
    told = _Told(
        judged=verdict,
        sentence=what_changes(verdict, services),
        head=head,
        models=worst_first([model for result in verdict.results for model in result.models]),
        environments=tuple(each.environment for each in verdict.results if each.environment),
        pictures=pictures,
        ignored=ignored,
        run_url=run_url,
        parts_only=parts_only,
        fork=fork,
        evaluation=evaluation,
        pages=pages or {},
    )
    comment = fitted(_sections(told, 1), LIMIT)
    return Report(verdict, told.sentence, comment, _summary(told))


def _summary(told: _Told) -> str:
    """The same with twenty times the room; its limit counts bytes."""
    limit = SUMMARY_LIMIT
    text = fitted(_sections(told, 20), limit)
    while len(text.encode()) > SUMMARY_LIMIT:
        limit = limit * 3 // 4
        text = fitted(_sections(told, 20), limit)
    return text


def _sections(told: _Told, room: int) -> list[Section]:
    """In the order they are read; where room is short the highest rank loses entries first."""
    verdict, evidence = told.judged, [model.evidence for model in told.models]
    released = [model for one in told.environments for model in one.models]
    alone = [model.evidence for model in told.models if not model.paired] + released
    return [
        fixed(_verdict(told)),
        Section(partial(_to_do, verdict), 20 * room, 1),
        Section(partial(environments, told.environments), 40 * room, 2),
        Section(partial(model_table, told.models), 100 * room, 3),
        Section(partial(contracts, verdict.results), 30 * room, 4),
        Section(partial(datasets, verdict.results, told.pages), 20 * room, 5),
        Section(partial(drift, evidence + released), 5 * room, 6),
        Section(partial(model_gates, told.models), 60 * room, 8),
        Section(partial(all_paired, told.models), 60 * room, 9),
        Section(partial(all_metrics, alone), 40 * room, 9),
        Section(partial(slices, alone, "of the models of this change"), 40 * room, 9),
        Section(partial(rules, verdict.results), 40 * room, 8),
        Section(partial(parts, verdict), 20 * room, 5),
        Section(partial(rendered_files, told.environments), 400 * room, 10),
        Section(partial(_ignored, told.ignored), 5 * room, 7),
        fixed(undo(_undo(told)), rank=1),
        Section(partial(_links, told), 10 * room, 2),
    ]


def _verdict(told: _Told) -> list[str]:
    count = told.judged.things
    things = f": {count:,} thing{'' if count == 1 else 's'} to do" if count else ""
    lines = [f"**{VERDICTS[told.judged.outcome]}{things}.** {told.sentence}"]
    if told.evaluation:
        lines += ["", _evaluated(told.evaluation)]
    if told.fork:
        lines += [
            "",
            "These figures were made by code of a fork: read the code before you believe them.",
        ]
    return lines


def _evaluated(one: Evaluation) -> str:
    known = one.url and ADDRESS.fullmatch(one.url)
    where = f"[a maintainer's run](<{one.url}>)" if known else "a maintainer's run"
    return f"What could not be read here was evaluated by {where}: commit `{one.commit[:12]}`."


def _to_do(found: Judged, most: int) -> list[str]:
    if not found.to_do:
        return []
    shown = [f"{code(one.path)}: {words(one.what)}; {words(one.fix)}" for one in found.to_do[:most]]
    return ["## To do", "", *items(shown, most=most), *more(found.things - len(shown))]


def _ignored(problems: Sequence[Problem], most: int) -> list[str]:
    if not problems:
        return []
    shown = [f"{code(one.path)}: {words(one.what)}" for one in problems[:most]]
    lines = [*items(shown, most=most), *more(len(problems) - len(shown))]
    return folded(f"Files that were not read ({len(problems):,})", lines)


def _undo(told: _Told) -> list[str]:
    """Commands of the checks themselves, but never a fork's: somebody might run them."""
    commands = [each for one in told.environments for each in one.undo if len(each) <= 500]
    if commands and not told.fork:
        return commands[:10]
    return ["git revert COMMIT    # the commit of the merge, on the main branch"]


def _links(told: _Told, most: int) -> list[str]:
    where = f"[this run](<{told.run_url}>)" if told.run_url else "the folder of this report"
    shows = "artifact `report` (`index.html` shows it with its pictures)"
    if told.parts_only:
        shows = "an artifact `results-...` for each share"
    lines = [f"Full evidence: {where}, {shows}. Checked: commit `{told.head[:12]}`."]
    if not told.pictures:
        return lines
    shown = [f"{code(one.file)} {words(one.caption)}" for one in told.pictures[:most]]
    left_out = len(told.pictures) - len(shown)
    return [*lines, "", "Pictures there:", "", *items(shown, most=most), *more(left_out)]
