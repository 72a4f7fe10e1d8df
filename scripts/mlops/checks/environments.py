"""Part `environments`: a change of environments/ by the rules of its kind, and what it means."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlops.checks.context import Context
from mlops.checks.found import count, cut, result
from mlops.environments.case import Case
from mlops.environments.differences import differences, rows_of
from mlops.environments.facts import facts
from mlops.environments.kinds import Change
from mlops.environments.manifests import manifests_path, render, stale
from mlops.environments.parsing import unreadable
from mlops.environments.promotion import undo_lines
from mlops.environments.rollback import undo_of_rollback
from mlops.environments.rules import Verdict, check_change, clusters_follow
from mlops.errors import BadInput, MlopsError, Problem
from mlops.git import NOTHING
from mlops.repository import Layout
from mlops.specs.base import Spec
from mlops.specs.decision import Decision
from mlops.specs.evidence import Evidence, GateResult
from mlops.specs.release import Release
from mlops.specs.result import EnvironmentResult, Fact, Outcome, Rendered, Result

MOST_CHARACTERS = 200_000
"""Of one rendered file's diff."""
MOST_FILES = 200
"""Rendered files of one change whose diffs are handed over."""
MOST_RENDERED = 40
"""Services that are rendered to show what a new base gives; each takes a tenth of a second."""
BRINGS = ("release", "promotion", "create", "rollback")
"""Kinds that say which release serves."""
CURRENT = "manifests are current"
"""The one check of a first commit."""
LATER = "base of later releases"
"""Kind of a change that shows with the releases made from it."""


def run(context: Context) -> Result:
    """Hold the committed change to the rules of its kind, and tell what it means."""
    repo = context.repo
    wrong = unreadable(repo, context.changed)
    verdict = _judged(context)
    problems = list(dict.fromkeys([*wrong, *verdict.problems]))
    return result(
        context,
        _summary(verdict, problems),
        problems,
        outcome=_outcome(verdict, problems),
        checks=(_files(wrong), *verdict.checks),
        environment=_environment(context, verdict),
    )


def _judged(context: Context) -> Verdict:
    if context.base == NOTHING:
        return _first(context)
    try:
        return check_change(context.repo, context.base, context.head)
    except BadInput as error:
        return Verdict(None, problems=error.problems)


def _first(context: Context) -> Verdict:
    """A first commit changes nothing that serves: its files have to be whole, no more."""
    layout = context.repo.commit(context.head)
    try:
        found = sorted(stale(context.repo, layout, layout.order))
    except MlopsError as error:
        return Verdict(None, problems=error.problems)
    follow = clusters_follow(layout)
    fix = "run `mlops render` and commit the result"
    problems = [Problem(path, "is not what the files beside it render to", fix) for path in found]
    detail = f"{count(len(found), 'file')} not so" if found else "rendering gives the same bytes"
    check = GateResult(gate=CURRENT, passed=not found, detail=detail)
    return Verdict(None, (check, follow.result), (*problems, *follow.problems))


def _files(wrong: list[Problem]) -> GateResult:
    detail = f"{len(wrong)} wrong, told below" if wrong else "all of them"
    return GateResult(gate="files can be read", passed=not wrong, detail=detail)


def _summary(verdict: Verdict, problems: list[Problem]) -> str:
    what = f"{verdict.change}: " if verdict.change else ""
    if problems:
        more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
        return f"{what}{problems[0].path}: {problems[0].what}{more}"
    if verdict.change is None:
        first = any(check.gate == CURRENT for check in verdict.checks)
        return "a first commit, whose files fit" if first else "what serves now stays as it is"
    return f"{what}all {count(len(verdict.checks), 'rule')} are met"


def _outcome(verdict: Verdict, problems: list[Problem]) -> Outcome:
    """`not evaluated` when nothing is wrong but that a rule could not be looked at here."""
    failed = [check for check in verdict.checks if not check.passed]
    if problems and failed and len(problems) == len(verdict.problems):
        unseen = all(check.detail.startswith("not evaluated") for check in failed)
        return "not evaluated" if unseen else "not good"
    return "not good" if problems else "good"


def _environment(context: Context, verdict: Verdict) -> EnvironmentResult | None:
    """What the change means; what cannot be told of a broken change is left out."""
    if context.base == NOTHING:
        return None
    shown = tuple(_rendered(context, verdict))
    if verdict.change is None:
        later = bool(context.affected.rendered)
        several = any(check.gate == "one kind" for check in verdict.checks)
        told = (_about_later(context),) if later else ()
        kind = LATER if later and not several else None
        found = EnvironmentResult(kind=kind, facts=told, rendered=shown)
        return found if later or several else None
    now = datetime.now(UTC)
    meaning = Meaning(Case(context.repo, context.base, context.head, verdict.change, now))
    return EnvironmentResult(
        kind="remove" if meaning.case.is_gone else verdict.change.kind,
        environment=verdict.change.environment,
        service=verdict.change.service,
        release=meaning.number,
        replaces=meaning.case.replaced.release if meaning.case.replaced else None,
        reason=meaning.reason,
        comparisons=meaning.decision.comparisons if meaning.decision else (),
        made_anew=any(
            one.gate == "comparison with the champion" and one.passed for one in verdict.checks
        ),
        models=meaning.evidence.models if meaning.evidence else (),
        data=meaning.evidence.data if meaning.evidence else (),
        facts=meaning.facts,
        differences=meaning.differences,
        rendered=shown,
        undo=meaning.undo,
    )


def _about_later(context: Context) -> Fact:
    places = ", ".join(context.affected.rendered)
    text = (
        f"what serves in {places} stays as it is; a release made from this change renders as "
        f"shown, for at most {MOST_RENDERED} services"
    )
    return Fact(name="when it shows", text=text)


@dataclass(frozen=True)
class Meaning:
    """What a change of one kind means, as far as its files can be read."""

    case: Case

    @property
    def change(self) -> Change:
        """Kind and place."""
        return self.case.change

    @property
    def after(self) -> Release | None:
        """The release that is to serve."""
        return _read(self.case.after, self.case.environment, self.case.service)

    @property
    def number(self) -> int | None:
        """Its number."""
        return self.after.release if self.after else None

    @property
    def decision(self) -> Decision | None:
        """Why the release comes, when this change brings one."""
        if self.change.kind not in BRINGS or self.after is None:
            return None
        found: Decision | None = _tried(
            self.case.after.decision, self.case.environment, self.case.service
        )
        return found

    @property
    def reason(self) -> str | None:
        """The words of a person that came with it."""
        given = self.decision.reason if self.decision else None
        return cut(given) if given else None

    @property
    def evidence(self) -> Evidence | None:
        """What was measured of the release that comes."""
        if self.change.kind not in BRINGS or self.after is None:
            return None
        digest = self.after.evidence.digest
        found: Evidence | None = _tried(self.case.after.evidence, self.case.service, digest)
        return found

    @property
    def facts(self) -> tuple[Fact, ...]:
        """See `environments.facts`."""
        try:
            return facts(self.case)
        except MlopsError as error:
            return (Fact(name="facts", text=f"not known: {error.problems[0].what}", good=False),)

    @property
    def differences(self) -> tuple[str, ...]:
        """The release's, then those of the settings, rules or experiment beside it, in words."""
        return tuple(cut(text) for text in (*self._of_release(), *self._of_specs()))

    def _of_release(self) -> list[str]:
        before, after, case = self.case.replaced, self.after, self.case
        if before is None or after is None:
            return []
        rows = rows_of(case.before, before), rows_of(case.after, after)
        told = differences(before, after, rows_before=rows[0], rows_after=rows[1])
        return [str(one) for one in told]

    def _of_specs(self) -> list[str]:
        environment, service = self.change.environment, self.change.service
        one, other = self.case.before, self.case.after
        if self.case.is_gone:
            served = ((name, _read(one, environment, name)) for name in one.served_in(environment))
            return [f"{name} stops serving: release {r.release} -> none" for name, r in served if r]
        if service is None:
            pair = (_tried(one.environment, environment), _tried(other.environment, environment))
            return _spec_differences("env.yaml", *pair)
        found = []
        for name in ("settings", "experiment"):
            pair = tuple(_tried(getattr(side, name), environment, service) for side in (one, other))
            found += _spec_differences(name, pair[0], pair[1])
        return found

    @property
    def undo(self) -> tuple[str, ...]:
        """How to undo it after the merge, a command a line."""
        kind, case = self.change.kind, self.case
        if kind == "rollback":
            return undo_of_rollback(case.service, case.environment, case.replaced)
        if self.change.service and self.after and kind in ("release", "promotion", "create"):
            return undo_lines(case.service, case.environment, case.replaced)
        folder = case.folder if self.change.service else f"environments/{case.environment}"
        return (f"git revert $(git log --first-parent -1 --format=%H -- {folder})",)


def _read(layout: Layout, environment: str, service: str) -> Release | None:
    return _tried(layout.release, environment, service) if service else None


def _tried(read: Any, *names: str) -> Any:
    """What a file says, None when it is not there or cannot be read: its own rule tells that."""
    try:
        return read(*names)
    except MlopsError:
        return None


def _spec_differences(name: str, before: Spec | None, after: Spec | None) -> list[str]:
    """`settings replicas.min: 2 -> 3`, of two files that can be read."""
    if before is None or after is None:
        return []
    old, new = (
        dict(_flat(before.model_dump(mode="json"))),
        dict(_flat(after.model_dump(mode="json"))),
    )
    return [
        f"{name} {key}: {old.get(key, 'none')} -> {new.get(key, 'none')}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, "none" if value in (None, []) else value


def _rendered(context: Context, verdict: Verdict) -> Iterator[Rendered]:
    """The diff of each rendered file that changes, or would with the next release."""
    git = context.repo.git
    paths = [
        path
        for path in git.changed(context.base, context.head)
        if path.startswith("environments/") and path.endswith("/manifests.yaml")
    ]
    for path in paths[:MOST_FILES]:
        told = git.run(
            "diff", "--no-color", "--no-ext-diff", context.base, context.head, "--", path
        )
        yield _cut(path, told.decode(errors="replace"))
    if verdict.change is None:
        for path, text in _later(context):
            yield _cut(path, text)


def _later(context: Context) -> Iterator[tuple[str, str]]:
    """What the releases there are would render to if they were made from this change."""
    layout = context.repo.commit(context.head)
    places = [
        (environment, service)
        for environment in context.affected.rendered
        for service in layout.served_in(environment)
    ]
    for environment, service in places[:MOST_RENDERED]:
        release = layout.release(environment, service)
        if release is None:
            continue
        source = release.source.model_copy(update={"commit": context.head})
        then = release.model_copy(update={"source": source})
        env, settings = layout.environment(environment), layout.settings(environment, service)
        wanted = render(context.repo, environment, then, env, settings)
        path = manifests_path(environment, service)
        now = (layout.tree.read(path) or b"").decode(errors="replace")
        lines = _lines(now), _lines(wanted)
        told = "\n".join(difflib.unified_diff(*lines, f"a/{path}", f"b/{path}", lineterm=""))
        if told:
            yield path, told + "\n"


def _lines(text: str) -> list[str]:
    """Without the comments at the top, which name the commit of the base."""
    return [line for line in text.splitlines() if not line.startswith("#")]


def _cut(path: str, text: str) -> Rendered:
    """The diff, by whole lines when it is too long."""
    lines = text.count("\n")
    if len(text) > MOST_CHARACTERS:
        text = text[: text.rindex("\n", 0, MOST_CHARACTERS) + 1]
    return Rendered(path=path, diff=text, lines=lines)
