"""A repository of any number of models, made from the toy project of the tests."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent
PROJECT = TEMPLATE / "tests" / "fixtures" / "project"
RELEASED = TEMPLATE / "tests" / "fixtures" / "valid" / "environments" / "prod" / "toy"
SHARED = ("infra", "requirements", ".gitignore")
ENVIRONMENTS = ("dev", "staging", "prod")
READERS = 10
"""Models that learn from one dataset."""


def make(folder: Path, count: int) -> None:
    """A bare repository of `count` models, each with its service, released to 3 environments.

    The last of its two commits changes one parameter of the first model.
    """
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", str(folder)], check=True)
    subprocess.run(
        ["git", "fast-import", "--quiet"],
        cwd=folder,
        input=b"".join([*_commit(_files(count), 1), *_commit(_change(), 2)]),
        check=True,
    )


def name_of(number: int) -> str:
    """What the model, and the service, of that number (from 0) are called."""
    return f"toy-{number:05d}"


def _files(count: int) -> Iterator[tuple[str, bytes]]:
    yield "mlops.toml", (PROJECT / "mlops.toml").read_bytes()
    for part in SHARED:
        top = TEMPLATE / part
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file():
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
            yield from _copied(RELEASED, f"environments/{environment}", number)


def _dataset(number: int) -> Iterator[tuple[str, bytes]]:
    """The contract, and a pin as `mlops data ingest` writes it, with numbers of no content."""
    dataset = f"{name_of(number)}-points"
    contract = (PROJECT / "data-contracts" / "toy-points.odcs.yaml").read_bytes()
    yield f"data-contracts/{dataset}.odcs.yaml", _renamed(contract, number)
    yield (
        f"data-contracts/{dataset}.dvc",
        (
            f"outs:\n- md5: {number:032x}\n  size: 9000\n  hash: md5\n  path: {dataset}.parquet\n"
            f"meta:\n  sha256: '{number:064x}'\n  rows: 300\n  contract: 1.0.0\n"
        ).encode(),
    )


def _copied(folder: Path, top: str, number: int) -> Iterator[tuple[str, bytes]]:
    for file in sorted(folder.glob("*.*")):
        yield f"{top}/{name_of(number)}/{file.name}", _renamed(file.read_bytes(), number)


def _renamed(content: bytes, number: int) -> bytes:
    """The toy's file with the numbered names in it; READERS models share a dataset."""
    name, first = name_of(number), name_of(number - number % READERS)
    text = content.decode().replace("toy-points", f"{first}-points").replace("toy-line", name)
    for key in ("service", "name", "app.kubernetes.io/name"):
        text = text.replace(f"{key}: toy\n", f"{key}: {name}\n")
    return text.encode()


def _change() -> Iterator[tuple[str, bytes]]:
    path = f"models/{name_of(0)}/model.yaml"
    content = dict(_copied(PROJECT / "models" / "toy-line", "models", 0))[path]
    yield path, content.replace(b"num_leaves: 7", b"num_leaves: 8")


def _commit(files: Iterator[tuple[str, bytes]], number: int) -> Iterator[bytes]:
    """One commit as `git fast-import` reads it."""
    yield (
        b"commit refs/heads/main\n"
        b"committer A Person <person@example.com> %d +0000\n"
        b"data 0\n" % (1_700_000_000 + number)
    )
    for path, content in files:
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
