"""mlops merge: the bot's releases merge themselves when all is green."""

from typing import TYPE_CHECKING

import click

from mlops.commands.comment import full_commit
from mlops.commands.proposing import skip_behind
from mlops.environments.markdown import visible
from mlops.errors import BadInput, Exit, NotGood, Problem, bad_input, not_good
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
    help="Which one; default: the bot's open one whose head is the commit.",
)
@click.option("--commit", metavar="SHA", required=True, help="The head to merge, in full.")
@skip_behind
def command(number: int | None, commit: str, *, skip_behind: bool) -> int:
    """Merge a release that the bot opened, at exactly one commit.

    Only releases to the first environment, opened by `bot` of mlops.toml, with every required
    check green on that commit and main where it started; everything else is for people. A
    second run finds it merged and says so. The token is in FORGE_TOKEN.

    \b
    Example: mlops merge --commit "$(git rev-parse origin/release/toy-4)"
    Example: mlops merge --pull-request 7 --commit "$(git rev-parse origin/release/toy-4)"
    """
    return merge(Repository.at(), commit, number=number, skip_behind=skip_behind)


def merge(
    repo: Repository, commit: str, *, number: int | None = None, skip_behind: bool = False
) -> int:
    """Merge it, or say everything that is in the way.

    Args:
        commit: the head that is green.
        number: which pull request; None: the bot's open one into main with that head.
        skip_behind: a release that started from an older main is no failure: the run of the
            newer commit opens it again there.

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
    pull = _pull(repo, forge, commit, number, bot)
    if pull is None:
        click.echo(f"nothing to merge: {commit[:12]} is the head of no open pull request of {bot}")
        return Exit.DONE
    if _is_done(pull, commit):
        _tell(pull, "merged already", pull.squashed)
        return Exit.DONE
    if problems := _wrong(repo, pull, bot):
        raise NotGood(problems)
    with repo.exclusive("mlops merge"):
        forge.fetch()
    if behind := _behind(repo, forge, pull):
        if not skip_behind:
            raise NotGood(behind)
        click.echo(f"{behind.path} {behind.what}: the run of that commit opens it again")
        return Exit.DONE
    if problems := [*_unruly(repo, forge, pull), *_not_green(repo, forge, commit)]:
        raise NotGood(problems)
    _tell(pull, "merged", _merged(forge, pull, commit))
    return Exit.DONE


def _tell(pull: "Pull", what: str, squashed: str | None) -> None:
    """Say as which commit it is in main."""
    click.echo(f"pull request {pull.number} is {what}, as {(squashed or '')[:12]}")


def _pull(
    repo: Repository, forge: "HostedForge", commit: str, number: int | None, bot: str
) -> "Pull | None":
    """The one of that number, else the bot's open one into main with that head, if any.

    Raises:
        NotGood: when several have that head.
    """
    if number is not None:
        return forge.pull(number)
    main = repo.project.forge.main
    found = [pull for pull in forge.pulls_at(commit) if (pull.author, pull.base) == (bot, main)]
    if len(found) > 1:
        numbers = " and ".join(str(pull.number) for pull in found)
        raise not_good(
            f"commit {commit[:12]}",
            f"is the head of the pull requests {numbers}",
            "close all but one, or name one: --pull-request N",
        )
    return found[0] if found else None


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


def _behind(repo: Repository, forge: "HostedForge", pull: "Pull") -> Problem | None:
    """What was checked is not what a merge would give when main has moved on since."""
    main = forge.main()
    if repo.git.merge_base(main, pull.commit) == main:
        return None
    what = f"started from another commit than {main[:12]}, where main is now"
    fix = "let `mlops release` open it again on main, or merge by hand"
    return Problem(f"pull request {pull.number}", what, fix)


def _unruly(repo: Repository, forge: "HostedForge", pull: "Pull") -> list[Problem]:
    """What its files break: it has to be one release."""
    from mlops.environments.rules import Verdict, check_change

    name, main = f"pull request {pull.number}", forge.main()
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
