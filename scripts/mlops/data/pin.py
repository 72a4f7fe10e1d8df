"""The pin of a dataset's version: a DVC file in Git, content in the stores and the DVC remote."""

import hashlib
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ConfigDict, Field

from mlops import digests
from mlops.data.contract import known_dataset
from mlops.data.derivation import chain_of, is_derived
from mlops.data.remote import Remote
from mlops.errors import BadInput, MlopsError, NotHere, Problem, bad_input
from mlops.files import dump_yaml, replacing, write_whole
from mlops.lineage import told
from mlops.lineage.events import StatisticsFacet
from mlops.lineage.told import About, Thing
from mlops.repository import Layout, Repository
from mlops.specs.base import Digest, Name, Spec, Version, parse


def pin_path(dataset: str) -> str:
    """`data-contracts/<dataset>.dvc`."""
    return f"data-contracts/{dataset}.dvc"


class RawFile(Spec):
    """A raw file in Git, by its path from the root and its SHA-256."""

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class SourceVersion(Spec):
    """A version of another dataset, of which one was made."""

    dataset: Name
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Delivery(Spec):
    """A delivery that is in a version, by its SHA-256, and how many of its rows were dropped."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    late: int = Field(default=0, ge=0)
    duplicates: int = Field(default=0, ge=0)


class Deliveries(Spec):
    """What a version was delivered in, where its contract says what becomes of such rows.

    `newest` is the newest event that was ever taken, of the column `event_time`, ISO 8601 without
    zone (UTC); None where the contract states no allowed lateness.
    """

    taken: tuple[Delivery, ...] = ()
    event_time: str | None = None
    newest: datetime | None = None


class Pin(Spec):
    """A version of a dataset: its content digests, and the contract it was held to.

    `raw` are the files in Git that make exactly this version, in the order of their ingest;
    empty when one of them lies elsewhere. `sources` are the versions of other datasets that
    make it; empty for one that was ingested. `deliveries` are those that were taken since the
    contract says what becomes of late or duplicate rows.
    """

    dataset: Name
    digest: Digest
    md5: str = Field(pattern=r"^[0-9a-f]{32}$", description="DVC's name of the content")
    size: int = Field(ge=0, description="bytes")
    rows: int = Field(ge=0)
    contract: Version
    raw: tuple[RawFile, ...] = ()
    sources: tuple[SourceVersion, ...] = ()
    deliveries: Deliveries = Deliveries()

    @property
    def made_of(self) -> str:
        """Of what it can be made again, for people; empty when of nothing that is known."""
        return "sources" if self.sources else "raw files" if self.raw else ""


class _Open(Spec):
    model_config = ConfigDict(extra="ignore")


class _Out(_Open):
    md5: str = Field(pattern=r"^[0-9a-f]{32}$")
    size: int = Field(ge=0)
    path: str


class _Meta(Spec):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int = Field(ge=0)
    contract: Version
    raw: tuple[RawFile, ...] = ()
    sources: tuple[SourceVersion, ...] = ()
    deliveries: Deliveries = Deliveries()


class _PinFile(_Open):
    """A DVC file with one output, and what `ingest` or `derive` says of it below `meta`."""

    outs: tuple[_Out, ...]
    meta: _Meta


def read_pin(layout: Layout, dataset: str) -> Pin:
    """The version of a dataset that a tree pins.

    Raises:
        BadInput: for an unknown dataset, one that is not pinned yet, or a broken pin.
    """
    known_dataset(layout, dataset)
    content = layout.tree.read(pin_path(dataset))
    if content is None:
        raise not_pinned(layout, dataset)
    return parsed_pin(content, dataset)


def not_pinned(layout: Layout, dataset: str) -> BadInput:
    """That a dataset has no version yet, ready to raise."""
    return bad_input(
        pin_path(dataset),
        "file is missing: no version of this dataset is pinned yet",
        f"{first_version(layout, dataset)}, then commit the pin",
    )


def first_version(layout: Layout, *datasets: str) -> str:
    """The commands that give datasets their first version: of what they are made of, too."""
    chain = dict.fromkeys(name for each in datasets for name in chain_of(layout, each))
    return ", ".join(
        f"mlops data derive {name}"
        if is_derived(layout, name)
        else f"mlops data ingest {name} FILE..."
        for name in chain
        if layout.tree.read(pin_path(name)) is None
    )


def parsed_pin(content: bytes, dataset: str) -> Pin:
    """The version that a DVC file's content pins; raises `BadInput` when it is broken."""
    path = pin_path(dataset)
    file = parse(content, path, _PinFile)
    if len(file.outs) != 1:
        raise bad_input(path, f"`outs` has {len(file.outs)} entries", "restore it from Git")
    out, meta = file.outs[0], file.meta
    return Pin(
        dataset=dataset,
        digest=digests.PREFIX + meta.sha256,
        md5=out.md5,
        size=out.size,
        rows=meta.rows,
        contract=meta.contract,
        raw=meta.raw,
        sources=meta.sources,
        deliveries=meta.deliveries,
    )


def pin_of(
    dataset: str,
    content: bytes,
    rows: int,
    contract: str,
    raw: tuple[RawFile, ...] = (),
    *,
    sources: tuple[SourceVersion, ...] = (),
    deliveries: Deliveries | None = None,
) -> Pin:
    """The pin of a version's bytes."""
    return Pin(
        dataset=dataset,
        digest=digests.of_bytes(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        size=len(content),
        rows=rows,
        contract=contract,
        raw=raw,
        sources=sources,
        deliveries=deliveries or Deliveries(),
    )


def to_dvc(pin: Pin) -> str:
    """The text of the DVC file. The table's path in the work tree is ignored by Git."""
    out = {"md5": pin.md5, "size": pin.size, "hash": "md5", "path": f"{pin.dataset}/table.parquet"}
    meta: dict[str, Any] = {
        "sha256": pin.digest.removeprefix(digests.PREFIX),
        "rows": pin.rows,
        "contract": pin.contract,
    }
    if pin.raw:
        meta["raw"] = [file.model_dump() for file in pin.raw]
    if pin.sources:
        meta["sources"] = [source.model_dump() for source in pin.sources]
    if said := pin.deliveries.model_dump(mode="json", exclude_defaults=True):
        meta["deliveries"] = said
    return dump_yaml({"outs": [out], "meta": meta})


def stored(repo: Repository, pin: Pin) -> Path:
    """Where this clone keeps the content; whether it is there is `fetch`'s matter."""
    name = pin.digest.removeprefix(digests.PREFIX)
    return repo.stores / "datasets" / f"{name}.parquet"


def fetch(repo: Repository, pin: Pin) -> Path:
    """The version's Parquet file, verified.

    Got from the DVC remote when it is not here; made again from the raw files, or the versions of
    other datasets, that the pin records when the remote does not have it either, or cannot be
    read. A stored file with other content is told on standard error, never used, and replaced.

    Raises:
        NotHere: when nobody has it.
        BadInput: when the remote's content differs from the pin.
    """
    path = stored(repo, pin)
    if path.is_file():
        found = digests.of_file(path)
        if found == pin.digest:
            told.read(path, pin.digest, _thing(pin))
            return path
        _note(f"{repo.shown(path)}: its content is {found}, it is not used but fetched again")
    with replacing(path) as file:
        _from_elsewhere(repo, pin, file)
    told.wrote(path, pin.digest, _thing(pin))
    return path


def _thing(pin: Pin) -> Thing:
    return Thing("dataset", pin.dataset, pin.digest)


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _from_elsewhere(repo: Repository, pin: Pin, file: BinaryIO) -> None:
    """Write the content, verified: the DVC remote's, or made again."""
    absent = _absent(repo, pin)
    try:
        if _downloaded(repo, pin, file):
            return
    except BadInput as error:
        absent = error.problems[0]
        if not pin.made_of:
            raise
        if not isinstance(error, NotHere):
            _note(f"{absent.path}: {absent.what}; it is made again from its {pin.made_of}")
    if not pin.made_of:
        raise NotHere(absent)
    from mlops.data.again import made_again

    try:
        file.seek(0)
        file.truncate()
        file.write(made_again(repo, pin))
    except MlopsError as error:
        told = "; ".join(f"{problem.path} {problem.what}" for problem in error.problems)
        what = f"{absent.what}, nor can it be made again from its {pin.made_of} ({told})"
        fixes = [problem.fix for problem in error.problems] if pin.sources else [absent.fix]
        raise NotHere(Problem(absent.path, what, "; ".join(dict.fromkeys(fixes)))) from error


def _absent(repo: Repository, pin: Pin) -> Problem:
    return Problem(
        pin_path(pin.dataset),
        f"pins {pin.digest}, which is neither in {repo.shown(stored(repo, pin).parent)} "
        f"nor in the DVC remote {Remote(repo).url}",
        _way_out(pin),
    )


def _way_out(pin: Pin) -> str:
    restore = "restore the remote, or take a pin whose content is there"
    if pin.made_of:
        return restore
    again = (
        f"delete {pin_path(pin.dataset)} and ingest these: mlops data ingest {pin.dataset} FILE..."
    )
    return f"{restore}; the same raw files give the same version: {again}"


def _downloaded(repo: Repository, pin: Pin, file: BinaryIO) -> bool:
    """Write the remote's content, verified; False when it lacks it."""
    if Remote(repo).is_missing:
        return False
    with Remote(repo) as remote:
        url = remote.url
        if not remote.download(pin.md5, file):
            return False
        told.read(remote.place(pin.md5), pin.digest, _thing(pin))
    file.seek(0)
    found = digests.PREFIX + _sha256(file)
    if found != pin.digest:
        raise bad_input(
            pin_path(pin.dataset),
            f"pins {pin.digest}, the content of {pin.md5} in the DVC remote {url} is {found}",
            "restore the remote's object, or correct the pin",
        )
    return True


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    for piece in iter(lambda: file.read(1 << 20), b""):
        digest.update(piece)
    return digest.hexdigest()


def publish(repo: Repository, pin: Pin, content: bytes) -> None:
    """Store a version, push it to the DVC remote, and only then replace the pin.

    A kill at any moment leaves the old pin with its content, and at most content that
    nothing names.
    """
    store(repo, pin, content)
    write_whole(repo.root / pin_path(pin.dataset), to_dvc(pin))


def store(repo: Repository, pin: Pin, content: bytes) -> None:
    """Put a version into the stores and the DVC remote; no pin is written."""
    path = stored(repo, pin)
    if not path.is_file() or digests.of_file(path) != pin.digest:
        write_whole(path, content)
    told.wrote(path, pin.digest, _thing(pin))
    told.describe(path, About(statistics=StatisticsFacet(row_count=pin.rows, size=pin.size)))
    with Remote(repo) as remote:
        remote.push(path, pin.md5)
        told.wrote(remote.place(pin.md5), pin.digest, _thing(pin))
        remote.remember()
