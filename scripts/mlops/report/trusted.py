"""The report of a commit that is not checked out, made by the code that is."""

from collections.abc import Sequence
from pathlib import Path

from mlops.checks.context import Share
from mlops.checks.shares import shares
from mlops.errors import BadInput, Problem
from mlops.git import GitFailed
from mlops.graph import affected
from mlops.report.compose import Report, compose
from mlops.report.pages import in_run
from mlops.report.reading import read_results
from mlops.repository import Repository
from mlops.specs.result import Result

# Who makes the commit that is planned; it stays in this clone and no ref names it.
NOBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "mlops", "EMAIL": "mlops@localhost", "DATE": "0 +0000"}.items()
}


def report_of(
    repo: Repository,
    results: Path,
    main: str,
    commit: str,
    *,
    run_url: str | None = None,
    parts_only: bool = False,
    fork: bool = False,
) -> Report:
    """What to say of a pull request from results that anybody may have written.

    The plan is made here again, from what the merge would give, so that a share that was left
    out of the results is missed.

    Args:
        results: the folder of result files.
        main: the commit that the main branch is at.
        commit: the head of the pull request; both are in the clone.
        parts_only: the run keeps what each share left, and no report made of it.
        fork: the results were made by code that nobody here has approved.

    Raises:
        BadInput: when the address of the run is none.
    """
    received = read_results(results)
    base, head = _claimed(repo, received.results, main, commit)
    refused = list(received.refused)
    plan: Sequence[Share] = ()
    services: Sequence[str] = ()
    try:
        plan, services = _plan(repo, base, commit)
    except BadInput as error:
        refused += error.problems
    return compose(
        plan,
        received.results,
        base=base,
        head=head,
        refused=refused,
        ignored=received.ignored,
        pictures=received.pictures,
        pages=in_run(received.pages, run_url),
        services=services,
        run_url=run_url,
        parts_only=parts_only,
        fork=fork,
    )


def _claimed(
    repo: Repository, results: Sequence[Result], main: str, commit: str
) -> tuple[str, str]:
    """The base and the commit that all results say, when the base was on main.

    A forge checks the merge into main as it was, a commit that nobody has afterwards. Results
    that say several things are held to the pull request's own commits.
    """
    said = {(result.base, result.head) for result in results}
    if len(said) == 1:
        base, head = said.pop()
        if repo.git.commit_of(base) and repo.git.is_ancestor(base, main):
            return base, head
    return repo.git.merge_base(main, commit) or main, commit


def _plan(repo: Repository, base: str, commit: str) -> tuple[tuple[Share, ...], tuple[str, ...]]:
    """All shares of the change, and the services it reaches."""
    merged = _merged(repo, base, commit)
    changed = repo.git.changed(base, merged)
    after, before = repo.commit(merged), repo.commit(base)
    reached = affected(after, changed, before)
    return shares(after, reached, changed), reached.services


def _merged(repo: Repository, base: str, commit: str) -> str:
    """A commit with what merging gives; none is better than a conflict, so that problem is told.

    Raises:
        BadInput: when the two cannot be merged.
    """
    git = repo.git
    if git.is_ancestor(base, commit):
        return commit
    try:
        tree = git.text("merge-tree", "--write-tree", base, commit).splitlines()[0]
        return git.text(
            "commit-tree", tree, "-p", base, "-p", commit, "-m", "Merged to be planned", env=NOBODY
        )
    except GitFailed as error:
        what = f"cannot be merged into {base[:12]} without a conflict"
        raise BadInput(Problem(commit[:12], what, "merge or rebase onto main")) from error
