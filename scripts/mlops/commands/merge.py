"""mlops merge: the bot's releases merge themselves when all is green."""

from typing import TYPE_CHECKING

import click

from mlops.commands.comment import full_commit
from mlops.environments.markdown import visible
from mlops.errors import BadInput, Exit, NotGood, Problem, bad_input
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.forges import HostedForge, Pull

BY_HAND = "have it approved and merge it by hand"


@click.command()
@click.option(
    "--pull-request",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    required=True,
    help="Which one.",
)
@click.option("--commit", metavar="SHA", required=True, help="The head to merge, in full.")
def command(number: int, commit: str) -> int:
    """Merge a release that the bot opened, at exactly one commit.

    Only releases to the first environment, opened by `bot` of mlops.toml, with every required
    check green on that commit and main where it started; everything else is for people. A
    second run finds it merged and says so. The token is in FORGE_TOKEN.

    \b
    Example: mlops merge --pull-request 7 --commit "$(git rev-parse origin/release/toy-4)"
    """
    return merge(Repository.at(), number, commit)


def merge(repo: Repository, number: int, commit: str) -> int:
    """Merge it, or say everything that is in the way.

    Raises:
        NotGood: with every reason not to merge it.
        BadInput: when the forge, the pull request or the bot's name is not there.
    """
    from mlops.forges import hosted_of

    full_commit(commit)
    bot = repo.project.forge.bot
    if bot is None:
        raise bad_input(
            "mlops.toml",
            "key is missing `forge.bot`, whose releases merge themselves",
            'write `bot = "LOGIN"` below [forge], or merge by hand',
        )
    forge = hosted_of(repo)
    pull = forge.pull(number)
    if _is_done(pull, commit):
        click.echo(f"pull request {number} is merged already, as {(pull.squashed or '')[:12]}")
        return Exit.DONE
    if problems := _wrong(repo, pull, bot):
        raise NotGood(problems)
    with repo.exclusive("mlops merge"):
        forge.fetch()
    if problems := [*_unruly(repo, forge, pull), *_not_green(repo, forge, commit)]:
        raise NotGood(problems)
    squashed = _merged(forge, pull, commit)
    click.echo(f"pull request {number} is merged, as {(squashed or '')[:12]}")
    return Exit.DONE


def _merged(forge: "HostedForge", pull: "Pull", commit: str) -> str | None:
    """Merge it, and tell which commit it became."""
    try:
        forge.merge(pull, commit, f"{pull.title} (#{pull.number})")
    except NotGood:
        # Another run was faster, or the answer to the first try was lost on its way.
        there = forge.pull(pull.number)
        if not (there.merged and there.commit == commit):
            raise
        return there.squashed
    return forge.pull(pull.number).squashed


def _is_done(pull: "Pull", commit: str) -> bool:
    """Whether it is merged at this commit; raises when the head is another one."""
    from mlops.forges.hosted import moved

    if pull.commit != commit:
        raise moved(pull.number, commit)
    return pull.merged


def _wrong(repo: Repository, pull: "Pull", bot: str) -> list[Problem]:
    """What can be told of it without looking at its files."""
    name, main = f"pull request {pull.number}", repo.project.forge.main
    problems = []
    if not pull.open:
        problems.append(Problem(name, "is closed without a merge", "open it again, or leave it"))
    if pull.author != bot:
        what = f"was opened by {visible(pull.author)}, not by {bot}"
        problems.append(Problem(name, what, BY_HAND))
    if not pull.own:
        problems.append(Problem(name, "comes from a fork", BY_HAND))
    if pull.base != main:
        what = f"goes into {visible(pull.base)}, not into {main}"
        problems.append(Problem(name, what, BY_HAND))
    return problems


def _unruly(repo: Repository, forge: "HostedForge", pull: "Pull") -> list[Problem]:
    """What its files break: it has to be one release, on main as it is now."""
    from mlops.environments.rules import Verdict, check_change

    name, main = f"pull request {pull.number}", forge.main()
    if repo.git.merge_base(main, pull.commit) != main:
        # What was checked is not what a merge would give.
        what = f"started from another commit than {main[:12]}, where main is now"
        return [Problem(name, what, "let `mlops release` open it again on main, or merge by hand")]
    try:
        verdict = check_change(repo, main, pull.commit)
    except BadInput as error:
        return list(error.problems)
    if verdict.kind not in (None, "release") or verdict == Verdict(None):
        kind = f"is of the kind {verdict.kind}" if verdict.kind else "touches no environment"
        return [Problem(name, f"{kind}, only releases merge themselves", BY_HAND)]
    return list(verdict.problems)


def _not_green(repo: Repository, forge: "HostedForge", commit: str) -> list[Problem]:
    """Required checks, as main has them, that have not passed on the commit."""
    from mlops.forges.ruleset import read_ruleset

    ruleset, checks = read_ruleset(repo.commit(forge.main())), forge.checks(commit)
    return [
        Problem(
            f"commit {commit[:12]}",
            f"the required check {required.name} {required.state(checks)}",
            "wait for it, or look at what it says, then run this again",
        )
        for required in ruleset.required_on(repo.project.forge.kind)
        if not required.met(checks)
    ]
