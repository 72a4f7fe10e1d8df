"""mlops check: everything a pull request is held to, on a laptop."""

import json

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlops.commands.plan import default_base
from mlops.environments.parsing import unreadable, unreadable_sources
from mlops.environments.rules import Verdict, check_change
from mlops.errors import BadInput, Exit, MlopsError, Problem
from mlops.repository import Repository
from mlops.specs.evidence import GateResult


@click.command()
@click.option(
    "--base", metavar="REV", help="Where the change goes; default: the remote's main branch."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(base: str | None, as_json: bool) -> int:
    """All the rules a pull request is held to.

    Reads every file of the work tree, then judges the commits since BASE by the rules of their
    kind: release, promotion, rollback, settings, base, environment, experiment, create, remove.

    Example: mlops check --base origin/main
    """
    return check(Repository.at(), base=base, as_json=as_json)


def check(repo: Repository, *, base: str | None = None, as_json: bool = False) -> int:
    """Print what was checked and the verdict, and every problem; see `rules.check_change`."""
    base = base or default_base(repo)
    wrong = [*unreadable(repo), *unreadable_sources(repo)]
    verdict, code = _judged(repo, base)
    problems = list(dict.fromkeys([*wrong, *verdict.problems]))
    code = Exit.BAD_INPUT if wrong else code
    checks = (_files(wrong), *verdict.checks)
    uncommitted = repo.git.uncommitted()
    if as_json:
        click.echo(_as_json(base, verdict, checks, problems, uncommitted))
    else:
        _tell(repo, base, verdict, checks, uncommitted, good=code == Exit.DONE)
        for problem in problems:
            click.echo(str(problem), err=True)
    return code


def _judged(repo: Repository, base: str) -> tuple[Verdict, Exit]:
    try:
        verdict = check_change(repo, base, "HEAD")
    except BadInput as error:
        return Verdict(None, problems=error.problems), error.code
    return verdict, Exit.NOT_GOOD if verdict.problems else Exit.DONE


def _files(wrong: list[Problem]) -> GateResult:
    detail = f"{len(wrong)} wrong, told below" if wrong else "all of them"
    return GateResult(gate="files can be read", passed=not wrong, detail=detail)


def _tell(
    repo: Repository,
    base: str,
    verdict: Verdict,
    checks: tuple[GateResult, ...],
    uncommitted: list[str],
    *,
    good: bool,
) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in checks:
        mark = "[green]ok[/green]" if each.passed else "[red]no[/red]"
        table.add_row(mark, escape(each.gate), escape(each.detail))
    console.print(table)
    for note in _notes(repo, base, verdict, uncommitted):
        console.print(escape(note))
    kind = str(verdict.change) if verdict.change else f"change since {base}"
    word = "[green]good[/green]" if good else "[red]not good[/red]"
    console.print(f"{escape(kind)}: {word}")


def _notes(repo: Repository, base: str, verdict: Verdict, uncommitted: list[str]) -> list[str]:
    """What a reader has to know about what was and was not looked at."""
    notes = []
    if verdict.kind is None and not verdict.problems:
        notes.append(f"nothing in environments/ differs from {base}")
    if uncommitted:
        one = len(uncommitted) == 1
        count = "1 uncommitted file was" if one else f"{len(uncommitted)} uncommitted files were"
        notes.append(f"{count} read but not judged by the rules: commit first")
    if _is_behind(repo, base):
        notes.append(f"the branch is behind {base}: git rebase {base}, then check again")
    return notes


def _is_behind(repo: Repository, base: str) -> bool:
    try:
        return not repo.git.is_ancestor(repo.commit_id(base), "HEAD")
    except MlopsError:
        return False


def _as_json(
    base: str,
    verdict: Verdict,
    checks: tuple[GateResult, ...],
    problems: list[Problem],
    uncommitted: list[str],
) -> str:
    change = verdict.change
    told = {
        "base": base,
        "kind": verdict.kind,
        "environment": change.environment if change else None,
        "service": change.service if change else None,
        "good": not problems,
        "checks": [each.model_dump() for each in checks],
        "problems": [{"path": p.path, "what": p.what, "fix": p.fix} for p in problems],
        "uncommitted": uncommitted,
    }
    return json.dumps(told)
