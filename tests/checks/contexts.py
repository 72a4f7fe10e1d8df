"""Contexts of a clone's change, as `mlops check` makes them."""

from mlops.checks.context import Context, Share
from mlops.checks.planning import planned
from mlops.specs.result import Part, Result
from tests.team import Team


def context_of(team: Team, part: Part, *names: str, quick: bool = True) -> Context:
    """What changed since the forge's main branch, uncommitted files included."""
    plan = planned(team.repo, "origin/main")
    share = Share(part, names)
    return Context(team.repo, plan.base, plan.head, plan.changed, plan.affected, share, quick=quick)


def told(result: Result) -> str:
    """Its problems, as they are printed."""
    return "".join(f"{p.path}: {p.what}; {p.fix}\n" for p in result.problems)
