"""mlops diff: what differs between two releases or environments, in words."""

import dataclasses
import json
from dataclasses import dataclass

import click

from mlops.commands.history import known_service, served
from mlops.commands.plan import default_base
from mlops.environments.differences import (
    Commit,
    Difference,
    commits_between,
    differences,
    rows_of,
)
from mlops.environments.markdown import visible
from mlops.environments.timeline import known_releases
from mlops.errors import Exit, bad_input
from mlops.repository import Layout, Repository
from mlops.specs.release import Release


@dataclass(frozen=True)
class Side:
    """What was named: an environment (and the release it holds) or a release."""

    name: str
    release: Release | None

    def __str__(self) -> str:
        if self.release is None:
            return f"{self.name} holds no release"
        number = f"release {self.release.release}"
        return number if self.name == number else f"{self.name} holds {number}"


@dataclass(frozen=True)
class Compared:
    """Two sides of one service."""

    one: Side
    other: Side
    found: list[Difference]
    commits: list[Commit]


@click.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.argument("service", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(one: str, other: str, service: str | None, as_json: bool) -> int:
    """What differs from A to B, each an environment or a release number of SERVICE.

    Without SERVICE every service is compared; release numbers need it when there are several.

    \b
    Example: mlops diff prod staging
    Example: mlops diff 3 4 bike-demand
    """
    return diff(Repository.at(), one, other, service, as_json=as_json)


def diff(
    repo: Repository,
    one: str,
    other: str,
    service: str | None = None,
    *,
    as_json: bool = False,
) -> int:
    """Print the differences; the exit code is 0 whether there are any or not.

    Raises:
        BadInput: when an environment, release or service is unknown.
    """
    ref = default_base(repo)
    layout = repo.commit(ref)
    names = [known_service(layout, service)] if service else served(layout)
    if len(names) > 1 and (one.isdecimal() or other.isdecimal()):
        raise bad_input(
            f"{one} {other}",
            "release numbers are of one service, and this project has several",
            f"name it: mlops diff {one} {other} {names[0]}",
        )
    found = {name: _compared(repo, ref, layout, name, (one, other)) for name in names}
    if as_json:
        told = {name: _as_json(compared) for name, compared in found.items()}
        click.echo(json.dumps({"ref": ref, "commit": repo.commit_id(ref), "services": told}))
    else:
        click.echo("\n".join(line for name in found for line in _lines(name, found[name])))
    return Exit.DONE


def _compared(
    repo: Repository, ref: str, layout: Layout, service: str, names: tuple[str, str]
) -> Compared:
    one, other = (_side(repo, ref, layout, service, name) for name in names)
    if one.release is None or other.release is None:
        return Compared(one, other, [], [])
    found = differences(
        one.release,
        other.release,
        rows_before=rows_of(layout, one.release),
        rows_after=rows_of(layout, other.release),
    )
    return Compared(one, other, found, commits_between(repo, one.release, other.release))


def _side(repo: Repository, ref: str, layout: Layout, service: str, name: str) -> Side:
    if not name.isdecimal():
        return Side(name, layout.release(layout.known(name), service))
    known = known_releases(repo.git, layout, ref, service)
    entry = known.get(int(name))
    if entry is None or entry.release is None:
        numbers = ", ".join(map(str, sorted(known)))
        raise bad_input(
            f"apps/{service}",
            f"no environment has ever held release {name}",
            f"name one of {numbers}" if numbers else f"release it first: mlops release {service}",
        )
    return Side(f"release {int(name)}", entry.release)


def _lines(service: str, compared: Compared) -> list[str]:
    one, other, commits = compared.one, compared.other, compared.commits
    if one.release is None and other.release is None:
        return [f"{service}: neither {one.name} nor {other.name} holds a release"]
    if one.release is None or other.release is None:
        return [f"{service}: {one}, {other}"]
    if not compared.found:
        number = other.release.release
        same = "the same" if one.release == other.release else "the same content in"
        return [f"{service}: {one.name} and {other.name}: {same} release {number}"]
    return [
        f"{service}: {one}, {other}",
        *(f"  {difference}" for difference in compared.found),
        *(f"  commit {commit.commit[:12]} {visible(commit.subject)}" for commit in commits),
    ]


def _as_json(compared: Compared) -> dict[str, object]:
    def number(side: Side) -> int | None:
        return side.release.release if side.release else None

    return {
        "a": {"name": compared.one.name, "release": number(compared.one)},
        "b": {"name": compared.other.name, "release": number(compared.other)},
        "differences": [dataclasses.asdict(one) for one in compared.found],
        "commits": [dataclasses.asdict(one) for one in compared.commits],
    }
