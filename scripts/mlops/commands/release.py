"""mlops release: the pull request that puts a new release into the first environment."""

import contextlib
import json
import sys
from collections.abc import Collection

import click

from mlops.commands.proposing import Steps, left_to_newer, skip_behind, told, values
from mlops.errors import Exit, bad_input
from mlops.lineage.step import recorded
from mlops.repository import Repository
from mlops.specs.base import validated
from mlops.specs.release import Image


@click.command()
@click.argument("service")
@click.option(
    "--image",
    metavar="NAME@sha256:HEX",
    help="The image that was pushed for HEAD, without registry host; default: none.",
)
@click.option(
    "--train", "first_train", is_flag=True, help="First train the models that HEAD has anew."
)
@skip_behind
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    service: str, *, image: str | None, first_train: bool, skip_behind: bool, as_json: bool
) -> int:
    """Open the pull request that puts a release of SERVICE into the first environment.

    Builds HEAD, measures its models, holds them to their gates and to what serves there now,
    and writes evidence and release into a branch. HEAD has to be what the forge's main branch
    holds. Nothing in the work tree changes; run again, it gives the same branch.

    \b
    Example: mlops release bike-demand
    Example: mlops release bike-demand --train --image bike-demand@sha256:2c26...
    """
    repo, pinned = Repository.at(), image_of(image)
    if skip_behind and left_to_newer(repo, as_json=as_json):
        return Exit.DONE
    if first_train:
        train_models(repo, service)
        if skip_behind and left_to_newer(repo, as_json=as_json):  # while it was trained
            return Exit.DONE
    return release(repo, service, image=pinned, as_json=as_json)


def image_of(text: str | None) -> Image | None:
    """`NAME@sha256:HEX` as an image.

    Raises:
        BadInput: when it names a tag, a host, or no digest.
    """
    if text is None:
        return None
    name, at, digest = text.partition("@")
    if not at:
        raise bad_input(
            "--image",
            f"{text!r} has no digest, and a tag can name something else tomorrow",
            "write NAME@sha256:HEX, as the registry answered the push",
        )
    return validated({"name": name, "digest": digest}, "--image", Image)


def train_models(repo: Repository, service: str, *, but: Collection[str] = ()) -> None:
    """Train and register each model of a service that has no version of these files and data.

    Args:
        but: models that are trained already.

    Raises:
        BadInput: when a model, its data or its contract is missing or wrong.
    """
    from mlops.commands.train import train

    with contextlib.redirect_stdout(sys.stderr):  # the result is the release's
        for model in repo.service(service).models:
            if model not in but:
                train(repo, model)


@recorded("release")
def release(
    repo: Repository, service: str, *, image: Image | None = None, as_json: bool = False
) -> int:
    """Open the pull request and say where it is; see `releases.release` for what is raised."""
    from mlops.environments.releases import AlreadyThere
    from mlops.environments.releases import release as made

    with repo.exclusive("mlops release"), Steps() as steps:
        found = made(repo, service, image=image, tell=steps)
    if isinstance(found, AlreadyThere):
        return _nothing_new(found.release.release, found.environment, service, as_json=as_json)
    click.echo(json.dumps(values(found)) if as_json else told(found))
    return Exit.DONE


def _nothing_new(number: int, environment: str, service: str, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"release": number, "environment": environment, "branch": None}))
    else:
        click.echo(
            f"{environment} holds release {number} of {service}, which has this very content: "
            "nothing to do"
        )
    return Exit.DONE
