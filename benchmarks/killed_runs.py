"""Pipeline runs that are cut off, each run again until it ends: whether one of them ends wrong.

A run takes a month of bike rentals from the raw file to predictions, in a clone and stores of its
own. It is disturbed in one of three ways: its processes are killed at a random instant, up to three
times; no file can grow above a random size, as on a full disk; or its registry, a real MLflow
server, goes away at a random instant and is back for the next run. Then it is run again,
undisturbed. What it leaves has to be what a run leaves that nothing happened to.

Runs are processes forked from one that has imported the libraries; what is killed is the whole
process group. Two are made at a time.
"""

import contextlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Literal

import yaml

from benchmarks.mlflow_server import free_port, kill, mlflow_server
from benchmarks.table import Figure, quantile

ROOT = Path(__file__).parent.parent
MODEL, DATASET = "bike-demand", "bike-rentals"
RAW = f"data-contracts/{DATASET}/raw/2011-01.csv"
LINE = ("pipeline", "run", MODEL, "--raw", RAW)
RUNS, FEW = 200, 3
SEED = 20_261_130
KILLS, TRIES = 3, 3
AT_ONCE = 2
LARGEST = 1_000_000
"""Bytes: somewhat more than the largest file of a run, the registry's database."""
PATIENCE = 600.0
ERRORS = "errors"
"""File of a clone with what its runs said on standard error."""
LOADED = [
    *("mlops.cli", "mlops.commands.pipeline", "mlops.pipelines.running", "mlops.pipelines.batch"),
    *("mlops.training.evaluation", "pandas", "pyarrow.parquet", "duckdb", "lightgbm"),
    *("great_expectations", "mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store"),
]
WAY = Literal["killed", "full disk", "registry away"]
WAYS: tuple[WAY, ...] = (*("killed",) * 6, "full disk", "registry away")
"""In turn: most are killed, and one of eight meets each of the errors."""
LEFT = """
import json, sys
from mlops import digests
from mlops.data.pin import read_pin
from mlops.pipelines.batch import predictions_path
from mlops.repository import Repository
from mlops.training.candidate import registered_of
repo = Repository.at()
model = sys.argv[1]
pin = read_pin(repo, repo.model(model).data.dataset)
predictions = digests.of_file(predictions_path(repo, model))
print(json.dumps([pin.digest, registered_of(repo, model).digest, predictions]))
"""


@dataclass(frozen=True)
class Place:
    """A clone, its stores inside it, and what its runs said."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, largest: int | None = None) -> ForkServerProcess:
        """A run that has begun; no file grows above `largest` bytes."""
        given = (self.root, self.environment, largest)
        process: ForkServerProcess = _context().Process(target=_run, args=given)
        process.start()
        return process

    def left(self) -> list[str]:
        """Digests of the pin, of the registered model and of the predictions."""
        done = subprocess.run(
            [sys.executable, "-c", LEFT, MODEL],
            cwd=self.root,
            check=True,
            stdout=subprocess.PIPE,
            env={**os.environ, **self.environment},
        )
        found: list[str] = json.loads(done.stdout)
        return found


@dataclass(frozen=True)
class Ended:
    """What became of a run: how often it was cut off, and what of it is wrong (empty: nothing)."""

    way: WAY
    cut_off: int
    wrong: str
    seconds: float


def measure(*, small: bool) -> list[Figure]:
    """The runs that ended wrong, of all."""
    many = FEW if small else RUNS
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        origin = _origin(Path(name))
        _, wanted = _undisturbed(origin)  # the first imports the libraries
        lasts, again = _undisturbed(origin)
        if again != wanted:
            raise ValueError(f"two undisturbed runs differ: {wanted}, {again}")
        ways = (WAYS[-FEW:] if small else WAYS) * many
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ended = list(
                pool.map(
                    lambda number: _disturbed(origin, number, ways[number - 1], lasts, wanted),
                    range(1, many + 1),
                )
            )
    return _figures(ended, lasts)


def _figures(ended: list[Ended], lasts: float) -> list[Figure]:
    ways = Counter(one.way for one in ended)
    told = ", ".join(f"{many} {way}" for way, many in ways.items())
    wrong = [f"run {number}: {one.wrong}" for number, one in enumerate(ended, 1) if one.wrong]
    seconds = [one.seconds for one in ended]
    return [
        Figure(
            what="runs that ended wrong: other digests than an undisturbed run's, or no end",
            value=len(wrong),
            unit=f"of {len(ended)}",
            goal=0,
            detail="; ".join([told, f"seed {SEED}", *wrong]),
        ),
        Figure(
            what="runs that were cut off, or met the error, before they ended",
            value=sum(one.cut_off > 0 for one in ended),
            unit=f"of {len(ended)}",
            goal=0.8 * len(ended),
            detail=f"{sum(one.cut_off for one in ended)} times in all; a run lasts {lasts:.1f} s, "
            f"with what disturbs it {quantile(seconds, 0.5):.1f} s",
            bound="at least",
        ),
    ]


def _undisturbed(origin: Path) -> tuple[float, list[str]]:
    """Seconds of a run that nothing happens to, and what it leaves."""
    with _place(origin, 0) as place:
        began = time.perf_counter()
        _until_it_ends(place)
        return time.perf_counter() - began, place.left()


def _disturbed(origin: Path, number: int, way: WAY, lasts: float, wanted: list[str]) -> Ended:
    """Disturb a run, run it again until it ends, and hold what it left against what is wanted."""
    chance = random.Random(SEED + number)
    began = time.perf_counter()
    with _place(origin, number) as place:
        if way == "registry away":
            cut_off, wrong = _with_registry(place, chance, lasts, wanted)
        else:
            cut_off = _kill(place, chance, lasts) if way == "killed" else _fill(place, chance)
            wrong = _wrong(place, wanted)
    return Ended(way, cut_off, wrong, time.perf_counter() - began)


def _kill(place: Place, chance: random.Random, lasts: float) -> int:
    """Kill runs at random instants; how many had not ended."""
    killed = 0
    for _ in range(chance.randint(1, KILLS)):
        process = place.start()
        process.join(chance.uniform(0, lasts))
        if process.is_alive():
            killed += 1
        with contextlib.suppress(ProcessLookupError):
            os.killpg(_number(process), signal.SIGKILL)
        process.kill()
        process.join()
    return killed


def _fill(place: Place, chance: random.Random) -> int:
    """One run in which no file grows above a random size; whether it failed."""
    return int(_code(place.start(chance.randrange(LARGEST))) != 0)


def _with_registry(
    place: Place, chance: random.Random, lasts: float, wanted: list[str]
) -> tuple[int, str]:
    """One run whose registry goes away, and the runs after it; whether it failed, what is wrong."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    toml = place.root / "mlops.toml"
    root = 'root = ".mlops"'
    toml.write_text(toml.read_text().replace(root, f'{root}\nregistry = "{address}"'))
    with mlflow_server(place.root / "registry", port) as server:
        process = place.start()
        process.join(chance.uniform(0, lasts))
        kill(server)
        failed = _code(process) != 0
    with mlflow_server(place.root / "registry", port):
        return int(failed), _wrong(place, wanted)


def _wrong(place: Place, wanted: list[str]) -> str:
    """Run to the end and say what is wrong with what is left; empty when nothing is."""
    try:
        _until_it_ends(place)
        left = place.left()
    except (TimeoutError, subprocess.CalledProcessError) as error:
        return str(error)
    both = zip(("pin", "model", "predictions"), left, wanted, strict=True)
    return ", ".join(name for name, one, other in both if one != other)


def _until_it_ends(place: Place) -> None:
    """Run until it ends well; raises TimeoutError when it does not, tried several times."""
    for _ in range(TRIES):
        if _code(place.start()) == 0:
            return
    said = (place.root / ERRORS).read_text().strip().splitlines()
    raise TimeoutError(f"does not end well ({said[-1] if said else 'says nothing'})")


def _code(process: ForkServerProcess) -> int | None:
    process.join(PATIENCE)
    if process.is_alive():
        os.killpg(_number(process), signal.SIGKILL)
        process.join()
    return process.exitcode


def _number(process: ForkServerProcess) -> int:
    if process.pid is None:
        raise ValueError("a process that was not started")
    return process.pid


def _run(root: Path, environment: Mapping[str, str], largest: int | None) -> None:
    """What a forked process does: the command, in a session of its own."""
    os.setsid()
    os.chdir(root)
    os.environ.update(environment)
    for number, name in ((1, "said"), (2, ERRORS)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
    if largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    from mlops.cli import run

    sys.exit(run(LINE))


def _context() -> Any:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(LOADED)
    return found


def _origin(folder: Path) -> Path:
    """A clone of the project whose model is quick to measure and passes on one month of rows."""
    origin = folder / "origin"
    _git(folder, "clone", "--quiet", str(ROOT), str(origin))
    file = origin / "models" / MODEL / "model.yaml"
    spec = yaml.safe_load(file.read_text())
    spec["evaluation"]["resamples"] = 200
    spec["training"]["params"]["rounds"] = 100
    spec["gates"] = {"cost": {"size_mb": 5, "latency_ms": 5000}}
    file.write_text(yaml.safe_dump(spec))
    _git(origin, "config", "user.name", "A Person")
    _git(origin, "config", "user.email", "person@example.com")
    _git(origin, "commit", "--quiet", "--all", "--message", "One month")
    return origin


@contextmanager
def _place(origin: Path, number: int) -> Iterator[Place]:
    root = origin.parent / f"run-{number}"
    _git(origin.parent, "clone", "--quiet", "--shared", str(origin), str(root))
    # One retry: a registry that is away is told after seconds.
    yield Place(root, {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"})
    shutil.rmtree(root)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
