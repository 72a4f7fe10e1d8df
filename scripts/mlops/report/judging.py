"""The verdict: what was planned against what came back."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops.checks.context import Share
from mlops.checks.found import unreadable
from mlops.errors import Exit, Problem
from mlops.specs.evidence import GateResult
from mlops.specs.result import Outcome, Part, Result, Told

Key = tuple[Part, int, int]
# What hurts users or the team most when it is overlooked comes first.
WORST_FIRST: tuple[Part, ...] = (
    "policy",
    "contracts",
    "environments",
    "models",
    "tests",
    "code",
)
ORDER: tuple[Outcome, ...] = ("not good", "not evaluated", "good")
MAINTAINER = (
    "run all jobs again when the fault was a passing one; else a maintainer has this exact commit "
    "evaluated in the protected environment (workflow evaluate-fork)"
)
IMPROVE = "improve the model, or change the gate in its model.yaml in a pull request of its own"
AGAIN = "run the failed jobs again; when it happens twice, read that job's log"


@dataclass(frozen=True)
class Judged:
    """What counts, and what has to be done.

    Attributes:
        outcome: `good` only when every planned share came back and is good; what could not be
            evaluated here passes when it was evaluated elsewhere.
        results: one for each planned share that came back, in the plan's order.
        plan: all shares that were planned.
        missing: those without a result.
        to_do: problems, worst first; empty when it is good.
        more: problems beyond those that the results list.
    """

    outcome: Outcome
    results: tuple[Result, ...]
    plan: tuple[Share, ...]
    missing: tuple[Share, ...]
    to_do: tuple[Problem, ...]
    more: int = 0

    @property
    def things(self) -> int:
        """How many problems there are."""
        return len(self.to_do) + self.more

    @property
    def code(self) -> Exit:
        """The exit code that says the same, as `mlops check` has it."""
        if unreadable(self.results):
            return Exit.BAD_INPUT
        return Exit.DONE if self.outcome == "good" else Exit.NOT_GOOD


def judged(
    plan: Sequence[Share],
    results: Sequence[Result],
    refused: Sequence[Problem],
    *,
    base: str,
    head: str,
    evaluated: bool = False,
) -> Judged:
    """Hold the results against the plan.

    Args:
        plan: all shares of the change.
        results: what came back.
        refused: files that are no results; each is a problem.
        base: the commit the change started from.
        head: the commit that was to be checked.
        evaluated: a maintainer's run has found the same change good, where all can be read.
    """
    shares = {(share.part, share.shard, share.of): share for share in plan}
    counted = Counter(_key(result) for result in results)
    taken, wrong = [], list(refused)
    for result in results:
        if problem := _unplanned(result, shares, counted, base, head):
            wrong.append(problem)
        else:
            taken.append(result)
    there = {_key(result): result for result in taken}
    missing = tuple(share for key, share in shares.items() if key not in there)
    wrong += [_missing(share) for share in missing]
    order = [there[key] for key in shares if key in there]
    open_ = [each for each in order if not (evaluated and _outcome(each) == "not evaluated")]
    outcomes = {_outcome(result) for result in open_} | ({"not good"} if wrong else set())
    outcome: Outcome = next((each for each in ORDER if each in outcomes), "good")
    to_do = dict.fromkeys([*wrong, *_problems(open_)])
    more = sum(each.more for each in open_)
    return Judged(outcome, tuple(order), tuple(plan), missing, tuple(to_do), more)


def _key(result: Result) -> Key:
    return result.part, result.shard, result.of


def name_of(part: Part, shard: int, of: int) -> str:
    """`models` or `models 2 of 3`."""
    return f"{part} {shard} of {of}" if of > 1 else part


def _unplanned(
    result: Result, shares: dict[Key, Share], counted: Counter[Key], base: str, head: str
) -> Problem | None:
    key, fix = _key(result), "run the checks of this commit again"
    if key not in shares:
        return Problem(name_of(*key), "has a result, but the plan has no such share", fix)
    if counted[key] > 1:
        return Problem(name_of(*key), f"has {counted[key]} results, none was taken", fix)
    if (result.base, result.head) != (base, head):
        what = (
            f"is the result for {result.base[:12]}..{result.head[:12]}, not for "
            f"{base[:12]}..{head[:12]}"
        )
        return Problem(name_of(*key), what, fix)
    return None


def _missing(share: Share) -> Problem:
    name = name_of(share.part, share.shard, share.of)
    return Problem(name, "no result: the job was cancelled, died, or was refused", AGAIN)


def _outcome(result: Result) -> Outcome:
    """What the result says, or worse when its own content says worse."""
    if result.outcome == "good" and _told_wrong(result):
        return "not good"
    # A rule that could not be looked at is told as a check that failed; a model's gate is not.
    measured = [gate for model in result.models for gate in model.gates]
    if result.outcome == "not evaluated" and not all(gate.passed for gate in measured):
        return "not good"
    return result.outcome


def _told_wrong(result: Result) -> bool:
    return bool(result.problems) or any(not gate.passed for gate in _gates(result))


def _gates(result: Result) -> Iterable[GateResult]:
    yield from result.checks
    for model in result.models:
        yield from model.gates


def _problems(results: Iterable[Result]) -> list[Problem]:
    ordered = sorted(
        results, key=lambda each: (ORDER.index(_outcome(each)), WORST_FIRST.index(each.part))
    )
    return [problem for result in ordered for problem in _of_one(result)]


def _of_one(result: Result) -> list[Problem]:
    if result.problems:
        return [_problem(told) for told in result.problems]
    name = name_of(*_key(result))
    match _outcome(result):
        case "good":
            return []
        case "not evaluated":
            return [Problem(name, f"could not be evaluated here: {result.summary}", MAINTAINER)]
    failed = [
        Problem(f"models/{model.evidence.model}", f"`{gate.gate}` failed: {gate.detail}", IMPROVE)
        for model in result.models
        for gate in model.gates
        if not gate.passed
    ]
    failed += [
        Problem(name, f"`{check.gate}` failed: {check.detail}", "correct it and push again")
        for check in result.checks
        if not check.passed
    ]
    return failed or [Problem(name, result.summary, "read the job's log")]


def _problem(told: Told) -> Problem:
    return Problem(told.path, told.what, told.fix)
