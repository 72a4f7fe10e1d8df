"""mlops report: one report of all that the checks found."""

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from mlops.checks.planning import Planned, planned
from mlops.commands.comment import full_commit
from mlops.environments.markdown import visible
from mlops.errors import BadInput, Exit, Problem, bad_input
from mlops.files import write_whole
from mlops.git import MISSING
from mlops.graph import Affected
from mlops.report.compose import VERDICTS, Report, compose
from mlops.report.evaluated import Evaluation, evaluation_of
from mlops.report.page import page
from mlops.report.pages import beside, in_run
from mlops.report.reading import Received, read_results
from mlops.repository import Repository

MOST_TOLD = 20
"""Problems that are printed; all of them are in the report."""


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--base", metavar="REV", help="Where the change goes; default: the remote's main branch."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("report"), show_default=True,
    help="Folder for comment.md, summary.md, index.html, the pictures and the datasets' pages.",
)  # fmt: skip
@click.option("--run-url", metavar="URL", help="Address of the run, for the links.")
@click.option(
    "--commit",
    metavar="SHA",
    help="Head of the pull request: what could not be evaluated passes when the forge says that "
    "a maintainer had exactly this commit evaluated. The token is in FORGE_TOKEN.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    results: Path,
    *,
    base: str | None,
    out: Path,
    run_url: str | None,
    commit: str | None,
    as_json: bool,
) -> int:
    """One report of what `mlops check --out RESULTS` found.

    A share of the plan without a result is not good.

    \b
    Example: mlops report results --base origin/main
    """
    return report(
        Repository.at(),
        results,
        base=base,
        out=out,
        run_url=run_url,
        commit=commit or None,
        as_json=as_json,
    )


def report(
    repo: Repository,
    results: Path,
    *,
    base: str | None = None,
    out: Path = Path("report"),
    run_url: str | None = None,
    commit: str | None = None,
    as_json: bool = False,
) -> int:
    """Write the report into `out`, append it to $GITHUB_STEP_SUMMARY, print the verdict.

    Returns:
        The exit code of the verdict; 2 when there is no plan (an unknown base, a broken
        mlops.toml), which the report tells, or when files of the change cannot be read.

    Raises:
        BadInput: when the address is none, or the commit is not what is checked out.
    """
    if commit is not None:
        _checked(repo, commit)
    plan, unplanned = _plan(repo, base)
    received = read_results(results)
    composed = partial(
        compose,
        plan.shares,
        () if unplanned else received.results,
        base=plan.base,
        head=plan.head,
        refused=(*unplanned, *received.refused),
        ignored=received.ignored,
        pictures=received.pictures,
        pages=in_run(received.pages, run_url) if run_url else beside(received.pages),
        services=plan.affected.services,
        run_url=run_url,
    )
    made = composed()
    if made.verdict == "not evaluated" and commit is not None:
        made = composed(evaluation=_evaluation(repo, commit))
    _write(out, made, received)
    if step_summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(step_summary).open("a", encoding="utf-8") as file:
            file.write(made.summary)
    if as_json:
        click.echo(_as_json(made, received))
    else:
        _tell(made, results, out)
    return Exit.BAD_INPUT if unplanned else made.judged.code


def _plan(repo: Repository, base: str | None) -> tuple[Planned, tuple[Problem, ...]]:
    """What the jobs were given, or an empty plan and why there is none: the report tells it."""
    try:
        return planned(repo, base, uncommitted=False), ()
    except BadInput as error:
        return Planned(MISSING, repo.git.head(), (), Affected(), ()), error.problems


def _checked(repo: Repository, commit: str) -> None:
    """Nothing, when the commit is checked out, or what a forge's merge of it was made of."""
    heads = {repo.git.head(), repo.git.commit_of("HEAD^2")}
    if full_commit(commit) not in heads:
        raise bad_input(
            "--commit",
            f"{commit[:12]} is not what was checked out",
            "name the head of the pull request that HEAD merges",
        )


def _evaluation(repo: Repository, commit: str) -> Evaluation | None:
    """What the forge says; a forge that cannot be asked says nothing."""
    from mlops.forges import hosted_of

    try:
        return evaluation_of(hosted_of(repo), commit)
    except BadInput as error:
        click.echo(visible(f"whether it was evaluated elsewhere is not known: {error}"), err=True)
        return None


def _write(out: Path, made: Report, received: Received) -> None:
    write_whole(out / "comment.md", made.comment)
    write_whole(out / "summary.md", made.summary)
    write_whole(out / "index.html", page(made.summary, received.pictures, received.pages))
    for picture in received.pictures:
        write_whole(out / picture.file, picture.content)
    for one in received.pages:
        write_whole(out / one.file, one.content)


def _tell(made: Report, results: Path, out: Path) -> None:
    judged = made.judged
    count = len(judged.results)
    click.echo(f"{count} result{'' if count == 1 else 's'} in {results}")
    for problem in judged.to_do[:MOST_TOLD]:
        click.echo(visible(str(problem)), err=True)
    if judged.things > MOST_TOLD:
        click.echo(f"{judged.things - MOST_TOLD:,} more are in {out}/summary.md", err=True)
    click.echo(f"written: {out}/comment.md, summary.md, index.html")
    click.echo(f"{VERDICTS[judged.outcome].lower()}: {_plain(made.sentence)}")


def _plain(sentence: str) -> str:
    return sentence.replace("`", "")


def _as_json(made: Report, received: Received) -> str:
    def told(problems: Sequence[Problem]) -> list[dict[str, str]]:
        return [{"path": one.path, "what": one.what, "fix": one.fix} for one in problems]

    return json.dumps(
        {
            "verdict": made.verdict,
            "sentence": _plain(made.sentence),
            "problems": told(made.judged.to_do),
            "ignored": told(received.ignored),
            "missing": [
                {"part": one.part, "shard": one.shard, "of": one.of} for one in made.judged.missing
            ],
            "pictures": [picture.file for picture in received.pictures],
            "pages": [each.file for each in received.pages],
        }
    )
