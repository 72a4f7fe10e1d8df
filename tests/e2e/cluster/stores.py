"""Stores that pods reach: registry, data, Git and S3, as processes of this machine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.cluster import argo, harness
from tests.e2e.cluster.place import until
from tests.team import ROOT, free_port

NODE = "10.244.0.1"
"""Where pods reach what listens on this machine."""
BUCKET = "pipelines"
KEYS = {"access": "pipelines", "secret": "of-a-test"}  # pragma: allowlist secret (its own S3)


@dataclass(frozen=True)
class Stores:
    """What pods reach: addresses, and the folders behind two of them."""

    registry: str
    data: str
    git: str
    s3: str
    bucket: Path
    repositories: Path


@contextmanager
def stores(folder: Path) -> Iterator[Stores]:
    """Registry, data, Git and S3, as processes of this machine."""
    for name in ("blobs", "git", "mlflow"):
        (folder / name).mkdir()
    (folder / "secret").write_text("nobody is told of pushes")
    python = [sys.executable, "-m"]
    mlflow = [
        *("mlflow", "server", "--workers=1", "--allowed-hosts=*", "--serve-artifacts"),
        f"--backend-store-uri=sqlite:///{folder}/mlflow/mlflow.db",
        f"--artifacts-destination={folder}/mlflow/artifacts",
    ]
    blobs = ["uvicorn", "tests.e2e.cluster.blobs:app"]
    server = [str(harness.FOLDER / "argocd/git-server"), f"--root={folder}/git"]
    with ExitStack() as stack:

        def served(name: str, port: int, *command: str, **environment: str) -> str:
            place = f"{NODE}:{port}"
            return stack.enter_context(_served(folder, name, place, command, environment))

        ports = [free_port() for _ in range(3)]
        host = [f"--host={NODE}"]
        yield Stores(
            registry=served("mlflow", ports[0], *python, *mlflow, *host, f"--port={ports[0]}"),
            data=served(
                "blobs",
                ports[1],
                *(*python, *blobs, *host, f"--port={ports[1]}"),
                BLOBS=str(folder / "blobs"),
            ),
            git=served(
                "git",
                ports[2],
                *(*server, f"--address={NODE}:{ports[2]}", f"--secret={folder}/secret"),
            ),
            s3=stack.enter_context(s3(folder, NODE)),
            bucket=folder / "s3" / BUCKET,
            repositories=folder / "git",
        )


@contextmanager
def s3(folder: Path, host: str) -> Iterator[str]:
    """S3 with one bucket, a folder below `s3`; its address."""
    (folder / "s3" / BUCKET).mkdir(parents=True)
    (folder / "sidecar").mkdir()
    place = f"{host}:{free_port()}"
    command = (
        *(str(argo.built() / "versitygw"), f"--port={place}"),
        *(f"--{name}={value}" for name, value in KEYS.items()),
        *("posix", f"--sidecar={folder}/sidecar", str(folder / "s3")),
    )
    with _served(folder, "s3", place, command, {}) as url:
        yield url


@contextmanager
def _served(
    folder: Path, name: str, place: str, command: tuple[str, ...], environment: dict[str, str]
) -> Iterator[str]:
    """A process that listens, ended with all it started; its address."""
    url = f"http://{place}"
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    try:
        until(f"{name} answers", 120, lambda: httpx.get(url, trust_env=False))
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
