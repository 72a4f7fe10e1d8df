"""A service's image: made and pushed, on a runtime that is made once for each lock."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops import digests
from mlops.bento import UNFINISHED, Built, alone
from mlops.errors import bad_input
from mlops.images import packages
from mlops.images.names import RUNTIME, registry_of, untagged
from mlops.images.tools import Tool
from mlops.repository import PROJECT_FILE, Layout, Repository
from mlops.sources import pins_of

HERE = Path(__file__).parent
RUNTIME_RECIPE = HERE / "runtime.Dockerfile"
SERVICE_RECIPE = HERE / "service.Dockerfile"


@dataclass(frozen=True)
class Pushed:
    """An image in a registry.

    Attributes:
        name: without registry, as release.yaml has it.
        digest: the digest that the registry has it by.
        runtime: the runtime it is made from, with its registry, by digest.
        reused: False when the runtime was made anew.
        tool: the container tool that made it.
    """

    name: str
    digest: str
    runtime: str
    reused: bool
    tool: str


def base_of(layout: Layout) -> str:
    """The pinned base, NAME@DIGEST.

    Raises:
        BadInput: when mlops.toml names none, or one by tag.
    """
    images = layout.project.images
    if images is None:
        raise bad_input(
            PROJECT_FILE,
            "`images.base` is missing, and an image is made from it",
            "run `mlops init --base-image gcr.io/distroless/python3-debian12:latest`, or name "
            "another with Python 3.11, libgomp and libstdc++",
        )
    return untagged(images.base)


def make(
    repo: Repository, layout: Layout, service: str, bento: Built, *, registry: str, tool: Tool
) -> Pushed:
    """Make a service's image from its bento and push it as `<registry>/<service>`.

    Builds on one machine wait for each other. One that was killed leaves nothing with a name.

    Raises:
        BadInput: when the base is not pinned, the registry refuses, or the disk is full.
    """
    base, into = base_of(layout), registry_of(registry)
    store = repo.stores / "images"
    with _told_when_full(store), alone(store):
        runtime, reused = _runtime(store, layout, base, into, tool)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=store) as place:
            context = Path(place)
            shutil.copytree(bento.path, context / "bento")
            _plain(context)
            labels = {"org.opencontainers.image.title": service, "mlops.bento": bento.digest}
            image = tool.build(SERVICE_RECIPE, context, {"RUNTIME": runtime}, labels)
        digest = tool.push(image, f"{into}/{service}:{digests.short(bento.digest)}")
    return Pushed(service, digest, runtime, reused, tool.name)


def runtime_key(layout: Layout, base: str) -> str:
    """The tag of a runtime: a digest of all that decides it."""
    parts = {
        "base": base,
        "packages": digests.of_bytes(pins_of(layout, "serve")),
        "recipe": digests.of_file(RUNTIME_RECIPE),
        "for": f"{packages.PYTHON} {packages.machine()} {packages.LIBC}",
    }
    return digests.short(digests.of_json(parts))


@contextmanager
def _told_when_full(store: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise bad_input(
            store,
            f"could not be written ({error.strerror})",
            "free the disk or the permission and run the command again, nothing was pushed",
        ) from error


def _runtime(store: Path, layout: Layout, base: str, into: str, tool: Tool) -> tuple[str, bool]:
    """The runtime of a lock by digest, and whether the registry had it."""
    name = f"{into}/{RUNTIME}:{runtime_key(layout, base)}"
    if found := tool.pull(name):
        return found, True
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=store) as place:
        context = Path(place) / "context"
        context.mkdir()
        packages.install(layout, context / "packages")
        _plain(context)
        labels = {"org.opencontainers.image.title": RUNTIME}
        image = tool.build(RUNTIME_RECIPE, context, {"BASE": base}, labels)
    tool.push(image, name)
    found = tool.pull(name)
    if found is None:
        raise bad_input(name, "was pushed and is not there", "see what the registry keeps")
    return found, False


def _plain(folder: Path) -> None:
    """Modes and times that are nobody's: readable by all, no time."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        os.utime(path, (0, 0), follow_symlinks=False)
