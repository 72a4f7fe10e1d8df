"""What a search is worth on rows that it never read: what it found against what it started from.

Of each model with a search whose raw files lie in Git, at several moments of its data, with several
seeds: `mlops tune` searches on the training rows, then both sets of parameters are trained on these
and measured on the holdout. The parameters of model.yaml were set by hand.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import lightgbm

from benchmarks.copy import Copy, copy_to
from benchmarks.table import Figure
from mlops.repository import Repository
from mlops.specs.search import Value
from mlops.training.holdout import split
from mlops.training.metrics import HIGHER_IS_BETTER, value
from mlops.training.rows import matrix, records, targets
from mlops.training.training import features_of, trainer_of

PUBLISHED = 23.0
"""Percent better than by hand, the lower end of what is published (docs/figures.md)."""
SEEDS, TRIALS, FEW = 3, 60, 4
LIBRARY: Mapping[str, Value] = {
    "rounds": 100,
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 20,
}
"""LightGBM's own defaults, as its documentation has them."""


@dataclass(frozen=True)
class Found:
    """One search: the metric on the holdout, and the gain on the search's own windows (share)."""

    by_hand: float
    library: float
    tuned: float
    claimed: float
    seconds: float


def measure(*, small: bool) -> list[Figure]:
    """Figures of each model."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder:
        copy = copy_to(Path(folder) / "clone")
        repo = Repository.at(copy.root)
        for model in repo.models():
            spec = repo.model(model)
            raw = sorted(repo.tree.files(f"data-contracts/{spec.data.dataset}/raw"))
            if spec.search and raw:
                found = _searches(copy, model, raw, small=small)
                figures += _figures(model, spec.search.metric, found, FEW if small else TRIALS)
    return figures


def _searches(copy: Copy, model: str, raw: Sequence[str], *, small: bool) -> list[Found]:
    """Searches with each seed, when half of the files were there, two thirds, and so on."""
    many = len(raw)
    ends = [many // 2] if small else [many // 2, many * 2 // 3, many * 5 // 6, many]
    found = []
    for start, end in zip([0, *ends], ends, strict=False):
        dataset = Repository.at(copy.root).model(model).data.dataset
        _mlops(copy, "data", "ingest", dataset, *raw[start:end])
        found += [
            _search(copy, model, seed, FEW if small else TRIALS)
            for seed in range(1 if small else SEEDS)
        ]
    return found


def _search(copy: Copy, model: str, seed: int, trials: int) -> Found:
    _set_seed(copy, model, seed)
    told = json.loads(
        _mlops(copy, "tune", model, "--trials", str(trials), "--workers", "1", "--json")
    )
    start, best = told["start"], told["best"]
    library = {name: LIBRARY.get(name, was) for name, was in start["params"].items()}
    return Found(
        by_hand=_held_out(copy, model, start["params"]),
        library=_held_out(copy, model, library),
        tuned=_held_out(copy, model, best["params"]),
        claimed=told["gain"],
        seconds=told["seconds"],
    )


def _held_out(copy: Copy, model: str, params: Mapping[str, Value]) -> float:
    """The metric on the holdout of a model that was trained on all rows before it."""
    repo = Repository.at(copy.root)
    spec, code = repo.model(model), features_of(repo, model)
    rows, target = split(repo, repo, model), spec.data.target
    if spec.search is None:
        raise ValueError(f"{model} has no search")
    text = trainer_of(repo, model)(
        matrix(records(rows.train, code), code),
        targets(rows.train, target),
        code.columns,
        {**spec.training.params, **params},
        spec.training.seed,
    )
    x = matrix(records(rows.holdout, code), code)
    p = lightgbm.Booster(model_str=text).predict(x, num_threads=1)
    return value(spec.search.metric, targets(rows.holdout, target), p)


def _figures(model: str, metric: str, found: Sequence[Found], trials: int) -> list[Figure]:
    sign = -1 if metric in HIGHER_IS_BETTER else 1
    hand = [100 * sign * (one.by_hand - one.tuned) / abs(one.by_hand) for one in found]
    library = [100 * sign * (one.library - one.tuned) / abs(one.library) for one in found]
    claimed = fmean(100 * one.claimed for one in found)
    seconds = fmean(one.seconds for one in found)
    how = f"{trials} tries, {seconds:.0f} s of training each search"
    return [
        _figure(f"{model}: {metric} on the holdout, found against set by hand", hand, how),
        _figure(
            f"{model}: {metric} on the holdout, found against LightGBM's defaults",
            library,
            f"{how}; on the windows of the search itself {claimed:.1f} % against by hand",
        ),
    ]


def _figure(what: str, gains: Sequence[float], how: str) -> Figure:
    better = sum(gain > 0 for gain in gains)
    spread = f"{min(gains):.1f} to {max(gains):.1f}; better in {better} of {len(gains)}"
    return Figure(what, fmean(gains), "% better", PUBLISHED, f"mean; {spread}; {how}", "at least")


def _set_seed(copy: Copy, model: str, seed: int) -> None:
    file = copy.root / "models" / model / "model.yaml"
    head, mark, search = file.read_text().partition("\nsearch:\n")
    lines = [line for line in search.splitlines() if not line.startswith("  seed:")]
    file.write_text("\n".join([f"{head}{mark}  seed: {seed}", *lines, ""]))


def _mlops(copy: Copy, *words: str) -> Any:
    done = subprocess.run(
        [str(copy.python), "-m", "mlops", *words],
        cwd=copy.root,
        check=True,
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.stdout
