"""Argo Workflows from its Go module, and the S3 that its pods keep their files in.

`python -m tests.e2e.cluster.argo` builds what is not built yet: minutes where nothing is cached.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.cluster import harness

BUILT = harness.CACHE / "argo-workflows"
WORKFLOWS = "github.com/argoproj/argo-workflows/v4"
MODULES = {WORKFLOWS: "v4.0.5", "github.com/versity/versitygw": "v1.8.0"}
PROGRAMS = {
    "workflow-controller": WORKFLOWS,
    "argoexec": WORKFLOWS,
    "versitygw": "github.com/versity/versitygw",
}
LARGE = shutil.ignore_patterns("ui", "docs", "examples", "test", "community")
SIGNALS = "workflow/executor/osspecific/signal_{}.go"


def built() -> Path:
    """The folder with the programs and the release's own manifests, built where they are not.

    Raises:
        CalledProcessError: when Go or its module proxy cannot be had.
    """
    BUILT.mkdir(parents=True, exist_ok=True)
    # Whichever process comes first; the others wait for it.
    with (BUILT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for module in MODULES:
            wanted = [name for name, of in PROGRAMS.items() if of == module]
            if not all((BUILT / name).is_file() for name in wanted):
                _build(module, wanted)
    return BUILT


def _build(module: str, programs: list[str]) -> None:
    with _source(module) as source:
        if module == WORKFLOWS:
            shutil.copytree(source / "manifests", BUILT / "manifests", dirs_exist_ok=True)
        for name in programs:
            made = BUILT / f"{name}.new"
            command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(made)]
            environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -buildvcs=false"}
            subprocess.run([*command, f"./cmd/{name}"], cwd=source, env=environment, check=True)
            made.replace(BUILT / name)


@contextmanager
def _source(module: str) -> Iterator[Path]:
    """A module's own folder, so that its go.mod and go.sum decide every version."""
    command = ["go", "mod", "download", "-json", f"{module}@{MODULES[module]}"]
    with tempfile.TemporaryDirectory(prefix="mlops-go-") as folder:
        told = subprocess.run(command, cwd=folder, capture_output=True, check=True)
        source = Path(folder) / "source"
        given = Path(json.loads(told.stdout)["Dir"])
        # Its files may not be written to.
        shutil.copytree(given, source, ignore=LARGE, copy_function=shutil.copyfile)
        for each in (source, *(path for path in source.rglob("*") if path.is_dir())):
            each.chmod(0o755)
        darwin, linux = (source / SIGNALS.format(name) for name in ("darwin", "linux"))
        # The module proxy's copy lacks it; the two say the same.
        if darwin.is_file() and not linux.exists():
            shutil.copyfile(darwin, linux)
        yield source


if __name__ == "__main__":
    built()
