"""Container tools, run as processes: docker, podman or buildah."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.errors import bad_input
from mlops.images.names import TOOLS, is_loopback, repository_of
from mlops.images.trouble import Doing, is_absent, trouble

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Tool(ABC):
    """What is asked of a container tool. Names of images have their registry."""

    name: str

    def pull(self, image: str) -> str | None:
        """Fetch an image; its name by digest, or None when the registry has no such image.

        Raises:
            BadInput: when the registry does not answer or the disk is full.
        """
        done = self._run("pull", "--quiet", *self._asking(), *self._insecure(image), image)
        if done.returncode == 0:
            return f"{repository_of(image)}@{self._digest(image)}"
        if is_absent(done.stderr):
            return None
        raise trouble(self.name, Doing("pull", image), done.stderr)

    def build(
        self, recipe: Path, context: Path, arguments: Mapping[str, str], labels: Mapping[str, str]
    ) -> str:
        """Build an image that has no name yet; its id.

        Nothing of it is taken from a cache: tools differ in what they take for the same.

        Raises:
            BadInput: when a step of the recipe fails, the base cannot be had or the disk is full.
        """
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "id"
            command = ["build", "--quiet", "--file", str(recipe), "--iidfile", str(told)]
            command += [f"--build-arg={key}={value}" for key, value in arguments.items()]
            command += [f"--label={key}={value}" for key, value in labels.items()]
            base = next(iter(arguments.values()))
            done = self._run(*command, *self._plain(base), "--network=none", str(context))
            if done.returncode != 0:
                raise trouble(self.name, Doing("build", base, recipe.name), done.stderr)
            return told.read_text().strip()

    def push(self, image: str, name: str) -> str:
        """Push an image (given by its id) as a name; the digest that the registry has it by.

        Raises:
            BadInput: when the registry does not answer, refuses, or the disk is full.
        """
        named = self._named(image, name)
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "digest"
            done = self._run("push", *self._told_in(told), *self._insecure(name), *named)
            if done.returncode != 0:
                raise trouble(self.name, Doing("push", name), done.stderr)
            said = told.read_text() if told.exists() else done.stdout
        found = DIGEST.findall(said)
        if not found:
            raise trouble(self.name, Doing("push", name), "it told no digest")
        return str(found[-1])

    @abstractmethod
    def _digest(self, image: str) -> str:
        """The digest that the registry has an image by that was pulled."""

    @abstractmethod
    def _plain(self, base: str) -> Sequence[str]:
        """Options of a build that keeps out clock, cache and what is this machine's."""

    def _named(self, image: str, name: str) -> Sequence[str]:
        """What a push is told to push, and where to; nothing here has the name before."""
        return [image, f"docker://{name}"]

    def _told_in(self, file: Path) -> Sequence[str]:
        """Options of a push that write the digest into a file; none, when it is printed."""
        return [f"--digestfile={file}"]

    def _asking(self) -> Sequence[str]:
        """Options of a pull that asks the registry, though an image of that name is here."""
        return []

    def _insecure(self, image: str) -> Sequence[str]:
        return ["--tls-verify=false"] if is_loopback(image) else []

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.name, *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **QUIET},
        )


# For docker: no clock in an image, and no attestations beside it, which have one.
QUIET = {"LC_ALL": "C", "SOURCE_DATE_EPOCH": "0", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


@dataclass(frozen=True)
class Docker(Tool):
    """Docker, or what takes its commands; it speaks plain HTTP with this machine by itself."""

    name: str = "docker"

    def _digest(self, image: str) -> str:
        done = self._run("image", "inspect", "--format", "{{json .RepoDigests}}", image)
        return _of_repository(json.loads(done.stdout or "[]"), image)

    def _plain(self, base: str) -> Sequence[str]:
        return ["--no-cache"]

    def _named(self, image: str, name: str) -> Sequence[str]:
        tagged = self._run("tag", image, name)
        if tagged.returncode != 0:
            raise trouble(self.name, Doing("tag", name), tagged.stderr)
        return [name]

    def _told_in(self, file: Path) -> Sequence[str]:
        return []

    def _insecure(self, image: str) -> Sequence[str]:
        return []


@dataclass(frozen=True)
class Podman(Tool):
    """Podman."""

    name: str = "podman"

    def _digest(self, image: str) -> str:
        done = self._run("image", "inspect", image)
        (found,) = json.loads(done.stdout)
        # The digest of what was built here, before it was compressed, is no registry's.
        own = f"{repository_of(image)}@{found['Digest']}"
        others = [each for each in found["RepoDigests"] if each != own]
        return _of_repository(others or [own], image)

    def _plain(self, base: str) -> Sequence[str]:
        return [*_nobodys(base), *self._insecure(base)]


@dataclass(frozen=True)
class Buildah(Tool):
    """Buildah."""

    name: str = "buildah"

    def _digest(self, image: str) -> str:
        # That of the manifest that came last, which is the registry's.
        done = self._run("inspect", "--type", "image", image)
        return str(json.loads(done.stdout)["FromImageDigest"])

    def _asking(self) -> Sequence[str]:
        return ["--policy=always"]

    def _plain(self, base: str) -> Sequence[str]:
        return [*_nobodys(base), *self._insecure(base)]


KINDS: Mapping[str, type[Docker] | type[Podman] | type[Buildah]] = {
    "docker": Docker,
    "podman": Podman,
    "buildah": Buildah,
}


def choose(wanted: str | None = None) -> Tool:
    """The tool that is asked for, or the first that works here.

    Raises:
        BadInput: when there is none.
    """
    asked = (wanted,) if wanted else TOOLS
    for name in asked:
        if shutil.which(name) and _works(name):
            return KINDS[name]()
    there = [name for name in asked if shutil.which(name)]
    what = f"{there[0]} is here, and its daemon does not answer" if there else "is not on the PATH"
    raise bad_input(
        " or ".join(asked),
        what if there or wanted else "none is on the PATH, and an image is made with one of them",
        "start it" if there else f"install {wanted or 'one, as podman'}",
    )


def _nobodys(base: str) -> list[str]:
    """Options of podman and buildah for the same image of the same files, wherever it is made.

    By themselves they note their version, and the registry that the base came from.
    """
    repository, _, digest = base.partition("@")
    name = repository.rpartition("/")[2]
    return [
        "--layers=false",
        "--timestamp=0",
        "--identity-label=false",
        "--omit-history",
        f"--annotation=org.opencontainers.image.base.name={name}",
        f"--annotation=org.opencontainers.image.base.digest={digest}",
    ]


def _works(name: str) -> bool:
    """Whether a tool is more than a client without its daemon."""
    if name != "docker":
        return True
    asked = subprocess.run(
        [name, "version", "--format", "{{.Server.Version}}"],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return asked.returncode == 0


def _of_repository(digests: Sequence[str], image: str) -> str:
    """The digest among NAME@DIGEST entries that belongs to the image's repository."""
    wanted = repository_of(image)
    own = [each for each in digests if each.partition("@")[0] == wanted]
    return (own or list(digests))[-1].partition("@")[2]
