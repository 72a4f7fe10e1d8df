"""The rollback of a large dataset: how long, and whether all that learned from it are named.

Ten services learn from one dataset; nine of them serve the bad version in three environments, in a
repository of thousands of models. The version to go back to lies in the clone's store, or only in
the DVC remote, a folder; it is read from the disk, not from the system's cache.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.generated import ENVIRONMENTS, READERS, dataset_of, make, name_of
from benchmarks.plan import FEW, MANY
from benchmarks.table import Figure, quantile
from mlops.data.pin import Pin, pin_of, pin_path, publish, stored
from mlops.repository import Repository, release_path

SIZE, SMALL = 1_000_000_000, 1_000_000
"""Bytes of a version."""
ROWS = 1_000_000
"""Rows that are made, and written as a row group, at once."""
ROUNDS, GOAL = 5, 10.0
DATASET = dataset_of(0)
SERVICES = [name_of(number) for number in range(1, READERS)]


@dataclass(frozen=True)
class Run:
    """One rollback: seconds of its process, and what it said."""

    seconds: float
    told: dict[str, Any]

    @property
    def named(self) -> int:
        """Places and models with a next command."""
        free = [one for one in self.told["roll_back"] if one["to"] == 2]
        return len(free) + len(self.told["retrain"])


@dataclass(frozen=True)
class Place:
    """A clone that pins the bad version after the good one."""

    clone: Path
    good: Pin

    @property
    def object(self) -> Path:
        """The good version in the DVC remote."""
        md5 = self.good.md5
        return self.clone.parent / "remote" / "files" / "md5" / md5[:2] / md5[2:]

    def roll_back(self, *, cold: bool) -> Run:
        """Run the real command, verify the pin, and put HEAD's pin back."""
        repo = Repository.at(self.clone)
        if cold:
            stored(repo, self.good).unlink()
        _forget(self.object if cold else stored(repo, self.good))
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "mlops", "data", "rollback", DATASET, "--json"],
            cwd=self.clone,
            check=True,
            stdout=subprocess.PIPE,
        )
        seconds = time.perf_counter() - began
        told = json.loads(done.stdout)
        if told["version"] != self.good.digest or not stored(repo, self.good).is_file():
            raise ValueError(f"went back to {told['version']}, not to {self.good.digest}")
        _git(self.clone, "restore", pin_path(DATASET))
        return Run(seconds, told)


def measure(*, small: bool) -> list[Figure]:
    """Figures of both places where the version may lie, in turn."""
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        place = _made(Path(name), SMALL if small else SIZE, FEW if small else MANY)
        rounds = 1 if small else ROUNDS
        runs = [(place.roll_back(cold=False), place.roll_back(cold=True)) for _ in range(rounds)]
    size = f"{place.good.size / 1e9:.2f} GB, {place.good.rows:,} rows"
    warm, cold = zip(*runs, strict=True)
    there = len(SERVICES) * (len(ENVIRONMENTS) + 1)
    return [
        _figure(f"mlops data rollback ({size}), the version in the clone's store", warm),
        _figure(f"mlops data rollback ({size}), the version in a folder as DVC remote", cold),
        Figure(
            what="places that serve the bad version and models to retrain, named with a command",
            value=min(run.named for pair in runs for run in pair),
            unit=f"of {there}",
            goal=there,
            detail=f"{len(SERVICES)} services in {len(ENVIRONMENTS)} environments; the fewest",
            bound="at least",
        ),
    ]


def _figure(what: str, runs: tuple[Run, ...]) -> Figure:
    seconds = [run.seconds for run in runs]
    detail = f"slowest of {len(runs)}; {min(seconds):.2f} to {max(seconds):.2f}"
    return Figure(what, quantile(seconds, 1.0), "s", GOAL, detail)


def _made(folder: Path, size: int, models: int) -> Place:
    forge, clone = folder / "forge.git", folder / "team"
    make(forge, models)
    who = [f"--config=user.{key}" for key in ("name=A Person", "email=person@example.com")]
    _git(folder, "clone", "--quiet", *who, str(forge), str(clone))
    project = clone / "mlops.toml"
    project.write_text(f'{project.read_text()}data = "../remote"\n')
    pins = [_version(clone, size, number) for number in (2, 3)]
    return Place(clone, pins[0])


def _version(clone: Path, size: int, number: int) -> Pin:
    """Pin rows of this number and put releases of this number, which hold them, everywhere."""
    content, rows = _table(size, seed=number)
    pin = pin_of(DATASET, content, rows, "1.0.0")
    publish(Repository.at(clone), pin, content)
    for service in SERVICES:
        for environment in ENVIRONMENTS:
            _release(clone / release_path(environment, service), number, pin)
    _git(clone, "add", "--all")
    _git(clone, "commit", "--quiet", "--message", f"Version {number}, and its releases")
    _git(clone, "push", "--quiet")
    return pin


def _release(file: Path, number: int, pin: Pin) -> None:
    lines = file.read_text().splitlines()
    place = lines.index(f"- name: {DATASET}") + 1
    lines[place] = f"  digest: {pin.digest}"
    kept = [f"release: {number}" if line.startswith("release: ") else line for line in lines]
    file.write_text("\n".join(kept) + "\n")


def _table(size: int, seed: int) -> tuple[bytes, int]:
    """Parquet bytes of at least this size, in the contract's columns, and how many rows."""
    chance, sink, rows = np.random.default_rng(seed), io.BytesIO(), 0
    schema = _points(chance, 0).schema
    with pq.ParquetWriter(sink, schema, compression="zstd", store_schema=False) as writer:
        while sink.tell() < size:
            writer.write_table(_points(chance, rows))
            rows += ROWS
    return sink.getvalue(), rows


def _points(chance: np.random.Generator, start: int) -> pa.Table:
    moments = np.arange(start, start + ROWS).astype("datetime64[us]")
    return pa.table(
        {
            "moment": moments,
            "x": chance.uniform(0, 10, ROWS),
            "side": np.where(chance.integers(0, 2, ROWS) == 0, "left", "right"),
            "y": chance.uniform(-10, 100, ROWS),
        }
    )


def _forget(file: Path) -> None:
    """Have the system read a file from the disk the next time, as the first time."""
    with file.open("rb") as there:
        os.fsync(there.fileno())
        os.posix_fadvise(there.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
