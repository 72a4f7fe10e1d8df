"""Bentos: a service's source, its models and its pinned packages in one folder.

A bento is named by the digest of its content, and nothing in it depends on when, where or by
whom it was built. It lies in `<stores>/bentos/<service>/<hex>` and is never changed.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops import digests
from mlops.errors import BadInput, bad_input
from mlops.lineage import told
from mlops.lineage.told import Thing
from mlops.repository import Layout, Repository
from mlops.scoring import artifact
from mlops.scoring.scorer import Scorer
from mlops.scoring_route import refuse_more
from mlops.sources import (
    SERVING_CODE,
    code_of_service,
    pins_of,
    service_source,
    tool_code,
    withheld,
)

UNFINISHED = ".building-"
CREATION_TIME = re.compile(rb"(?m)^(\s*creation_time: ).*$")
NO_TIME = rb"\g<1>'1980-01-01T00:00:00+00:00'"


@dataclass(frozen=True)
class Artifact:
    """A model's files on this machine and the digest they have to have."""

    digest: str
    path: Path


@dataclass(frozen=True)
class Built:
    """A bento in the store; `new` is False when the same content was there already."""

    digest: str
    path: Path
    size: int
    new: bool


def folder(repo: Repository, service: str, digest: str) -> Path:
    """Where a bento of that digest lies, or would."""
    return repo.stores / "bentos" / service / digest.removeprefix(digests.PREFIX)


def build(repo: Repository, layout: Layout, service: str, models: Mapping[str, Artifact]) -> Built:
    """Build a service from the files of a commit and its models.

    The same files give the same bento, in any folder, process or hour. Builds of one service
    wait for each other; one that was killed leaves nothing that is taken for a bento.

    Raises:
        BadInput: when a model differs from its digest, the service does not load, or the
            disk refuses.
    """
    store = repo.stores / "bentos" / service
    try:
        with alone(store):
            built = _built(store, layout, service, models)
    except OSError as error:
        raise bad_input(
            store,
            f"could not be written ({error.strerror})",
            "free the disk or the permission and run the command again, nothing was changed",
        ) from error
    told.wrote(built.path, built.digest, Thing("bento", service))
    return built


def find(repo: Repository, service: str, digest: str) -> Path:
    """The folder of a bento, its content verified.

    Raises:
        BadInput: when the store lacks it or its content differs.
    """
    path = folder(repo, service, digest)
    name = f"stores/bentos/{service}/{path.name}"
    if not (path / "bento.yaml").is_file():
        raise bad_input(
            name, "is not in the store", f"run `mlops build {service}` at its source commit"
        )
    found = content_digest(path)
    if found != digest:
        raise bad_input(
            name,
            f"content is {found}",
            f"do not serve it; run `mlops build {service}` at its source commit to replace it",
        )
    told.read(path, digest, Thing("bento", service))
    return path


def content_digest(bento: Path) -> str:
    """Digest of a bento's files.

    Compiled files that `bentoml serve` leaves beside the source are not part of a bento, and
    Python would run them: they are removed, not trusted.
    """
    for compiled in list(bento.rglob("__pycache__")):
        shutil.rmtree(compiled, ignore_errors=True)
    return digests.of_folder(bento)


def scorer(bento: Path, model: str, digest: str) -> Scorer:
    """A bento's model with the feature code it is served with.

    Raises:
        BadInput: when the model's content is not what `digest` says.
    """
    source = bento / "src" / "models" / model
    return Scorer.open(source / "features.py", source / "artifact", digest)


@contextmanager
def alone(store: Path) -> Iterator[None]:
    """Hold a store for one build at a time; what an earlier one left unfinished is removed."""
    store.mkdir(parents=True, exist_ok=True)
    handle = os.open(store / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left in store.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left)
        yield
    finally:
        os.close(handle)


def _built(store: Path, layout: Layout, service: str, models: Mapping[str, Artifact]) -> Built:
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=store) as place:
        stage = Path(place) / "stage"
        _write_all(stage, _source(layout, service, models))
        packed = _packed(Path(place), layout, service, models)
        _without_clock(packed)
        digest = digests.of_folder(packed)
        size = sum(path.stat().st_size for path in packed.rglob("*") if path.is_file())
        target = store / digest.removeprefix(digests.PREFIX)
        if target.is_dir() and content_digest(target) == digest:
            return Built(digest, target, size, new=False)
        if target.exists():
            target.rename(Path(place) / "damaged")
        packed.rename(target)
        return Built(digest, target, size, new=True)


def _source(layout: Layout, service: str, models: Mapping[str, Artifact]) -> dict[str, bytes]:
    """The bento's source files by path."""
    prefix = f"apps/{service}/"
    code = code_of_service(layout, service)
    module = layout.service(service).entry.partition(":")[0]
    entry = f"{prefix}{module.replace('.', '/')}.py"
    refuse_more(entry, code.get(entry, b""))
    files = {path.removeprefix(prefix): content for path, content in code.items()}
    for model in layout.service(service).models:
        features = f"models/{model}/features.py"
        files[features] = layout.tree.read(features) or b""
        files |= _artifact_files(model, models[model])
    files |= {**tool_code(SERVING_CODE), **withheld(layout, service)}
    return {**files, "requirements.txt": pins_of(layout, "serve")}


def _artifact_files(model: str, found: Artifact) -> dict[str, bytes]:
    artifact.read(found.path, found.digest)
    names = (artifact.CARD_FILE, artifact.MODEL_FILE)
    return {f"models/{model}/artifact/{name}": (found.path / name).read_bytes() for name in names}


def _write_all(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _packed(place: Path, layout: Layout, service: str, models: Mapping[str, Artifact]) -> Path:
    """BentoML's own packing, in a process that knows nothing but the staged files."""
    stage = place / "stage"
    label = version(layout, service, models)
    entry = layout.service(service).entry
    done = subprocess.run(
        [sys.executable, "-B", "-P", "-m", "mlops.serving.pack", service, label, entry],
        cwd=stage,
        env=_packing_environment(place, stage),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise _not_packed(service, done.stderr)
    return Path(done.stdout.strip().splitlines()[-1])


def version(layout: Layout, service: str, models: Mapping[str, Artifact]) -> str:
    """The bento's version label: a short digest of its source and models."""
    parts = {name: found.digest for name, found in models.items()}
    return digests.short(
        digests.of_json({"source": service_source(layout, service), "models": parts})
    )


def _packing_environment(place: Path, stage: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLOPS_")}
    home = place / "home"
    home.mkdir()
    own = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "PYTHONPATH": str(stage)}
    return {**kept, **own}


def _not_packed(service: str, text: str) -> BadInput:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else "no message"
    return bad_input(
        f"apps/{service}/service.py",
        f"cannot be built ({last})",
        "correct it; it may import what requirements/serve.txt holds and nothing else",
    )


def _without_clock(bento: Path) -> None:
    path = bento / "bento.yaml"
    path.write_bytes(CREATION_TIME.sub(NO_TIME, path.read_bytes()))
