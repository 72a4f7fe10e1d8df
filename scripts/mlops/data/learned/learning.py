"""Learning the rules from a dataset's pinned version, period by period."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.data.contract import Contract, Severity
from mlops.data.learned import discovery, known
from mlops.data.learned.calibration import calibrated
from mlops.data.learned.columns import WEEK_HOUR, Looked
from mlops.data.learned.figures import DIFFERING, SHIFT, Asked, Key, differing, figures
from mlops.data.learned.known import Candidate
from mlops.data.learned.model import Between, Known, Learned, Together
from mlops.data.learned.tables import database, laid_out, source
from mlops.data.rules import quoted
from mlops.errors import bad_input
from mlops.service_levels.promises import promises

LEAST_PERIODS, MOST_PERIODS = 8, 53
SAMPLED = 30_000
"""Rows, about, that distributions and fits are learned from."""
FALSE_ALARMS = 0.01
TRUNCATED = ("hour", "day", "week", "month", "year")


@dataclass(frozen=True)
class Taught:
    """Learned rules, and the files of known values beside them, by column."""

    learned: Learned
    known: Mapping[str, bytes]


@dataclass(frozen=True)
class _Period:
    start: Any
    rows: int

    def where(self, moment: str, unit: str) -> str:
        at, start = quoted(moment), f"TIMESTAMP '{self.start}'"
        return f"{at} >= {start} AND {at} < {start} + INTERVAL 1 {unit}"


@dataclass(frozen=True)
class _Reference:
    """A version's rows, cut into whole periods."""

    opened: Any
    given: str
    contract: Contract
    moment: str
    unit: str
    periods: tuple[_Period, ...]

    def lay_out(self, period: _Period, fits: Sequence[Any] = ()) -> tuple[Looked, ...]:
        where = period.where(self.moment, self.unit)
        return laid_out(self.opened, self.given, self.contract, self.moment, fits, where=where)


def learn(
    contract: Contract,
    rows: "Path | Any",
    version: str,
    *,
    severity: Severity = "warning",
    false_alarms: float = FALSE_ALARMS,
    off: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Taught:
    """Learn from a version's rows.

    Args:
        contract: its `frequency` says what a batch holds.
        rows: a Parquet file, or an Arrow table.
        version: the content digest of the rows, to be named.
        severity: of what breaks a learned rule.
        false_alarms: the share of good batches that may be told.
        off: rules that a person has switched off, as `column: figure`.
        progress: told what is being done.

    Raises:
        BadInput: when the contract does not say what a batch holds, or there are too few periods.
    """
    moment, unit = cut_by(contract)
    with database() as opened:
        given = source(opened, rows)
        periods = _periods(opened, given, contract, moment, unit)
        reference = _Reference(opened, given, contract, moment, unit, periods)
        progress(f"what belongs together in {len(periods)} {unit}s")
        columns, candidates = _candidates(reference)
        texts = [each.name for each in columns if each.own and each.sort == "text"]
        _gather(reference, candidates, texts)
        found = [known.settled(opened, each, len(periods)) for each in candidates]
        kept = {each.of: (each, content) for each, content in filter(None, found)}
        for each, content in kept.values():
            known.load(opened, columns, each, content)
        numbers = known.measured(opened, contract.table)
        fits = discovery.fits(_sample(opened, numbers))
        bins = discovery.bins(opened, "sample", _that_recur(opened, columns))
        within = [rest for each in candidates if (rest := _rest(each.together, kept))]
        progress("what the figures are in each")
        measured = []
        for period in periods:
            looked = reference.lay_out(period, fits)
            asked = Asked(looked, moment, unit, bins, within, [each for each, _ in kept.values()])
            measured.append(figures(opened, asked))
    rules = {
        key: bounds
        for key, bounds in calibrated(measured, false_alarms).items()
        if _is_rule(key, bounds)
    }
    learned = Learned(
        dataset=contract.dataset,
        version=version,
        contract=contract.version,
        severity=severity,
        moment=moment,
        period=unit,
        periods=len(periods),
        false_alarms=false_alarms,
        fits=fits,
        together=tuple(_that_hold(within, rules)),
        known=tuple(each for each, _ in kept.values()),
        bins={name: each for name, each in bins.items() if (name, SHIFT) in rules},
        off=tuple(off),
        rules=_by_column(rules),
    )
    return Taught(learned, {of: content for of, (_, content) in kept.items()})


def _rest(each: Together, kept: Mapping[str, tuple[Known, bytes]]) -> Together | None:
    """What goes together within a period, and is not known for good.

    Of the hour of the week only that: within a period it says what the moment itself says.
    """
    if each.of.startswith(WEEK_HOUR):
        return None
    lasting = kept[each.of][0].columns if each.of in kept else ()
    columns = tuple(name for name in each.columns if name not in lasting)
    return Together(of=each.of, columns=columns) if columns else None


def _that_hold(within: Sequence[Together], rules: Mapping[Key, Between]) -> Iterator[Together]:
    for each in within:
        columns = tuple(name for name in each.columns if (each.of, differing(name)) in rules)
        if columns:
            yield Together(of=each.of, columns=columns)


def _is_rule(key: Key, bounds: Between) -> bool:
    """Whether a bound says something; that columns go together has to hold in every period."""
    return not key[1].startswith(DIFFERING) or bounds.high == 0


def _by_column(rules: Mapping[Key, Between]) -> dict[str, dict[str, Between]]:
    found: dict[str, dict[str, Between]] = {}
    for (column, name), bounds in rules.items():
        found.setdefault(column, {})[name] = bounds
    return found


def cut_by(contract: Contract) -> tuple[str, str]:
    """The column and the unit that batches are told by.

    Raises:
        BadInput: when the contract does not say.
    """
    promised = promises(contract)
    if promised.element is None or promised.frequency is None:
        fix = "add `property: frequency` with `value: 1`, `unit: week` and, if need be, `element`"
        raise bad_input(contract.path, "does not say how often rows come, and by what column", fix)
    frequency = promised.frequency
    if frequency.value != 1 or frequency.unit not in TRUNCATED:
        fix = f"write 1 {', 1 '.join(TRUNCATED)}"
        raise bad_input(contract.path, f"rows come every {frequency}", fix)
    return promised.element, frequency.unit


def _periods(
    opened: Any, given: str, contract: Contract, moment: str, unit: str
) -> tuple[_Period, ...]:
    at = f"date_trunc('{unit}', try_cast({quoted(moment)} AS TIMESTAMP))"
    query = f"SELECT {at}, count(*) FROM {given} GROUP BY 1 HAVING {at} IS NOT NULL ORDER BY 1"
    found = [_Period(start, rows) for start, rows in opened.execute(query).fetchall()]
    usual = sorted(each.rows for each in found)[len(found) // 2] if found else 0
    whole = [each for each in found if each.rows > usual / 2][-MOST_PERIODS:]
    if len(whole) < LEAST_PERIODS:
        what = f"there are {len(whole)} {unit}s of `{moment}` to learn from"
        fix = f"{LEAST_PERIODS} are needed; ingest more, or leave it to the declared rules"
        raise bad_input(contract.dataset, what, fix)
    return tuple(whole)


def _candidates(reference: _Reference) -> tuple[tuple[Looked, ...], tuple[Candidate, ...]]:
    """What goes together in the middle period; whether it does in all is seen later."""
    opened = reference.opened
    columns = reference.lay_out(reference.periods[len(reference.periods) // 2])
    found = discovery.together(opened, columns, discovery.groups(opened, columns))
    return columns, known.candidates(opened, columns, found, reference.moment)


def _gather(reference: _Reference, candidates: Sequence[Candidate], texts: Sequence[str]) -> None:
    """From each period: a sample of rows, the same each time, texts, and what goes together."""
    opened = reference.opened
    key = ", ".join(quoted(name) for name in reference.contract.primary_key)
    every = max(1, sum(each.rows for each in reference.periods) // SAMPLED)
    for number, period in enumerate(reference.periods):
        reference.lay_out(period)
        verb = "INSERT INTO sample" if number else "CREATE TEMP TABLE sample AS"
        opened.execute(f"{verb} SELECT * FROM batch WHERE hash({key}) % {every} = 0")
        for each in candidates:
            known.gather(opened, each, first=number == 0)
        for name in texts:
            verb = "INSERT INTO" if number else "CREATE TEMP TABLE"
            into = f"{quoted(f'texts {name}')}{'' if number else ' AS'}"
            opened.execute(f"{verb} {into} SELECT DISTINCT {quoted(name)} AS v FROM batch")


def _that_recur(opened: Any, columns: Sequence[Looked]) -> list[Looked]:
    """Without texts of which a value came in one period alone: the next may bring one more.

    The share of values yet unseen is about that of those seen once (Good and Turing).
    """
    return [
        each for each in columns if not (each.own and each.sort == "text") or _recurs(opened, each)
    ]


def _recurs(opened: Any, column: Looked) -> bool:
    seen = quoted(f"texts {column.name}")
    query = f"SELECT count(*) = 0 FROM (SELECT v FROM {seen} GROUP BY v HAVING count(*) = 1)"
    return bool(opened.execute(query).fetchall()[0][0])


def _sample(opened: Any, numbers: Sequence[str]) -> dict[str, Any]:
    """The sampled rows that have all of these numbers."""
    if not numbers:
        return {}
    there = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in numbers)
    listed = ", ".join(f"CAST({quoted(name)} AS DOUBLE) AS {quoted(name)}" for name in numbers)
    query = f"SELECT {listed} FROM sample WHERE {there}"
    found: dict[str, Any] = opened.execute(query).fetchnumpy()
    return found
