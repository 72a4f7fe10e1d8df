"""mlops render: write what Argo CD reads from the files beside it, or check that it is current."""

import json
from collections.abc import Sequence
from functools import partial

import click

from mlops import rendering
from mlops.environments import clusters
from mlops.environments.manifests import stale
from mlops.errors import BadInput, Exit, NotGood, Problem
from mlops.files import write_whole
from mlops.repository import Repository


@click.command()
@click.argument("environments", metavar="[ENV]...", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; say which files are not current.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(environments: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Write manifests.yaml wherever an environment's folder holds a release.

    Without ENV: in all environments. A manifests.yaml beside no release is removed. Where
    mlops.toml says which repository Argo CD reads, what an environment's cluster gets is written
    to infra/argocd, infra/clusters and infra/bootstrap. Without ENV also the pipelines of models
    are written, to infra/workflows, and the alert rules of datasets whose contracts promise
    service levels, to infra/monitoring.

    Example: mlops render prod
    """
    return render(Repository.at(), environments, check=check, as_json=as_json)


def render(
    repo: Repository,
    environments: Sequence[str] = (),
    *,
    check: bool = False,
    as_json: bool = False,
) -> int:
    """Make the rendered files of the work tree current.

    Raises:
        BadInput: with every problem of the files that it is rendered from; nothing is written then.
        NotGood: with `check`, when a file is not current; names each.
    """
    chosen = [repo.known(name) for name in environments] or list(repo.order)
    found = _stale(repo, chosen, whole=not environments)
    if as_json:
        click.echo(
            json.dumps({"environments": chosen, "stale": sorted(found), "written": not check})
        )
    if check:
        return _checked(repo, chosen, found, quiet=as_json)
    with repo.exclusive("mlops render"):
        for path, text in found.items():
            _put(repo, path, text, quiet=as_json)
    if not as_json:
        _close(chosen, found)
    return Exit.DONE


def _stale(repo: Repository, chosen: Sequence[str], *, whole: bool) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    problems: list[Problem] = []
    beside = partial(rendering.stale, repo) if whole else partial(clusters.stale, repo, chosen)
    for look in (partial(stale, repo, repo, chosen), beside):
        try:
            found |= look()
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(dict.fromkeys(problems))
    return found


def _checked(
    repo: Repository, chosen: Sequence[str], found: dict[str, str | None], *, quiet: bool
) -> int:
    if found:
        raise NotGood(_problem(repo, path, text) for path, text in sorted(found.items()))
    if not quiet:
        click.echo(f"manifests of {', '.join(chosen)} are current")
    return Exit.DONE


def _problem(repo: Repository, path: str, text: str | None) -> Problem:
    if rendering.is_rendered(path):
        return rendering.stale_problem(repo, path, text)
    return stale_problem(path, text)


def stale_problem(path: str, text: str | None) -> Problem:
    """What is wrong with a manifests.yaml that is not current; `text` is what it has to hold."""
    what = "lies beside no release" if text is None else "is not what the files beside it render to"
    return Problem(path, what, "run `mlops render` and commit the result, never edit it by hand")


def _put(repo: Repository, path: str, text: str | None, *, quiet: bool) -> None:
    if text is None:
        (repo.root / path).unlink(missing_ok=True)
    else:
        write_whole(repo.root / path, text)
    if not quiet:
        click.echo(f"{'removed' if text is None else 'wrote'} {path}")


def _close(chosen: Sequence[str], found: dict[str, str | None]) -> None:
    if found:
        tops = dict.fromkeys(path.partition("/")[0] for path in sorted(found))
        click.echo(f"next: git add {' '.join(tops)} && git commit")
    else:
        click.echo(f"manifests of {', '.join(chosen)} are current, nothing to write")
