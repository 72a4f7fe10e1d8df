"""A delivery's rows put into a version as the contract says of those that come twice or late.

A delivery that was taken is known by its digest and not taken again, and the newest event never
goes back. So the same deliveries again, in any order, leave a version as it is: what was refused
for its rows stays refused, for a row that was late stays late, and a key whose values are refused
keeps its values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from mlops.data import table
from mlops.data.contract import Contract, Severity
from mlops.data.delivery_policy import FATES, Policy
from mlops.data.expectations import EXAMPLES, Example, Outcome
from mlops.data.rule import DELIVERED, Kind, Rule
from mlops.data.typed import read


@dataclass(frozen=True)
class State:
    """A version, as far as a delivery is put into it.

    Attributes:
        rows: the version's, `conformed`; None: there is none.
        newest: the newest event that was ever taken (the watermark); None: none was.
    """

    rows: pd.DataFrame | None = None
    newest: datetime | None = None


@dataclass(frozen=True)
class Single:
    """A delivery of which each key stands once, as far as the contract says which row is kept.

    Attributes:
        rows: as they came, without those dropped.
        dropped: row numbers.
        outcomes: what is told of it.
    """

    rows: pd.DataFrame
    dropped: pd.Index
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True)
class Received:
    """What becomes of a delivery's rows.

    Attributes:
        rows: those that are put in.
        late, duplicates: row numbers of those dropped, against the version.
        outcomes: the rules that the contract states, in its order.
    """

    rows: pd.DataFrame
    late: pd.Index
    duplicates: pd.Index
    outcomes: tuple[Outcome, ...]


def single(contract: Contract, policy: Policy, came: pd.DataFrame) -> Single:
    """Keep one row of each key within a delivery; rows without a whole key are left in.

    Args:
        contract: the dataset's.
        policy: the contract's.
        came: the delivery, with the contract's columns or some of them; the index holds row
            numbers.
    """
    key = list(contract.primary_key)
    kept = {"keepLast": "last", "keepFirst": "first"}.get(policy.deduplication or "")
    if kept is None or not set(key).issubset(came.columns):
        return Single(came, came.index[:0])
    typed = read(contract, came[key]).rows
    again = typed.duplicated(key, keep="last" if kept == "last" else "first")
    again &= typed.notna().all(axis=1)
    rule = _rule(
        "duplicates",
        f"of rows with one {_key_text(key)} the {kept} is kept",
        f"rows share the {_key_text(key)} with a row that is kept, and are dropped",
        key,
        "warning",
    )
    return Single(came[~again], came.index[again], (_outcome(rule, typed, again, key),))


def receive(contract: Contract, policy: Policy, state: State, rows: pd.DataFrame) -> Received:
    """Judge a delivery's typed rows against a version; each key stands once in them.

    Late is a row that would change the version, and whose event is older than the newest by
    more than the allowed lateness; one that is there already is not.
    """
    known, other = _compared(contract, state.rows, rows)
    late = _late(policy, state, rows) & other
    twice = known & other
    outcomes: list[Outcome] = []
    if policy.event_time and policy.lateness is not None:
        outcomes.append(_outcome(_late_rule(policy, state), rows, late, [policy.event_time]))
    if policy.deduplication in ("keepFirst", "refuse"):
        key = list(contract.primary_key)
        outcomes.append(_outcome(_known_rule(policy, key), rows, twice, key))
    gone = late if policy.late_rows == "drop" else late & False
    again = twice & ~gone if policy.deduplication == "keepFirst" else twice & False
    return Received(rows[~gone & ~again], rows.index[gone], rows.index[again], tuple(outcomes))


def put_in(contract: Contract, policy: Policy, state: State, rows: pd.DataFrame) -> State:
    """The version with rows that `receive` lets in."""
    merged = table.upsert(contract, state.rows, rows)
    return moved_on(policy, replace(state, rows=merged.rows), rows)


def moved_on(policy: Policy, state: State, rows: pd.DataFrame | None) -> State:
    """The state with the newest event of some rows, where the contract asks for it."""
    if policy.event_time is None or rows is None:
        return state
    events = rows[policy.event_time].dropna()
    found = [events.max().to_pydatetime()] if len(events) else []
    newest = max([*found, *([state.newest] if state.newest else [])], default=None)
    return replace(state, newest=newest)


def _compared(
    contract: Contract, current: pd.DataFrame | None, rows: pd.DataFrame
) -> tuple[pd.Series, pd.Series]:
    """Which rows have a key that is there, and which are not there with the same values."""
    if current is None:
        return pd.Series(data=False, index=rows.index), pd.Series(data=True, index=rows.index)
    joined = pd.concat([current, rows], ignore_index=True)
    known = joined.duplicated(list(contract.primary_key)).iloc[len(current) :]
    same = joined.duplicated().iloc[len(current) :]
    return known.set_axis(rows.index), ~same.set_axis(rows.index)


def _late(policy: Policy, state: State, rows: pd.DataFrame) -> pd.Series:
    if policy.event_time is None or policy.lateness is None or state.newest is None:
        return pd.Series(data=False, index=rows.index)
    late: pd.Series = (pd.Timestamp(state.newest) - rows[policy.event_time]) > policy.lateness
    return late


def _late_rule(policy: Policy, state: State) -> Rule:
    newest = f", {state.newest:%Y-%m-%d %H:%M}" if state.newest else ""
    allowed = f"{policy.lateness_text} before the newest event{newest}"
    column = str(policy.event_time)
    return _rule(
        "lateness",
        f"`{column}` is at most {allowed}: late rows are {FATES[policy.late_rows]}",
        f"rows are late, `{column}` is more than {allowed}: {FATES[policy.late_rows]}",
        [column],
        "error" if policy.late_rows == "refuse" else "warning",
    )


def _known_rule(policy: Policy, key: Sequence[str]) -> Rule:
    refused = policy.deduplication == "refuse"
    fate = "refused" if refused else "dropped"
    return _rule(
        "duplicates",
        f"a {_key_text(key)} that is in the version keeps its values: others are {fate}",
        f"rows have other values for a {_key_text(key)} that is in the version: {fate}",
        key,
        "error" if refused else "warning",
    )


def _key_text(key: Sequence[str]) -> str:
    return f"key ({', '.join(key)})"


def _rule(
    kind: Kind, text: str, complaint: str, columns: Sequence[str], severity: Severity
) -> Rule:
    return Rule(text, complaint, kind, tuple(columns), DELIVERED, severity=severity)


def _outcome(rule: Rule, rows: pd.DataFrame, broken: pd.Series, shown: Sequence[str]) -> Outcome:
    some = rows.loc[broken.to_numpy(), list(shown)].head(EXAMPLES)
    examples = tuple(
        Example(int(number), ", ".join(map(str, values)))
        for number, *values in some.itertuples(name=None)
    )
    failing = int(broken.sum())
    return Outcome(rule, failing == 0, len(rows), failing, examples, engine="ingest")
