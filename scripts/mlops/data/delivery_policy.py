"""What a contract says of rows that come twice or late: its `customProperties`.

`deduplication` is of rows with one primary key, within a delivery and against the version;
`allowedLateness` and `lateRows` are of rows older than the newest event, as the watermark and the
allowed lateness of Apache Beam and Flink are (Akidau et al., The Dataflow Model, VLDB 2015).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from mlops.data.askable import Reason
from mlops.data.contract import Contract, Table

Deduplication = Literal["keepLast", "keepFirst", "refuse"]
LateRows = Literal["accept", "drop", "refuse"]
CHOICES: Mapping[str, tuple[str, ...]] = {
    "deduplication": ("keepLast", "keepFirst", "refuse"),
    "lateRows": ("accept", "drop", "refuse"),
}
LATENESS, EVENT_TIME, DERIVED = "allowedLateness", "eventTime", "derivedFrom"
PROPERTIES = (*CHOICES, LATENESS, EVENT_TIME)
LENGTH = re.compile(r"([1-9][0-9]{0,5}) ?(s|min|h|d|w)")
UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
TEXTS: Mapping[str, str] = {
    "keepLast": "of rows with one key the last is kept, and the newest delivery's",
    "keepFirst": "of rows with one key the first is kept, and the version's",
    "refuse": "a delivery with a key twice, or with other values for a key that is there, "
    "is refused",
}
FATES: Mapping[str, str] = {"accept": "taken, and told", "drop": "dropped", "refuse": "refused"}


@dataclass(frozen=True)
class Policy:
    """What becomes of rows that come twice or late.

    Attributes:
        deduplication: None where the contract does not say: a delivery with a key twice is
            refused, and the newest delivery's row replaces the version's.
        lateness: how much older than the newest event a row may be; None: as old as it likes.
        late_rows: what becomes of those that are older.
        event_time: the column with a row's moment; None without `lateness`.
    """

    deduplication: Deduplication | None = None
    lateness: timedelta | None = None
    late_rows: LateRows = "accept"
    event_time: str | None = None

    @property
    def is_said(self) -> bool:
        """Whether the contract says something of it."""
        return self != Policy()

    @property
    def lateness_text(self) -> str:
        """The allowed lateness for people: `7 days`, `1 day, 12:00:00`."""
        return str(self.lateness).removesuffix(", 0:00:00")

    @property
    def texts(self) -> dict[str, str]:
        """What is held, for people, by the property that says it."""
        found: dict[str, str] = {}
        if self.deduplication:
            found["deduplication"] = TEXTS[self.deduplication]
        if self.lateness is not None:
            late = f"rows with `{self.event_time}` more than {self.lateness_text} before the newest"
            found[LATENESS] = f"{late} event are {FATES[self.late_rows]}"
        return found


def policy_of(contract: Contract) -> Policy:
    """The policy of a contract that was read, see `unusable`."""
    return policy_from((contract.model_extra or {}).get("customProperties"), contract.table)


def policy_from(properties: Any, table: Table) -> Policy:
    """The policy that a contract's `customProperties` state of its table."""
    given = _given(properties)
    written = given.get(LATENESS)
    return Policy(
        cast("Deduplication | None", given.get("deduplication")),
        None if written is None else _length(written),
        cast("LateRows", given.get("lateRows", "accept")),
        None if written is None else given.get(EVENT_TIME) or _moment_of_key(table),
    )


def unusable(properties: Any, table: Table, *, of_features: bool) -> Iterator[tuple[int, Reason]]:
    """Properties of a delivery that cannot be held, by position, each with the reason.

    Args:
        properties: the contract's `customProperties`, None when it has none.
        table: its table.
        of_features: whether it is the contract of a model's features.
    """
    given = _given(properties)
    others = "features" if of_features else "a dataset made of others" if DERIVED in given else ""
    seen: set[str] = set()
    for number, each in enumerate(properties or ()):
        name = each["property"]
        if name not in PROPERTIES:
            continue
        if others:
            fix = "say it in the contract of what is ingested"
            yield number, Reason(f"says `{name}` of {others}, of which no deliveries come", fix)
            continue
        reason = _twice(name) if name in seen else _wrong(name, each.get("value"), given, table)
        seen.add(name)
        if reason:
            yield number, reason


def _given(properties: Any) -> dict[str, Any]:
    """Values by name; of a name that stands twice the first."""
    return {each["property"]: each.get("value") for each in reversed(properties or ())}


def _twice(name: str) -> Reason:
    return Reason(f"says `{name}` again", "keep one")


def _wrong(name: str, value: Any, given: Mapping[str, Any], table: Table) -> Reason | None:
    if name in CHOICES and value not in CHOICES[name]:
        return Reason(f"says `{name}` {value!r}", f"write one of {', '.join(CHOICES[name])}")
    if name == LATENESS:
        return _wrong_length(value, given, table)
    if name in ("lateRows", EVENT_TIME) and LATENESS not in given:
        return Reason(f"says `{name}` without `{LATENESS}`", f"add {LATENESS}, such as 7d")
    return _wrong_moment(value, table) if name == EVENT_TIME else None


def _wrong_length(value: Any, given: Mapping[str, Any], table: Table) -> Reason | None:
    if not LENGTH.fullmatch(str(value)):
        fix = f"write a number of {', '.join(UNITS)}, such as 7d"
        return Reason(f"says `{LATENESS}` {value!r}", fix)
    if EVENT_TIME not in given and _moment_of_key(table) is None:
        fix = f"name the column with a row's moment by `{EVENT_TIME}`"
        return Reason(f"says `{LATENESS}`, and the key has no timestamp or date", fix)
    return None


def _wrong_moment(value: Any, table: Table) -> Reason | None:
    times = _times(table, table.names)
    if value in times:
        return None
    fix = f"name one of {', '.join(times)}" if times else "add a timestamp or date"
    return Reason(f"says `{EVENT_TIME}` {value!r}, which is no timestamp or date", fix)


def _moment_of_key(table: Table) -> str | None:
    return next(iter(_times(table, table.primary_key)), None)


def _times(table: Table, names: Sequence[str]) -> list[str]:
    kinds = {column.name: column.logical_type for column in table.properties}
    return [name for name in names if kinds[name] in ("timestamp", "date")]


def _length(written: Any) -> timedelta:
    found = LENGTH.fullmatch(str(written))
    if found is None:
        raise ValueError(f"{written!r} is no length of time")  # the contract was not read
    return timedelta(**{UNITS[found[2]]: int(found[1])})
