"""A table larger than memory, held to its contract: how long beside reading it, in what memory.

The rows are generated: the columns and the rules of bike-rentals, a row a second. Each of the two
is a process of its own, on two cores; that which validates cannot allocate more than its bound.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.table import Figure, quantile
from mlops.data.contract import Contract
from mlops.files import load_yaml

ROWS, SMALL = 100_000_000, 200_000
CHUNK = 1 << 20
"""Rows that are made, and written as a row group, at once."""
ROUNDS, GOAL = 3, 3.0
CORES, BOUND = 2, 4 << 30
PROJECT = Path(__file__).parent.parent
QUERY = (
    "SELECT COUNT(*) FROM ${table} "
    "WHERE hour_at <> TIMESTAMP '2011-01-01' + to_seconds(24 * (day - 1) + hr)"
)
WEATHER = ("clear", "cloudy/misty", "light rain/snow", "heavy rain/snow")
SHARES = (0.66, 0.255, 0.084, 0.001)
MONTHS = ("Jan", "Feb", "March", "April", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
SEASONS = (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)


@dataclass(frozen=True)
class Run:
    """A process: how long it took, and the most memory it held."""

    seconds: float
    peak: int
    told: dict[str, Any]


def measure(*, small: bool) -> list[Figure]:
    """Reading and validating in turn, the medians compared."""
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        file = Path(name) / "rows.parquet"
        rows = SMALL if small else ROWS
        _write(file, rows)
        size = file.stat().st_size / 1e9
        pairs = [
            (_child("read", file), _child("validate", file)) for _ in range(1 if small else ROUNDS)
        ]
    reads, checks = zip(*pairs, strict=True)
    if any(run.told["rows"] != rows or run.told["failed"] for run in checks):
        raise ValueError(f"clean rows were found broken: {checks[0].told}")
    reading, checking = (quantile([run.seconds for run in runs], 0.5) for runs in (reads, checks))
    rules = checks[0].told["rules"]
    return [
        Figure(
            what=f"{rules} rules on {rows:,} rows of Parquet ({size:.2f} GB) beside reading them",
            value=checking / reading,
            unit="times",
            goal=GOAL,
            detail=f"{checking:.1f} s and {reading:.1f} s, medians of {len(pairs)}, {CORES} cores; "
            "read is each column summed by DuckDB",
        ),
        Figure(
            what="memory of the process that validates, at its peak",
            value=max(run.peak for run in checks) / (1 << 30),
            unit="GiB",
            goal=BOUND / (1 << 30),
            detail="resident; it may not allocate more than the goal (RLIMIT_DATA)",
        ),
    ]


def _child(doing: str, file: Path) -> Run:
    """Run this module as a process of its own."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.validation", doing, str(file)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        preexec_fn=_bound if doing == "validate" else _cores,  # noqa: PLW1509 - no thread runs here
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for types
        told = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{doing} ended with {process.returncode}")
    return Run(seconds, used.ru_maxrss * 1024, json.loads(told))


def _cores() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def _bound() -> None:
    _cores()
    resource.setrlimit(resource.RLIMIT_DATA, (BOUND, BOUND))


def _read(file: Path) -> dict[str, Any]:
    """Every value of the file decoded and added up."""
    import duckdb

    sums = [_sum(field.name, field.type) for field in pq.read_schema(file)]
    with duckdb.connect(config={"preserve_insertion_order": False, "memory_limit": "2GB"}) as base:
        found = base.execute(
            f"SELECT count(*), {', '.join(sums)} FROM read_parquet('{file}')"  # noqa: S608 - a path of our own
        ).fetchone()
    assert found is not None  # noqa: S101 - for types
    return {"rows": found[0]}


def _sum(name: str, kind: pa.DataType) -> str:
    if pa.types.is_string(kind):
        return f"sum(length({name}))"
    return f"sum(epoch({name}))" if pa.types.is_timestamp(kind) else f"sum({name})"


def _validate(file: Path) -> dict[str, Any]:
    from mlops.data.validation import validate_file

    report = validate_file(_contract(), file)
    failed = [problem.what for problem in report.problems]
    return {"rows": report.rows, "rules": len(report.outcomes), "failed": failed}


def _contract() -> Contract:
    """That of bike-rentals, of seconds in place of hours and without an end."""
    asked: Any = load_yaml(
        (PROJECT / "data-contracts/bike-rentals.odcs.yaml").read_text(), "contract"
    )
    (table,) = asked["schema"]
    by_name = {column["name"]: column for column in table["properties"]}
    del by_name["hour_at"]["logicalTypeOptions"]["exclusiveMaximum"]
    del by_name["day"]["logicalTypeOptions"]["maximum"]
    for rule in table["quality"]:
        if rule.get("type") == "sql":
            rule["query"] = QUERY
        if rule.get("metric") == "rowCount":
            del rule["mustBeBetween"]
            rule["mustBeGreaterOrEqualTo"] = 600
    return Contract.model_validate_json(json.dumps(asked))


def _write(file: Path, rows: int) -> None:
    """Rows in the order of the key, written as a version is."""
    chance = np.random.default_rng(2011)
    made: Callable[[int], pa.Table] = partial(_rows, chance, rows)
    options = {"compression": "zstd", "compression_level": 3, "store_schema": False}
    with pq.ParquetWriter(file, made(0).schema, version="2.6", **options) as writer:
        for start in range(0, rows, CHUNK):
            writer.write_table(made(start), row_group_size=CHUNK)


def _rows(chance: np.random.Generator, end: int, start: int) -> pa.Table:
    count = min(CHUNK, end - start)
    number = np.arange(start, start + count)
    month = chance.integers(0, 12, count)
    working = chance.integers(0, 2, count)
    shares = {name: chance.random(count) for name in ("temp", "atemp", "hum", "windspeed")}
    return pa.table(
        {
            "hour_at": np.datetime64("2011-01-01", "us") + number.astype("timedelta64[s]"),
            "season": np.array(SEASONS)[month],
            "mnth": _words(MONTHS, month),
            "day": number // 24 + 1,
            "hr": number % 24,
            "holiday": np.where(working == 1, 0, chance.integers(0, 2, count)),
            "weekday": np.where(working == 1, chance.integers(1, 6, count), 0),
            "workingday": working,
            "weathersit": _words(WEATHER, chance.choice(4, count, p=SHARES)),
            **shares,
            "bikers": chance.integers(1, 1000, count),
        }
    )


def _words(values: tuple[str, ...], places: np.ndarray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(places.astype("int8"), list(values))


if __name__ == "__main__":
    done = {"read": _read, "validate": _validate}[sys.argv[1]](Path(sys.argv[2]))
    sys.stdout.write(json.dumps(done))
