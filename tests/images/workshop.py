"""Real container tools and a real registry, with folders, locks and ports of their own."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlops.images.tools import KINDS, Tool
from tests.installed import SYSTEM, need, where
from tests.team import free_port

TOOLS = ("podman", "buildah", "docker")
PLAIN = ("podman", "buildah")
"""Those that give the same image for the same files."""
DAEMON = "dockerd"
PYTHON = ("base-files", "libgomp1", "libstdc++6", "python3")
"""What a base has to have, as Debian's packages."""
HOOK = Path("/usr/share/mmdebstrap/hooks/merged-usr")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SECONDS = 60.0


@dataclass(frozen=True)
class Registry:
    """A registry on loopback and what it says it has."""

    address: str

    def manifest(self, name: str, reference: str) -> dict[str, Any] | None:
        """The manifest of a tag or digest; None when there is none."""
        address = f"http://{self.address}/v2/{name}/manifests/{reference}"
        answer = httpx.get(address, headers={"accept": MANIFEST})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def layers(self, name: str, reference: str) -> dict[str, int]:
        """Digest and bytes of each layer, the lowest first."""
        manifest = self.manifest(name, reference)
        assert manifest is not None, f"{name} {reference} is not in the registry"
        return {layer["digest"]: layer["size"] for layer in manifest["layers"]}

    def tags(self, name: str) -> list[str]:
        """What can be pulled of a name."""
        answer = httpx.get(f"http://{self.address}/v2/{name}/tags/list")
        return list(answer.json().get("tags") or [])


@contextmanager
def registry(folder: Path, users: str = "") -> Iterator[Registry]:
    """A registry with its store in `folder`, ended whatever the test does.

    Args:
        users: lines of an htpasswd file; without them everybody may push.
    """
    need("docker-registry")
    address = f"127.0.0.1:{free_port()}"
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder)}},
        "http": {"addr": address},
    }
    with tempfile.TemporaryDirectory(prefix="mlops-registry-") as place:
        if users:
            known = Path(place) / "users"
            known.write_text(users)
            config["auth"] = {"htpasswd": {"realm": "images", "path": str(known)}}
        file = Path(place) / "config.json"
        file.write_text(json.dumps(config))
        process = subprocess.Popen(
            ["docker-registry", "serve", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await_that(lambda: _answers(address))
            yield Registry(address)
        finally:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/v2/").status_code < 500
    except httpx.TransportError:
        return False


def await_that(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


@dataclass(frozen=True)
class Storage:
    """Where a tool keeps images; its commands in `bin` are the real ones with this storage."""

    folder: Path

    @property
    def bin(self) -> Path:
        """What a PATH begins with."""
        return self.folder / "bin"

    @property
    def path(self) -> str:
        """A PATH on which the tools use this storage."""
        return f"{self.bin}:{os.environ['PATH']}"

    def run(self, *command: str) -> str:
        """A tool's command that has to succeed; what it printed."""
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.strip()

    def builds(self) -> bool:
        """Whether a build has begun that is not finished."""
        return any(json.loads(file.read_text() or "[]") for file in self._of("containers"))

    def names(self) -> list[str]:
        """Names of the images in it."""
        images = [image for file in self._of("images") for image in json.loads(file.read_text())]
        return [name for image in images for name in image.get("names") or []]

    def _of(self, kind: str) -> list[Path]:
        return list(self.folder.glob(f"root/*-{kind}/{kind}.json"))


@contextmanager
def storage(tool: str, root: Path | None = None) -> Iterator[Storage]:
    """A tool's storage, which is removed with all its images.

    Args:
        root: the folder of the images, when it is not to be a new one.
    """
    need(tool, *([DAEMON] if tool == "docker" else ()))
    # Not below a test's folder: the sockets of containers have at most 108 characters. On a disk:
    # images are too large for temporary files that lie in memory.
    folder = Path(tempfile.mkdtemp(prefix="mlops-images-", dir="/var/tmp"))
    place, images = Storage(folder), root or folder / "root"
    place.bin.mkdir()
    (folder / "tmp").mkdir()
    if tool == "docker":
        with _daemon(folder, images):
            _wrap(place, tool, f"DOCKER_HOST={_socket(folder)}")
            yield place
        shutil.rmtree(folder, ignore_errors=True)
        return
    _configure(folder)
    _wrap(
        place,
        tool,
        f"CONTAINERS_CONF={folder}/containers.conf TMPDIR={folder}/tmp",
        *("--root", str(images), "--runroot", str(folder / "run")),
    )
    try:
        yield place
    finally:
        _remove(place, tool)


@contextmanager
def _daemon(folder: Path, images: Path) -> Iterator[None]:
    """Docker's, beside whatever else is there: it changes nothing of this machine's network."""
    off = [f"--{name}=false" for name in ("iptables", "ip6tables", "ip-forward", "ip-masq")]
    places = {"host": _socket(folder), "data-root": images, "exec-root": folder / "exec"}
    named = [f"--{name}={value}" for name, value in places.items()]
    with (folder / "daemon.log").open("w") as log:
        process = subprocess.Popen(
            [str(where(DAEMON)), *named, f"--pidfile={folder}/pid", "--bridge=none", *off],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": f"{os.environ['PATH']}:{SYSTEM}"},
        )
    try:
        await_that(lambda: _tried("docker", "--host", _socket(folder), "version"))
        yield
    finally:
        process.terminate()
        process.wait()


def _socket(folder: Path) -> str:
    return f"unix://{folder}/socket"


def _configure(folder: Path) -> None:
    """What works without systemd, in a container, and beside other users of podman."""
    runtime = [f'runtime = "{name}"' for name in ("runc", "crun") if where(name)][:1]
    lines = [
        "[engine]",
        'cgroup_manager = "cgroupfs"',
        'events_logger = "file"',
        'lock_type = "file"',
        f'tmp_dir = "{folder}/libpod"',
        *runtime,
        "[containers]",
        'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]',
    ]
    (folder / "containers.conf").write_text("\n".join([*lines, ""]))


def _wrap(place: Storage, name: str, given: str, *options: str) -> None:
    real = shutil.which(name)
    assert real is not None
    file = place.bin / name
    file.write_text(
        f'#!/bin/sh\nexport {given} PATH="$PATH:{SYSTEM}"\n'
        f'exec {shlex.join([real, *options])} "$@"\n'
    )
    file.chmod(0o755)


def _remove(place: Storage, tool: str) -> None:
    """End what runs in it, and remove it; without root its files belong to others."""
    if tool == "podman":
        _tried(str(place.bin / tool), "rm", "--force", "--all", "--time=0")
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted(each for each in mounted if each.startswith(f"{place.folder}/")):
        _tried("umount", "--lazy", point)
    if os.geteuid() != 0:
        _tried(tool, "unshare", "rm", "-rf", str(place.folder))
    shutil.rmtree(place.folder, ignore_errors=True)


def _tried(*command: str) -> bool:
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def base_tar(folder: Path) -> Path:
    """A file system with Python and what the packages of services load, of Debian's packages."""
    need("mmdebstrap")
    file = folder / "base.tar"
    command = ["mmdebstrap", "--quiet", "--format=tar", "--variant=extract"]
    include = [f"--include={','.join(PYTHON)}", f"--hook-dir={HOOK}"]
    done = subprocess.run(
        [*command, *include, "bookworm", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return file


def image_of(place: Storage, tool: str, tar: Path, name: str) -> str:
    """Push a file system as an image; its name by digest."""
    recipe = tar.with_suffix(".Dockerfile")
    recipe.write_text(f"FROM scratch\nADD {tar.name} /\n")
    made = place.run(tool, "build", "--quiet", "--timestamp=0", "-f", str(recipe), str(tar.parent))
    file = place.folder / "digest"
    told = ["--tls-verify=false", f"--digestfile={file}"]
    place.run(tool, "push", *told, made.splitlines()[-1], f"docker://{name}")
    return f"{name.rpartition(':')[0]}@{file.read_text().strip()}"


@contextmanager
def using(place: Storage, tool: str) -> Iterator[Tool]:
    """The tool as the project calls it, with this storage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", place.path)
        yield KINDS[tool]()


@contextmanager
def alone(place: Storage, name: str) -> Iterator[None]:
    """A PATH with one container tool, which is the one that is chosen."""
    with (
        tempfile.TemporaryDirectory(prefix="mlops-path-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        Path(folder, name).symlink_to(place.bin / name)
        Path(folder, "git").symlink_to(str(shutil.which("git")))
        patch.setenv("PATH", folder)
        yield


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of so many megabytes; skips with a word where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if not _tried(*command):
        pytest.skip("no disk can be mounted by this user")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", str(folder)], check=True)
