"""What the plan and the checks of a change cost in a repository of thousands of models.

Each repository, of many models and of one, gets the same two changes: a parameter of its first
model, and the promotion of that model's first release to the second environment.
"""

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generated import ENVIRONMENTS, TEMPLATE, dataset_of, make, name_of
from benchmarks.table import Figure

MANY, FEW = 5_000, 50
GOAL, RATIO = 1.0, 1.2
CHANGED, MODEL = "change", name_of(0)
PROMOTED = f"promote/{MODEL}-1-to-{ENVIRONMENTS[1]}"
SPEC = f"models/{MODEL}/model.yaml"


@dataclass(frozen=True)
class Cost:
    """Seconds that passed, and those of the processor, of all processes together."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Place:
    """Where it is measured: the tool's code with its bytecode (`warm`) and without."""

    folder: Path

    def clone(self, which: str, branch: str) -> Path:
        """A fresh checkout, with empty stores; the one before it is removed."""
        target = self.folder / which / "team"
        shutil.rmtree(target.parent, ignore_errors=True)
        who = [f"--config=user.{key}" for key in ("name=A Person", "email=person@example.com")]
        _git(self.folder, "clone", "--quiet", "--branch", branch, *who, f"{which}.git", str(target))
        return target

    def mlops(self, clone: Path, *words: str, warm: bool = True) -> None:
        """One run of the tool, which has to end well."""
        kept = {} if warm else {"PYTHONDONTWRITEBYTECODE": "1"}
        tool = self.folder / ("warm" if warm else "fresh") / "scripts"
        output = {"GITHUB_OUTPUT": str(clone.parent / "output")}
        subprocess.run(
            [sys.executable, "-m", "mlops", *words],
            cwd=clone,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **output, "PYTHONPATH": str(tool), **kept},
        )

    def plan(self, clone: Path, *more: str, warm: bool = True) -> Cost:
        """Cost of a plan."""
        return _cost(lambda: self.mlops(clone, "plan", "--base", "HEAD~1", *more, warm=warm))

    def ci(self, clone: Path) -> Cost:
        """Cost of all that CI runs for a change: the plan, its shares one by one, the report."""
        return _cost(lambda: self._ci(clone))

    def _ci(self, clone: Path) -> None:
        results, base = clone.parent / "results", ("--base", "HEAD~1")
        shutil.rmtree(results, ignore_errors=True)
        (clone.parent / "output").unlink(missing_ok=True)
        self.mlops(clone, "plan", *base, "--github")
        matrix = (clone.parent / "output").read_text().splitlines()[0].removeprefix("matrix=")
        for share in json.loads(matrix)["include"]:
            number = f"{share['shard']}/{share['of']}"
            named = ("--part", share["part"], "--shard", number, "--out", str(results))
            self.mlops(clone, "check", *base, *named)
        self.mlops(clone, "report", str(results), *base, "--out", str(clone.parent / "report"))


def measure(*, small: bool) -> list[Figure]:
    """Figures of both changes, the two repositories in turn."""
    count, runs, changes = (FEW, 2, 1) if small else (MANY, 11, 5)
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        place = Place(Path(name))
        for tool in ("fresh", "warm"):
            _git(place.folder, "clone", "--quiet", str(TEMPLATE), tool)
        for which, number in (("many", count), ("one", 1)):
            make(place.folder / f"{which}.git", number)
            _change(place, which)
        size = f"{count:,} models and {len(ENVIRONMENTS)} environments, one model changed"
        return [
            *_plans(place, size, runs),
            *_checks(place, CHANGED, f"all that CI runs, {size}", changes),
            *_checks(place, PROMOTED, f"all that CI runs, {count:,} models, one promoted", changes),
        ]


def _plans(place: Place, size: str, runs: int) -> list[Figure]:
    fresh = [place.plan(place.clone("many", CHANGED), warm=False) for _ in range(runs)]
    many, one = place.clone("many", CHANGED), place.clone("one", CHANGED)
    people = [(place.plan(many), place.plan(one)) for _ in range(runs)]
    jobs = [(place.plan(many, "--github"), place.plan(one, "--github")) for _ in range(runs)]
    return [
        _figure(f"mlops plan, fresh checkout without caches, {size}", fresh),
        _figure(f"mlops plan, warm, {size}", [cost for cost, _ in people], of_one(people)),
        _figure(f"mlops plan in a job, {size}", [cost for cost, _ in jobs], of_one(jobs)),
    ]


def _checks(place: Place, branch: str, what: str, runs: int) -> list[Figure]:
    """First in a fresh clone without caches and stores, then in that clone again."""
    fresh, warm = [], []
    for _ in range(runs):
        many, one = place.clone("many", branch), place.clone("one", branch)
        fresh.append((place.ci(many), place.ci(one)))
        warm.append((place.ci(many), place.ci(one)))
    return [
        _ratio(f"{what}, fresh checkout without caches, against one model", fresh),
        _ratio(f"{what}, warm, against one model", warm),
    ]


def of_one(pairs: Sequence[tuple[Cost, Cost]]) -> str:
    """The second of each pair, in words."""
    return f"; of one model {statistics.median(one.wall for _, one in pairs):.2f} s"


def _figure(what: str, costs: Sequence[Cost], more: str = "") -> Figure:
    seconds = [cost.wall for cost in costs]
    cpu = statistics.median(cost.cpu for cost in costs)
    detail = f"median of {len(seconds)}; {min(seconds):.2f} to {max(seconds):.2f}"
    detail += f"; {cpu:.2f} s of the processor{more}"
    return Figure(what, statistics.median(seconds), "s", GOAL, detail)


def _ratio(what: str, pairs: Sequence[tuple[Cost, Cost]]) -> Figure:
    """The medians of runs that took turns, one against the other."""
    many, one = (
        statistics.median(cost.wall for cost in costs) for costs in zip(*pairs, strict=True)
    )
    busy = [statistics.median(cost.cpu for cost in costs) for costs in zip(*pairs, strict=True)]
    detail = f"medians of {len(pairs)}, in turn: {many:.2f} and {one:.2f} s; "
    detail += f"of the processor {busy[0]:.2f} and {busy[1]:.2f} s, {busy[0] / busy[1]:.2f} times"
    return Figure(what, many / one, "times", RATIO, detail)


def _cost(run: Callable[[], None]) -> Cost:
    before, began = _used(), time.perf_counter()
    run()
    return Cost(time.perf_counter() - began, _used() - before)


def _used() -> float:
    """Seconds of the processor that ended processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _change(place: Place, which: str) -> None:
    """Both changes as branches of a repository; the data is pinned and released from before."""
    clone, first = place.clone(which, "main"), ENVIRONMENTS[0]
    raw = sorted(str(file) for file in (clone / f"data-contracts/{dataset_of(0)}/raw").iterdir())
    place.mlops(clone, "data", "ingest", dataset_of(0), *raw)
    _commit(clone, "Pin")
    for verb in ("train", "release"):
        place.mlops(clone, verb, MODEL)
    _merge(clone, f"release/{MODEL}-1", f"Release {MODEL} 1 to {first}")
    place.mlops(clone, "promote", MODEL, "--to", ENVIRONMENTS[1])
    spec = clone / SPEC
    spec.write_text(re.sub(r"rounds: \d+", "rounds: 60", spec.read_text()))
    _commit(clone, "Change", CHANGED)


def _merge(clone: Path, branch: str, message: str) -> None:
    _git(clone, "fetch", "--quiet", "origin", branch)
    _git(clone, "merge", "--quiet", "--squash", "FETCH_HEAD")
    _commit(clone, message)


def _commit(clone: Path, message: str, branch: str = "main") -> None:
    """Commit all that differs, and push it to a branch."""
    _git(clone, "add", "--all")
    _git(clone, "commit", "--quiet", "--message", message)
    _git(clone, "push", "--quiet", "origin", f"HEAD:{branch}")


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)
