"""The cluster of a test run: what KUBECONFIG names, or one of our own from ../shared/cluster."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlops.errors import bad_input
from mlops.lock import only_one
from tests.e2e.cluster.place import Place
from tests.team import ROOT

FOLDER = Path(os.environ.get("CLUSTER_HARNESS") or ROOT.parent / "shared" / "cluster")
CACHE = Path(os.environ.get("CLUSTER_CACHE") or Path.home() / ".cache/cluster")
"""Where programs and state are."""
BUILD = 3_000
"""Seconds that building it may take where nothing is cached."""
TOLD = 3_000
"""Characters of a failing command's last words."""
GIT, REGISTRY = "http://127.0.0.1:18088", "127.0.0.1:5050"
PACKAGES = ("libgomp1", "ca-certificates")
PACKAGES_NEED = ("/etc/pip.conf", "/etc/ssl/certs")
SETTINGS = ROOT / "infra/bootstrap"
AS_VARIABLES = {
    "timeout.reconciliation": "ARGOCD_RESYNC",
    "controller.self.heal.timeout.seconds": (
        "ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_TIMEOUT_SECONDS"
    ),
    "controller.self.heal.backoff.timeout.seconds": (
        "ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_TIMEOUT_SECONDS"
    ),
    "controller.self.heal.backoff.factor": (
        "ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_FACTOR"
    ),
    "controller.self.heal.backoff.cap.seconds": (
        "ARGOCD_APPLICATION_CONTROLLER_SELF_HEAL_BACKOFF_CAP_SECONDS"
    ),
    "applicationsetcontroller.requeue.after": "ARGOCD_APPLICATIONSET_CONTROLLER_REQUEUE_AFTER",
}
"""How Argo CD's own manifests give these keys to its processes, which here have no pods; the first
is the harness's name for it."""


@dataclass(frozen=True)
class Own:
    """The harness: every part is a process whose id it keeps."""

    environment: Mapping[str, str]

    def kill(self, component: str) -> None:
        """SIGKILL, by the id that was written down when it started."""
        files = [CACHE / part / "pids" / component for part in ("state", "argocd")]
        (file,) = (each for each in files if each.is_file())
        os.kill(int(file.read_text().split()[0]), signal.SIGKILL)

    def kill_pod(self, uid: str) -> None:
        """SIGKILL to every process of a pod, found by the name of its control group."""
        for group in Path("/proc").glob("[0-9]*/cgroup"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended by itself
                if uid.replace("-", "_") in group.read_text().replace("-", "_"):
                    os.kill(int(group.parent.name), signal.SIGKILL)

    def start(self) -> None:
        """Start what does not run; all of it."""
        self.run("up")
        self.run("argocd/up")

    def lose(self) -> None:
        """No object is left; Git's repositories and the registry's images are."""
        self.run("argocd/down")
        self.run("down")

    def hear_no_pushes(self, repository: str) -> None:
        """No webhook for this repository."""
        folder = CACHE / "argocd/git" / f"{repository}.git"
        subprocess.run(["git", "-C", str(folder), "config", "argocd.webhook", "false"], check=True)

    def image(self, folder: Path, name: str, *options: str) -> str:
        """Its name by digest; what this machine needs to reach packages is there as it builds."""
        given = [place for place in PACKAGES_NEED if Path(place).exists()]
        mounts = [f"--volume={place}:{place}:ro" for place in given]
        return self.run("build-image", str(folder), name, *mounts, *options)

    def end(self) -> None:
        """Take down what was put up; a network that `up` refused to share is another's."""
        if (CACHE / "state/ip_forward").is_file():
            self.run("argocd/down", "--purge")
            self.run("down")

    def run(self, command: str, *args: str) -> str:
        """The last line that one of its commands prints.

        Raises:
            BadInput: when it fails, with what it says.
        """
        done = subprocess.run(
            [str(FOLDER / command), *args],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=BUILD,
            env={**os.environ, **self.environment},
        )
        if done.returncode:
            said = done.stderr[-TOLD:].strip()
            raise bad_input(FOLDER / command, f"ended with {done.returncode}", f"it says:\n{said}")
        return (done.stdout.strip().splitlines() or [""])[-1]


@contextmanager
def running() -> Iterator[Place]:
    """A place for as long as it is needed.

    Raises:
        BadInput: when none can be had.
    """
    if os.environ.get("KUBECONFIG"):
        yield _given()
        return
    if not (FOLDER / "up").is_file():
        raise bad_input(
            str(FOLDER),
            "is not here, and KUBECONFIG names no cluster",
            "docs/clusters.md says what a cluster for tests needs",
        )
    own = Own(_settings())
    with (
        tempfile.TemporaryDirectory(prefix="mlops-cluster-") as folder,
        only_one(CACHE, "a cluster for tests"),
        _as_is(os.environ),
    ):
        try:
            yield _own(own, Path(folder))
        finally:
            own.end()


def _own(own: Own, folder: Path) -> Place:
    kubeconfig = Path(own.run("up"))
    os.environ["KUBECONFIG"] = str(kubeconfig)
    own.run("argocd/up")
    own.run("base-image", *PACKAGES)
    os.environ["PATH"] = f"{_tools(folder)}:{CACHE / 'bin'}:{os.environ['PATH']}:/usr/sbin"
    os.environ["CONTAINERS_CONF"] = str(FOLDER / "config/containers.conf")
    return Place(kubeconfig, GIT, REGISTRY, f"{REGISTRY}/python:3.11", own, lasts=False)


def _given() -> Place:
    """The cluster of KUBECONFIG, with what only its owner knows."""
    names = [f"MLOPS_CLUSTER_{name}" for name in ("GIT", "REGISTRY", "BASE")]
    if missing := [name for name in names if not os.environ.get(name)]:
        raise bad_input(
            "KUBECONFIG",
            f"names a cluster, but {', '.join(missing)} is not set",
            "docs/clusters.md says what a cluster for tests needs",
        )
    git, registry, base = (os.environ[name] for name in names)
    own = Own(_settings()) if os.environ.get("CLUSTER_HARNESS") else None
    return Place(Path(os.environ["KUBECONFIG"]), git, registry, base, own)


def _settings() -> dict[str, str]:
    """What infra/bootstrap sets, for Argo CD's processes."""
    found: dict[str, str] = {}
    for name in ("argocd-cm", "argocd-cmd-params-cm"):
        data = yaml.safe_load((SETTINGS / f"{name}.yaml").read_text())["data"]
        found |= {AS_VARIABLES[key]: str(data[key]) for key in data if key in AS_VARIABLES}
    assert len(found) == len(AS_VARIABLES)
    return {**found, "ARGOCD_RESYNC": found["ARGOCD_RESYNC"].removesuffix("s")}


def _tools(folder: Path) -> Path:
    """A folder for PATH with a podman that keeps its images to itself."""
    tools = folder / "bin"
    tools.mkdir()
    podman, store = tools / "podman", folder / "images"
    real = shutil.which("podman")
    podman.write_text(f'#!/bin/sh\nexec {real} --root {store}/root --runroot {store}/run "$@"\n')
    podman.chmod(0o755)
    return tools


@contextmanager
def _as_is(environment: "os._Environ[str]") -> Iterator[None]:
    """Changes of the environment end with the block."""
    before = dict(environment)
    try:
        yield
    finally:
        environment.clear()
        environment.update(before)
