"""mlops comment: the report on the pull request, written by trusted code."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.environments.markdown import visible
from mlops.errors import Exit, bad_input
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.forges import HostedForge, Pull
    from mlops.forges.base import State
    from mlops.report.compose import Report
    from mlops.specs.result import Outcome

MARKER = "<!-- mlops:report -->"
STATUS = "mlops / verdict"
"""Under which name the verdict is told of the commit."""
WORKFLOW = "pr.yaml"
"""The file whose run a pull request waits for."""


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--pull-request",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="Default: the open ones whose head is the commit, a fork's too.",
)
@click.option("--commit", metavar="SHA", required=True, help="The head that was checked, in full.")
@click.option("--run-url", metavar="URL", help="Address of the run, for the links.")
@click.option(
    "--evaluation",
    is_flag=True,
    help="RESULTS are of a run that a maintainer let read the data: say so of the commit, and "
    "when it is good let the pull request's failed jobs run again.",
)
def command(
    results: Path, number: int | None, commit: str, run_url: str | None, evaluation: bool
) -> int:
    """Put the report of RESULTS on a pull request: one comment, updated in place, and a status.

    RESULTS may come from anybody. Nothing of the pull request is run; run this with the code of
    the main branch. The token is in FORGE_TOKEN.

    \b
    Example: mlops comment results --commit "$(git rev-parse HEAD)" --pull-request 7
    """
    return comment(
        Repository.at(), results, commit, number=number, run_url=run_url, evaluation=evaluation
    )


def comment(
    repo: Repository,
    results: Path,
    commit: str,
    *,
    number: int | None = None,
    run_url: str | None = None,
    evaluation: bool = False,
) -> int:
    """Write the comment and the status; see `command`.

    What a maintainer's evaluation has told stays: the pull request's own run, which could not
    read the data, has nothing to add.

    Raises:
        BadInput: when the forge, the pull request or the commit is not there.
        NotGood: when the pull request's head is another commit by now, or its jobs do not run
            again.
    """
    from mlops.forges import hosted_of
    from mlops.report.trusted import report_of

    full_commit(commit)
    forge = hosted_of(repo)
    pulls = _pulls(forge, commit, number, repo.project.forge.main)
    if not pulls:
        click.echo(f"nothing to tell: {commit[:12]} is the head of no open pull request")
        return Exit.DONE
    main = _fetched(repo, forge, pulls[0], commit)
    for pull in pulls:
        made = report_of(
            repo,
            results,
            main,
            commit,
            run_url=run_url,
            parts_only=evaluation,  # of evaluate-fork.yaml, which makes no report of them
            fork=not pull.own,
        )
        if not evaluation and made.verdict == "not evaluated" and _stays(forge, pull):
            continue
        _tell(forge, pull, made, run_url, evaluation=evaluation)
    return Exit.DONE


def full_commit(commit: str) -> str:
    """The commit itself.

    Raises:
        BadInput: when it is not the 40 hex digits of one.
    """
    if len(commit) == 40 and set(commit) <= set("0123456789abcdef"):
        return commit
    raise bad_input(
        "--commit",
        f"{visible(commit[:60])!r} is not a full commit",
        "write the 40 hex digits of `git rev-parse`",
    )


def _pulls(forge: "HostedForge", commit: str, number: int | None, main: str) -> list["Pull"]:
    """The one of that number, or all into main whose head is the commit."""
    from mlops.forges.hosted import moved

    if number is None:
        return [pull for pull in forge.pulls_at(commit) if pull.base == main]
    pull = forge.pull(number)
    if pull.commit != commit:
        raise moved(number, commit)
    return [pull]


def _fetched(repo: Repository, forge: "HostedForge", pull: "Pull", commit: str) -> str:
    """The commit of main, once the clone holds it and the pull request's head."""
    from mlops.forges.hosted import moved

    with repo.exclusive("mlops comment"):
        forge.fetch()
        forge.fetch_pull(pull.number)
    if repo.git.commit_of(commit) is None:
        raise moved(pull.number, commit)
    return forge.main()


def _stays(forge: "HostedForge", pull: "Pull") -> bool:
    """Whether an evaluation of this commit has told all there is."""
    from mlops.report.evaluated import evaluation_of

    found = evaluation_of(forge, pull.commit)
    if found:
        where = visible(found.url or "a maintainer's run")
        click.echo(f"pull request {pull.number}: evaluated by {where}, whose comment stays")
    return found is not None


def _tell(
    forge: "HostedForge",
    pull: "Pull",
    made: "Report",
    run_url: str | None,
    *,
    evaluation: bool,
) -> None:
    from mlops.report.evaluated import EVALUATION

    states: dict[Outcome, State] = {
        "good": "success",
        "not good": "failure",
        "not evaluated": "pending",
    }
    written = forge.upsert_comment(pull.number, MARKER, made.comment)
    whose = "" if pull.own else ", as a fork's code says"
    text = f"{made.verdict}, {made.judged.things:,} to do{whose}"
    for name in (STATUS, EVALUATION) if evaluation else (STATUS,):
        forge.set_status(pull.commit, name, states[made.verdict], text, run_url)
    click.echo(f"pull request {pull.number}: {made.verdict}, told in {visible(written.url)}")
    if evaluation and made.verdict == "good":
        click.echo(visible(forge.run_again(WORKFLOW, pull.commit)))
