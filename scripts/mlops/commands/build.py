"""mlops build: a service and its registered models as a bento, and as an image."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from mlops import digests
from mlops.bento import Artifact, Built
from mlops.bento import build as build_bento
from mlops.errors import BadInput, Exit, NotGood, Problem, bad_input
from mlops.images.names import TOOLS
from mlops.lineage import told
from mlops.lineage.step import recorded, recording
from mlops.lineage.told import Thing
from mlops.registry import Registered, Registry
from mlops.repository import Layout, Repository
from mlops.sources import SERVING_CODE, training_inputs

if TYPE_CHECKING:
    from mlops.images.making import Pushed


@click.command()
@click.argument("service")
@click.option(
    "--train", "first_train", is_flag=True, help="First train the models that HEAD has anew."
)
@click.option(
    "--image",
    "registry",
    metavar="HOST/PATH",
    help="Push it as the image HOST/PATH/SERVICE, too; mlops.toml names what it is made from.",
)
@click.option(
    "--tool",
    type=click.Choice(TOOLS),
    help="What makes the image; default: the first that works here.",
)
@click.option(
    "--github",
    is_flag=True,
    help="Append the bento's `path` and the image's `digest` to $GITHUB_OUTPUT.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    service: str,
    *,
    first_train: bool,
    registry: str | None,
    tool: str | None,
    github: bool,
    as_json: bool,
) -> int:
    """Build SERVICE from the files of HEAD and the models registered for them.

    The same files and models give the same bento; nothing in it depends on when or where.

    \b
    Example: mlops build bike-demand
    Example: mlops build bike-demand --image ghcr.io/acme --tool podman
    """
    repo = Repository.at()
    if first_train:
        from mlops.commands.release import train_models

        train_models(repo, service)
    return build(repo, service, registry=registry, tool=tool, github=github, as_json=as_json)


@recorded("build")
def build(
    repo: Repository,
    service: str,
    *,
    registry: str | None = None,
    tool: str | None = None,
    github: bool = False,
    as_json: bool = False,
) -> int:
    """Build a service at HEAD, push its image where a registry is named, and print the digests.

    Raises:
        BadInput: when `github` is asked for where no job runs; like `build_at`; when no image
            can be made (no tool, no pinned base) or the registry refuses it.
        NotGood: like `build_at`.
    """
    output = os.environ.get("GITHUB_OUTPUT")
    if github and not output:
        raise bad_input("$GITHUB_OUTPUT", "is not set", "leave --github out, it is for jobs of CI")
    started = time.monotonic()
    refuse_uncommitted(repo, service)
    head = repo.git.head()
    pushes = _pushes(repo, head, registry, tool)
    with Console(stderr=True).status(f"building {service}") as status:
        built, models = build_at(repo, head, service)
        status.update(f"making the image of {service}")
        image = pushes(service, built)
        if image:
            told.wrote(f"{registry}/{image.name}", image.digest, Thing("image", image.name))
    seconds = round(time.monotonic() - started, 1)
    if github and output:
        with Path(output).open("a", encoding="utf-8") as file:
            file.write(f"path={built.path}\n" + (f"digest={image.digest}\n" if image else ""))
    if as_json:
        click.echo(json.dumps(_values(service, built, models, image, seconds)))
    else:
        _tell(repo, service, built, models, image=image, seconds=seconds)
    return Exit.DONE


def _pushes(
    repo: Repository, commit: str, registry: str | None, tool: str | None
) -> Callable[[str, Built], "Pushed | None"]:
    """What makes the image; all that can be seen to be missing is told before anything is made."""
    if registry is None:
        return lambda _service, _built: None
    from mlops.images import making, tools
    from mlops.images.names import registry_of

    layout = repo.commit(commit)
    making.base_of(layout)
    into, chosen = registry_of(registry), tools.choose(tool)
    return lambda service, built: making.make(
        repo, layout, service, built, registry=into, tool=chosen
    )


def build_at(repo: Repository, commit: str, service: str) -> tuple[Built, dict[str, Registered]]:
    """Build a service from a commit's files and the models registered for exactly these.

    Raises:
        NotGood: naming every model that was not trained from the commit's source and data.
        BadInput: when files are missing or wrong.
    """
    with recording(repo, "build", service):
        layout = repo.commit(commit)
        registry = Registry.of(repo)
        models = registered_for(registry, layout, layout.service(service).models)
        artifacts = {
            name: Artifact(found.digest, registry.fetch(found)) for name, found in models.items()
        }
        return build_bento(repo, layout, service, artifacts), models


def registered_for(
    registry: Registry, layout: Layout, names: tuple[str, ...]
) -> dict[str, Registered]:
    """The version of each model that was trained from this source and the pinned data.

    Raises:
        NotGood: naming every model without one.
    """
    from mlops.data.pin import read_pin

    found: dict[str, Registered] = {}
    problems: list[Problem] = []
    for name in names:
        pin = read_pin(layout, layout.model(name).data.dataset)
        version = registry.find(name, inputs=training_inputs(layout, name, pin.digest))
        if version is None:
            what = "no registered version of this source and data"
            problems.append(Problem(f"models/{name}", what, f"run mlops train {name}"))
        else:
            found[name] = version
    if problems:
        raise NotGood(problems)
    return found


def refuse_uncommitted(repo: Repository, service: str) -> None:
    """A bento is built from a commit: what it is made of has to be in it.

    Raises:
        BadInput: naming each file of the service or its models that differs from HEAD.
    """
    models = repo.service(service).models
    folders = (f"apps/{service}/", *(f"models/{name}/" for name in models))
    datasets = {f"data-contracts/{repo.model(name).data.dataset}.dvc" for name in models}
    tool = tuple(f"scripts/mlops/{part}" for part in SERVING_CODE)
    differing = [
        path
        for path in repo.git.uncommitted()
        if (path.startswith(folders) and _decides(path))
        or path.startswith(tool)
        or path in {"requirements/serve.txt", *datasets}
    ]
    if differing:
        raise BadInput(
            Problem(path, "differs from the last commit", "commit it, then build")
            for path in differing
        )


def _decides(path: str) -> bool:
    """Whether a file of a service's or model's folder takes part in what is built."""
    return path.endswith((".py", ".yaml")) and "/tests/" not in path


def _values(
    service: str,
    built: Built,
    models: dict[str, Registered],
    image: "Pushed | None",
    seconds: float,
) -> dict[str, object]:
    return {
        "service": service,
        "bento": built.digest,
        "path": str(built.path),
        "bytes": built.size,
        "new": built.new,
        "models": {
            name: {"version": found.version, "digest": found.digest}
            for name, found in models.items()
        },
        **({"image": asdict(image)} if image else {}),
        "seconds": seconds,
    }


def _tell(
    repo: Repository,
    service: str,
    built: Built,
    models: dict[str, Registered],
    *,
    image: "Pushed | None",
    seconds: float,
) -> None:
    said = "built" if built.new else "was there already, unchanged"
    click.echo(f"bento of {service} {said} ({built.size / 1e6:.1f} MB, {seconds} s)")
    click.echo(f"  {'digest':<8}{built.digest}")
    click.echo(f"  {'path':<8}{built.path}")
    for name, found in models.items():
        click.echo(f"  {'model':<8}{name} version {found.version}, {digests.short(found.digest)}")
    pinned = f" --image {image.name}@{image.digest}" if image else ""
    if image:
        click.echo(f"  {'image':<8}{image.digest}, made with {image.tool}")
        said = "there already" if image.reused else "made for this lock"
        click.echo(f"  {'runtime':<8}{image.runtime}, {said}")
    first = repo.order[0]
    opens = f"(opens the pull request that puts it in {first})"
    click.echo(f"Next: mlops release {service}{pinned}   {opens}")
