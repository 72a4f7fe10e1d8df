"""mlops check: everything a pull request is held to, on a laptop and in the jobs of CI."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlops.checks.context import Context, Share
from mlops.checks.found import unreadable
from mlops.checks.planning import Planned, default_base, planned
from mlops.checks.running import run_part, write
from mlops.checks.shares import share_of
from mlops.environments.kinds import Change
from mlops.environments.markdown import visible
from mlops.errors import Exit, MlopsError, bad_input
from mlops.repository import Repository
from mlops.specs.result import PARTS, EnvironmentResult, Outcome, Result, Told

MOST_TOLD = 50
"""Problems that are printed; `--json` has more."""
COLOURS: dict[Outcome, str] = {"good": "green", "not good": "red", "not evaluated": "yellow"}


@click.command()
@click.option(
    "--base", metavar="REV", help="Where the change goes; default: the remote's main branch."
)
@click.option("--part", metavar="PART", help=f"One part alone: {', '.join(PARTS)}.")
@click.option("--shard", metavar="K/N", help="One share of the part, as `mlops plan` numbers them.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for result files and pictures; only commits are looked at then.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    base: str | None, part: str | None, shard: str | None, out: Path | None, as_json: bool
) -> int:
    """All that a pull request is held to.

    Does what `mlops plan` says of the change since BASE, part by part: lint and types, the tests
    it needs, contracts, models against what serves, the rules of environments/, policies.

    With --out, what could not be evaluated here is left to `mlops report` to judge.

    Example: mlops check --base origin/main
    """
    repo = Repository.at()
    return check(repo, base=base, part=part, shard=shard, out=out, as_json=as_json)


def check(
    repo: Repository,
    *,
    base: str | None = None,
    part: str | None = None,
    shard: str | None = None,
    out: Path | None = None,
    as_json: bool = False,
) -> int:
    """Run the shares of the plan and tell what they found.

    Returns:
        0 when all is good, 1 when something is not good, 2 when files cannot be read. What could
        not be evaluated gives 1, and with `out` 0: then the report of all shares decides.

    Raises:
        BadInput: when the call is wrong: a base or a share that there is not.
    """
    if shard and not part:
        raise bad_input("--shard", "stands without --part", "name the part too")
    plan = planned(repo, base, uncommitted=out is None)
    shares = (share_of(plan.shares, part, shard or "1/1"),) if part else plan.shares
    console = Console(highlight=False, quiet=as_json)
    results = [_done(repo, plan, share, out, console, quick=part is None) for share in shares]
    named = base or default_base(repo)
    if as_json:
        click.echo(_as_json(named, results, plan.uncommitted))
        return _code(results, handed_over=out is not None)
    if part is None:
        _tell(console, results, _notes(repo, named, plan, results), named)
    _tell_problems(results)
    return _code(results, handed_over=out is not None)


def _done(
    repo: Repository,
    plan: Planned,
    share: Share,
    out: Path | None,
    console: Console,
    *,
    quick: bool,
) -> Result:
    """One share's result, told when it is there and written when that is wanted."""
    context = Context(
        repo, plan.base, plan.head, plan.changed, plan.affected, share, out, quick=quick
    )
    name = f"{share.part} {share.shard}/{share.of}" if share.of > 1 else share.part
    with console.status(f"{name} ..."):
        found = run_part(context)
    if out is not None:
        write(found, out)
    mark = f"[{COLOURS[found.outcome]}]{found.outcome:<13}[/]"
    console.print(
        f"{mark} {name:<13}{escape(found.summary)}  {found.seconds:.1f} s", soft_wrap=True
    )
    return found


def _code(results: Sequence[Result], *, handed_over: bool) -> Exit:
    """A report looks further than one share: only there it is known who evaluated what."""
    if unreadable(results):
        return Exit.BAD_INPUT
    passing = ("good", "not evaluated") if handed_over else ("good",)
    return Exit.DONE if _outcome(results) in passing else Exit.NOT_GOOD


def _outcome(results: Sequence[Result]) -> Outcome:
    """The worst of them; a change without work for any part is good."""
    found = {each.outcome for each in results}
    order: tuple[Outcome, ...] = ("not good", "not evaluated", "good")
    return next((outcome for outcome in order if outcome in found), "good")


def _tell_problems(results: Sequence[Result]) -> None:
    """The first of them on stderr, the rest counted: thousands of lines tell nobody anything."""
    found = _problems(results)
    for one in found[:MOST_TOLD]:
        said = f"{one.path}: {one.what}; {one.fix}"
        click.echo("\n".join(map(visible, said.split("\n"))), err=True)
    left_out = len(found) - MOST_TOLD + sum(each.more for each in results)
    if left_out > 0:
        click.echo(f"and {left_out:,} more: correct these first, then check again", err=True)


def _problems(results: Sequence[Result]) -> list[Told]:
    """All problems, each once: two parts may stumble over the same thing."""
    return list(dict.fromkeys(problem for each in results for problem in each.problems))


def _environment(results: Sequence[Result]) -> EnvironmentResult | None:
    return next((each.environment for each in results if each.environment), None)


def _change(results: Sequence[Result], base: str) -> str:
    """`release: toy in dev`, or that it is a change of something else."""
    found = _environment(results)
    if found is None or found.kind is None or found.environment is None:
        return f"change since {base}"
    return str(Change(found.kind, found.environment, found.service))  # type: ignore[arg-type]  # a kind


def _tell(console: Console, results: Sequence[Result], notes: list[str], base: str) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for result in results:
        for each in result.checks if result.part == "environments" else ():
            mark = "[green]ok[/green]" if each.passed else "[red]no[/red]"
            table.add_row(mark, escape(each.gate), escape(each.detail))
    if table.row_count:
        console.print(table)
    for note in notes:
        console.print(escape(note))
    outcome = _outcome(results)
    console.print(f"{escape(_change(results, base))}: [{COLOURS[outcome]}]{outcome}[/]")


def _notes(repo: Repository, base: str, plan: Planned, results: Sequence[Result]) -> list[str]:
    """What a reader has to know about what was and was not looked at."""
    notes = []
    if not plan.changed:
        notes.append(f"nothing differs from {base}")
    elif _environment(results) is None and _outcome(results) == "good":
        notes.append(f"nothing in environments/ differs from {base}")
    if pending := len(plan.uncommitted):
        count = "1 uncommitted file was" if pending == 1 else f"{pending} uncommitted files were"
        notes.append(f"{count} read but not judged by the rules of environments: commit first")
    if _is_behind(repo, base):
        notes.append(f"the branch is behind {base}: git rebase {base}, then check again")
    return notes


def _is_behind(repo: Repository, base: str) -> bool:
    try:
        return not repo.git.is_ancestor(repo.commit_id(base), "HEAD")
    except MlopsError:
        return False


def _as_json(base: str, results: Sequence[Result], uncommitted: Sequence[str]) -> str:
    found = _environment(results)
    outcome = _outcome(results)
    told = {
        "base": base,
        "kind": found.kind if found else None,
        "environment": found.environment if found else None,
        "service": found.service if found else None,
        "good": outcome == "good",
        "outcome": outcome,
        "checks": [c.model_dump() for r in results if r.part == "environments" for c in r.checks],
        "problems": [problem.model_dump() for problem in _problems(results)],
        "uncommitted": uncommitted,
        "parts": [result.model_dump(mode="json", exclude_none=True) for result in results],
    }
    return json.dumps(told)
