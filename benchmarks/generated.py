"""A repository of any number of models, made from the toy project of the tests."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from mlops.records import REF, Record, message

TEMPLATE = Path(__file__).parent.parent
PROJECT = TEMPLATE / "tests" / "fixtures" / "project"
RELEASED = TEMPLATE / "tests" / "fixtures" / "valid" / "environments" / "prod" / "toy"
SHARED = ("infra/base", "infra/policies", "requirements", ".dvc/config", ".gitignore")
ENVIRONMENTS = ("dev", "staging", "prod")
READERS = 10
"""Models that learn from one dataset."""


def make(folder: Path, count: int) -> None:
    """A bare repository of `count` models, each with its service, released to 3 environments.

    The dataset of the first model has raw files and no pin yet, its service no release; all
    others have pins and releases of content that is in no store, and records of serving them.
    """
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", str(folder)], check=True)
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=folder,
        input=b"".join([*_commit("refs/heads/main", b"", _files(count)), *_records(count)]),
        check=True,
    )


def name_of(number: int) -> str:
    """What the model, and the service, of that number (from 0) are called."""
    return f"toy-{number:05d}"


def dataset_of(number: int) -> str:
    """What the model of that number learns from."""
    return f"{name_of(number - number % READERS)}-points"


def _files(count: int) -> Iterator[tuple[str, bytes]]:
    yield "mlops.toml", (PROJECT / "mlops.toml").read_bytes()
    for part in SHARED:
        top = TEMPLATE / part
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(TEMPLATE).as_posix(), file.read_bytes()
    for environment in ENVIRONMENTS:
        path = f"environments/{environment}/env.yaml"
        yield path, (PROJECT / path).read_bytes()
    for number in range(0, count, READERS):
        yield from _dataset(number)
    for number in range(count):
        yield from _copied(PROJECT / "models" / "toy-line", "models", number)
        yield from _copied(PROJECT / "apps" / "toy", "apps", number)
        for environment in ENVIRONMENTS:
            wanted = "*.*" if number else "settings.yaml"
            yield from _copied(RELEASED, f"environments/{environment}", number, wanted)


def _dataset(number: int) -> Iterator[tuple[str, bytes]]:
    """The contract with a pin as `mlops data ingest` writes it; for the first its raw files."""
    dataset, source = dataset_of(number), PROJECT / "data-contracts"
    contract = (source / "toy-points.odcs.yaml").read_text()
    yield f"data-contracts/{dataset}.odcs.yaml", _renamed(contract, number)
    if number:
        pin = (
            f"outs:\n- md5: {number:032x}\n  size: 9000\n  hash: md5\n  path: {dataset}.parquet\n"
            f"meta:\n  sha256: '{number:064x}'\n  rows: 300\n  contract: 1.0.0\n"
        )
        yield f"data-contracts/{dataset}.dvc", pin.encode()
        return
    for file in sorted((source / "toy-points").rglob("*.*")):
        inside = file.relative_to(source / "toy-points").as_posix()
        yield f"data-contracts/{dataset}/{inside}", file.read_bytes()


def _copied(
    folder: Path, top: str, number: int, wanted: str = "*.*"
) -> Iterator[tuple[str, bytes]]:
    for name, text in _texts(folder, wanted):
        yield f"{top}/{name_of(number)}/{name}", _renamed(text, number)


@cache
def _texts(folder: Path, wanted: str) -> tuple[tuple[str, str], ...]:
    """Names and contents of the files of a folder, read once for all numbers."""
    return tuple((file.name, _lenient(file.read_text())) for file in sorted(folder.glob(wanted)))


def _lenient(text: str) -> str:
    """The toy's two months of points differ by more than its gates let pass."""
    return re.sub(r"(?<=mae, max: )\d\.0", "9.0", text)


def _renamed(text: str, number: int) -> bytes:
    """The toy's file with the numbered names in it; READERS models share a dataset."""
    name = name_of(number)
    text = text.replace("toy-points", dataset_of(number)).replace("toy-line", name)
    for key in ("service", "name", "app.kubernetes.io/name"):
        text = text.replace(f"{key}: toy\n", f"{key}: {name}\n")
    return text.encode()


def _records(count: int) -> Iterator[bytes]:
    for number in range(1, count):
        for environment in ENVIRONMENTS:
            record = Record(
                kind="serving",
                environment=environment,
                service=name_of(number),
                release=2,
                at="2024-01-01T00:00:00.000Z",
                commit="c0ffee" + "0" * 34,
            )
            yield from _commit(REF, message(record).encode(), ())


def _commit(ref: str, said: bytes, files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """One commit as `git fast-import` reads it."""
    yield b"commit %s\ncommitter A Person <person@example.com> 1700000000 +0000\n" % ref.encode()
    yield b"data %d\n%s\n" % (len(said), said)
    for path, content in files:
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
