"""Planted faults: what of them is found when a batch of 1,000,000 rows arrives, and how soon.

A year of clean weeks is learned from. Then clean weeks of other years come, and weeks with one
fault each, of every kind and strength (see benchmarks/faults). The whole run writes its table and
its picture into docs/, too.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from benchmarks.faults.batch import CONTRACT, WEEKS, Batch, clean, planted, reference, sent
from benchmarks.faults.clean import HOURS, STATIONS
from benchmarks.faults.held_out import (
    HELD_OUT,
    REFERENCE_SEED,
    REPORT_SEEDS,
    TUNING_SEEDS,
    for_report,
    for_tuning,
)
from benchmarks.faults.kind import Kind
from benchmarks.faults.record import record
from benchmarks.table import Figure, quantile
from mlops.data.contract import Contract
from mlops.data.learned.checking import check
from mlops.data.learned.learning import Taught, learn
from mlops.data.reading import usable
from mlops.data.validation import validate_file
from mlops.errors import BadInput
from mlops.service_levels.promises import promises, utc

FOUND, REFUSED, SECONDS = 99.0, 1.0, 10.0
CLEAN, FEW_CLEAN = 200, 4
FEW_STATIONS, FEW_WEEKS, ONE_OF = 40, 12, 5
"""Of a small run: stations, weeks that are learned from, and one of so many kinds."""
GROUPS = ("schema", "missing", "outliers", "duplicates", "relation", "distribution", "rows")
Source = Literal["declared", "learned", "together"]


@dataclass(frozen=True)
class Verdict:
    """What was said of a batch: rules broken, and the seconds from its arrival on."""

    declared: tuple[str, ...]
    learned: tuple[str, ...]
    seconds: float

    def told(self, source: Source = "together") -> bool:
        """Whether anything was said against it."""
        declared, learned = bool(self.declared), bool(self.learned)
        return {"declared": declared, "learned": learned, "together": declared or learned}[source]


@dataclass(frozen=True)
class Planted:
    """A fault, and what was said."""

    kind: Kind
    strength: float
    verdict: Verdict

    @property
    def held_out(self) -> bool:
        """Whether its kind was kept from those who tuned."""
        return self.kind.name in HELD_OUT


@dataclass(frozen=True)
class Inspector:
    """Holds batches to what is declared and to what was learned."""

    contract: Contract
    taught: Taught

    def __call__(self, batch: Batch) -> Verdict:
        """Say what is against a batch."""
        began = time.perf_counter()
        declared = tuple(_declared(self.contract, batch))
        outcomes = check(self.contract, self.taught.learned, self.taught.known, batch.file)
        learned = tuple(each.rule.place for each in outcomes if not each.passed)
        return Verdict(declared, learned, time.perf_counter() - began)


def _declared(contract: Contract, batch: Batch) -> Iterator[str]:
    try:
        report = validate_file(contract, batch.file)
    except BadInput as refused:
        yield str(refused)
        return
    yield from (outcome.rule.text for outcome in report.failed)
    yield from (f"not checked: {rule.text}" for rule in report.unchecked)
    if late(contract, batch):
        yield "the batch is later than its contract's latency"


def late(contract: Contract, batch: Batch) -> bool:
    """Whether a batch came later after the end of its newest row's period than is promised."""
    promised = promises(contract)
    if promised.element is None:
        return False
    newest = pd.read_parquet(batch.file, columns=[promised.element])[promised.element].max()
    due = promised.handed_over(newest.to_pydatetime())
    return due is not None and utc(batch.arrived.to_pydatetime()) > due


def taught(folder: Path, stations: int, weeks: int, seed: int = REFERENCE_SEED) -> Inspector:
    """Learn from a clean year."""
    contract = usable(CONTRACT.read_bytes(), CONTRACT.name, Contract)
    file = reference(folder / "reference.parquet", seed, stations, weeks)
    inspector = Inspector(contract, learn(contract, file, f"sha256:{'0' * 64}"))
    file.unlink()
    return inspector


def plant(
    kinds: Sequence[Kind], seeds: Iterator[int], stations: int, say: Inspector, folder: Path
) -> Iterator[Planted]:
    """Each kind in a week of its own, at each of its strengths."""
    for kind in kinds:
        seed = next(seeds)
        frame = clean(seed, stations)
        for strength in kind.strengths:
            batch = sent(planted(kind, strength, frame, seed), seed, folder / "batch.parquet")
            yield Planted(kind, strength, say(batch))


def measure(*, small: bool) -> list[Figure]:
    """Figures of faults found and of clean batches refused; a small run uses what is for tuning."""
    stations, weeks = (FEW_STATIONS, FEW_WEEKS) if small else (STATIONS, WEEKS)
    of = TUNING_SEEDS if small else REPORT_SEEDS
    seeds = iter(of)
    allowed = for_tuning(of[0]) if small else for_report(of[0])
    kinds = list(allowed.values())[:: ONE_OF if small else 1]
    with tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as name:
        folder = Path(name)
        say = taught(folder, stations, weeks)
        good = []
        for _ in range(FEW_CLEAN if small else CLEAN):
            seed = next(seeds)
            good.append(say(sent(clean(seed, stations), seed, folder / "batch.parquet")))
        faults = list(plant(kinds, seeds, stations, say, folder))
    if not small:
        record(faults, rows=round(stations * HOURS, -3))
    return _figures(good, faults)


def _figures(good: Sequence[Verdict], faults: Sequence[Planted]) -> list[Figure]:
    seen = [each for each in faults if not each.held_out]
    kept = [each for each in faults if each.held_out]
    seconds = [each.seconds for each in (*good, *(fault.verdict for fault in faults))]
    refused = {s: sum(each.told(s) for each in good) for s in ("declared", "learned", "together")}
    return [
        _found("planted faults found", faults),
        *([_found("those of kinds that nobody tuned on", kept)] if kept else []),
        _found("those of the other kinds", seen),
        *(_found(f"faults of {group}", some) for group in GROUPS if (some := _of(faults, group))),
        Figure(
            what="clean batches refused",
            value=100 * refused["together"] / len(good),
            unit="%",
            goal=REFUSED,
            detail=f"of {len(good)}; declared {refused['declared']}, learned {refused['learned']}",
        ),
        Figure(
            what="from the arrival of a batch to the verdict",
            value=max(seconds),
            unit="s",
            goal=SECONDS,
            detail=f"slowest of {len(seconds)}; median {quantile(seconds, 0.5):.2f}",
        ),
    ]


def _of(faults: Sequence[Planted], group: str) -> list[Planted]:
    return [each for each in faults if each.kind.group == group]


def _found(what: str, faults: Sequence[Planted]) -> Figure:
    detail = f"of {len(faults)}; declared alone {_share(faults, 'declared'):.1f} %, "
    missed = [f"{e.kind.name} {e.strength:g}" for e in faults if not e.verdict.told()]
    detail += f"learned alone {_share(faults, 'learned'):.1f} %; missed: "
    return Figure(
        what=what,
        value=_share(faults, "together"),
        unit="%",
        goal=FOUND,
        detail=detail + (", ".join(missed) or "none"),
        bound="at least",
    )


def _share(faults: Sequence[Planted], source: Source) -> float:
    return 100 * sum(each.verdict.told(source) for each in faults) / max(1, len(faults))
