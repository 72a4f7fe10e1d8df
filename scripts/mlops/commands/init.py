"""mlops init: the fork's own names, forge and stores, in one go."""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping

import click

from mlops import owners as code_owners
from mlops import rendering
from mlops.errors import Exit, bad_input
from mlops.files import write_whole
from mlops.repository import PROJECT_FILE, Layout, Repository
from mlops.specs.base import validated
from mlops.specs.project import Argocd, Project
from mlops.toml_text import Values, with_values
from mlops.tree import Overlay

OWNERS_LINE = re.compile(rb"^owners: \[[^\]\n]*\]", re.MULTILINE)
BY_HAND = """\
By hand on the forge, once (docs/workflows.md tells each step):
  1. a GitHub App, the bot: repository permissions Contents and Pull requests read and write;
     its id as the variable MLOPS_APP_ID, its key as the secret MLOPS_APP_KEY of the
     environment `release`, its login as `mlops init --bot LOGIN[bot]`
  2. the environments `release` (branch {main} only) and `fork-evaluation` (required reviewers)
  3. the ruleset: Settings, Rules, Rulesets, Import, .github/rulesets/main.json
  4. where the stores are private: the variable MLOPS_DATA_ROLE, a role that reads them by OIDC\
"""


@click.command()
@click.option("--name", metavar="NAME", help="The project's name.")
@click.option(
    "--owner",
    "owners",
    metavar="OWNER",
    multiple=True,
    help="Who approves, as CODEOWNERS names (@org/team); may stand several times.",
)
@click.option("--forge", type=click.Choice(["local", "github", "gitea"]), help="Its kind.")
@click.option("--repository", metavar="OWNER/NAME", help="The repository on the forge.")
@click.option("--url", metavar="URL", help="The forge's address; default: github.com.")
@click.option("--bot", metavar="LOGIN", help="Who opens releases on the forge.")
@click.option("--stores-root", metavar="FOLDER", help="Folder of the embedded stores.")
@click.option("--registry", metavar="URI", help="MLflow tracking URI.")
@click.option("--data", metavar="URL", help="DVC remote URL.")
@click.option(
    "--base-image",
    metavar="NAME:TAG",
    help="What images are made from: Python 3.11, libgomp and libstdc++; pinned by its digest.",
)
def command(owners: tuple[str, ...], **options: str | None) -> int:
    """Write the fork's own names, forge and stores, and CODEOWNERS.

    Only what an option names is changed in mlops.toml, comments stay. Environments that the
    project's owners owned go to the new ones. What Argo CD is given is rendered for the repository
    on the forge. Run again, it changes nothing.

    \b
    Example: mlops init --name rides --owner @acme/ml --forge github --repository acme/rides
    Example: mlops init --registry https://mlflow.example.com --data s3://acme-data/dvc
    """
    return init(Repository.at(), owners=owners, **options)


def init(
    repo: Repository,
    *,
    name: str | None = None,
    owners: tuple[str, ...] = (),
    forge: str | None = None,
    repository: str | None = None,
    url: str | None = None,
    bot: str | None = None,
    stores_root: str | None = None,
    registry: str | None = None,
    data: str | None = None,
    base_image: str | None = None,
) -> int:
    """Write mlops.toml, the environments' owners and CODEOWNERS, and say what is left to do.

    Raises:
        BadInput: with everything wrong with the new values; nothing is written then.
    """
    wanted = {
        "project": _given(name=name, owners=list(owners) or None),
        "forge": _given(kind=forge, url=url, repository=repository, bot=bot),
        "stores": _given(root=stores_root, registry=registry, data=data),
        "images": _given(base=_pinned(base_image) if base_image else None),
    }
    with repo.exclusive("mlops init"):
        changed = _changes(repo, wanted, owners)
        for path, content in changed.items():
            if rendering.is_rendered(path):
                click.echo(f"{path}: rendered")
            else:
                _show(path, repo.tree.read(path) or b"", content)
            write_whole(repo.root / path, content)
    project = _project(changed.get(PROJECT_FILE) or repo.tree.read(PROJECT_FILE) or b"")
    click.echo(_closing(project, changed))
    return Exit.DONE


def _pinned(image: str) -> str:
    """An image with its digest; a container tool asks the registry for it when it has none."""
    if "@" in image:
        return image
    from mlops.images.tools import choose

    found = choose().pull(image)
    if found is None:
        raise bad_input(image, "is not in the registry", "correct --base-image")
    return f"{image}@{found.partition('@')[2]}"


def _given(**values: object) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}


def _changes(repo: Repository, wanted: Values, owners: tuple[str, ...]) -> dict[str, bytes]:
    """Files that differ from what they are to hold, and what they are to hold."""
    before = (repo.tree.read(PROJECT_FILE) or b"").decode()
    text = with_values(before, wanted, PROJECT_FILE)
    moved = _moved(repo.project, _project(text.encode()))
    new = {PROJECT_FILE: with_values(text, {"argocd": moved}, PROJECT_FILE).encode()}
    _project(new[PROJECT_FILE])
    if owners:
        new |= _environments(repo, owners)
    layout = Layout(Overlay(repo.tree, new))
    new[code_owners.PATH] = code_owners.codeowners(layout).encode()
    rendered = rendering.stale(layout)
    new |= {path: text.encode() for path, text in rendered.items() if text is not None}
    return {path: text for path, text in new.items() if text != repo.tree.read(path)}


def _moved(before: Project, after: Project) -> dict[str, object]:
    """What Argo CD reads when the forge's repository is another, and it was written out."""
    derived = after.model_copy(update={"argocd": Argocd()}).watched
    another = before.forge.repository != after.forge.repository
    if another and derived and after.argocd.repository:
        return {"repository": derived}
    return {}


def _project(text: bytes) -> Project:
    return validated(tomllib.loads(text.decode()), PROJECT_FILE, Project)


def _environments(repo: Repository, owners: tuple[str, ...]) -> dict[str, bytes]:
    """env.yaml of each environment whose owners were the project's, with the new ones."""
    line = b"owners: " + json.dumps(list(owners)).encode()
    found = {}
    for name in repo.order:
        path = f"environments/{name}/env.yaml"
        if repo.environment(name).owners == repo.project.project.owners:
            found[path] = OWNERS_LINE.sub(lambda _: line, repo.tree.read(path) or b"", count=1)
    return found


def _show(path: str, before: bytes, after: bytes) -> None:
    lines = difflib.unified_diff(
        before.decode().splitlines(), after.decode().splitlines(), lineterm="", n=0
    )
    click.echo(f"{path}:")
    for line in lines:
        if not line.startswith(("---", "+++", "@@")):
            click.echo(f"  {line}")


def _closing(project: Project, changed: Mapping[str, bytes]) -> str:
    lines = [] if changed else ["Everything is written already."]
    if project.forge.kind == "github":
        lines.append(BY_HAND.format(main=project.forge.main))
    if not (project.stores.registry and project.stores.data):
        lines.append(
            "No stores are named: pull requests are checked, and releases are made on machines "
            f"that share {project.stores.root} (--registry and --data name others)"
        )
    commit = "commit it, then see what is missing" if changed else "see what is missing"
    return "\n".join([*lines, f"Next: {commit}: mlops doctor"])
