"""What a contract's `slaProperties` promise, and the moments that follow from it.

The standard's names are read without regard to case, its synonyms too. All moments are UTC;
those of a column without a zone are taken as UTC, as the contract stores them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from mlops.data.contract import Contract, ServiceLevel
from mlops.errors import BadInput, Problem

if TYPE_CHECKING:
    import pandas as pd

Phase = Literal["planned", "active", "ended", "retired"]
SYNONYMS = {
    "fy": "frequency",
    "ly": "latency",
    "freshness": "latency",
    "re": "retention",
    "ga": "generalavailability",
    "es": "endofsupport",
    "el": "endoflife",
}
# Unit -> pandas' name of the calendar's period, and of a length of time.
UNITS = {
    "second": ("s", "seconds"),
    "minute": ("min", "minutes"),
    "hour": ("h", "hours"),
    "day": ("D", "days"),
    "week": ("W", "weeks"),
    "month": ("M", "months"),
    "year": ("Y", "years"),
}
SHORT = {"s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "d": "day",
         "w": "week", "wk": "week", "mo": "month", "y": "year", "yr": "year"}  # fmt: skip
BY_CALENDAR = ("month", "year")
"""Units that differ in length: only whole ones are a length of time."""


@dataclass(frozen=True)
class Length:
    """A length of time: so many of a unit."""

    value: float
    unit: str

    def after(self, moment: datetime) -> datetime:
        """The moment that is this much later."""
        return self._moved(moment, self.value)

    def before(self, moment: datetime) -> datetime:
        """The moment that is this much earlier."""
        return self._moved(moment, -self.value)

    def _moved(self, moment: datetime, value: float) -> datetime:
        import pandas as pd

        if self.unit in BY_CALENDAR:
            offset: dict[str, Any] = {UNITS[self.unit][1]: int(value)}
            moved: datetime = (pd.Timestamp(moment) + pd.DateOffset(**offset)).to_pydatetime()
            return moved
        return moment + timedelta(**{UNITS[self.unit][1]: value})

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}{'s' * (self.value != 1)}"


@dataclass(frozen=True)
class Promises:
    """The service levels of a dataset; None where the contract does not ask.

    Attributes:
        frequency: how often new rows come, in whole periods of the calendar.
        latency: how long after their period's end they are there.
        retention: how long a version that was pinned can be had.
        available_at: time of day (with its zone) by which rows are there.
        element: the column whose newest moment counts; None when there is none.
        available: from when on anything is promised.
        support_ends: from when on nothing new is promised.
        life_ends: from when on nothing is promised.
        not_measured: service levels that are not looked at here.
    """

    frequency: Length | None = None
    latency: Length | None = None
    retention: Length | None = None
    available_at: time | None = None
    element: str | None = None
    available: datetime | None = None
    support_ends: datetime | None = None
    life_ends: datetime | None = None
    not_measured: tuple[str, ...] = ()

    @property
    def ask_for_new_rows(self) -> bool:
        """Whether the contract says when new rows have to be there."""
        return self.frequency is not None or self.latency is not None

    def phase(self, status: str, now: datetime) -> Phase:
        """Where in its life a dataset is.

        Args:
            status: the contract's `status`.
            now: UTC.
        """
        if status.lower() == "retired" or (self.life_ends and now >= self.life_ends):
            return "retired"
        if self.support_ends and now >= self.support_ends:
            return "ended"
        early = self.available is not None and now < self.available
        return "planned" if early or status.lower() in ("proposed", "draft") else "active"

    def due(self, newest: datetime) -> datetime | None:
        """When rows newer than these have to be there; None when the contract does not ask.

        With a frequency: when the period after the one that `newest` lies in has ended, and the
        latency is over. Without one a row is never older than the latency.
        """
        if not self.ask_for_new_rows:
            return None
        ready = _next_period_ends(newest, self.frequency) if self.frequency else newest
        return self._handed_over(ready)

    def handed_over(self, newest: datetime) -> datetime | None:
        """When the rows of the period that `newest` lies in have to be there.

        None when the contract does not say how often rows come.
        """
        if self.frequency is None:
            return None
        return self._handed_over(_period_ends(newest, self.frequency))

    def gaps(self, moments: "pd.Series") -> list[tuple[datetime, datetime]]:
        """Spans between the first row and the newest in which a period's rows are missing.

        Args:
            moments: the element's values, without a zone.

        Returns:
            For each the end of the last rows before, and when the first that are missing had to
            be there.
        """
        if self.frequency is None or moments.empty:
            return []
        every = int(self.frequency.value)
        code = UNITS[self.frequency.unit][0]
        periods = sorted(moments.dropna().dt.to_period(code).unique())
        early = [one for one, other in pairwise(periods) if other.ordinal - one.ordinal > every]
        return [(_end(one), self._handed_over(_end(one + every))) for one in early]

    def _handed_over(self, ready: datetime) -> datetime:
        """When rows that are complete at a moment have to be there."""
        due = self.latency.after(ready) if self.latency else ready
        if self.available_at is None:
            return due
        zone = self.available_at.tzinfo or UTC
        local = due.astimezone(zone)
        at = datetime.combine(local.date(), self.available_at)
        return (at if at >= local else at + timedelta(days=1)).astimezone(UTC)


def promises(contract: Contract) -> Promises:
    """What a contract promises.

    Raises:
        BadInput: with every service level that cannot be read.
    """
    reader = _Reader(contract)
    found = reader.read()
    if reader.problems:
        raise BadInput(reader.problems)
    return found


def _next_period_ends(moment: datetime, frequency: Length) -> datetime:
    """The end of the period after the one that a moment lies in."""
    return _end(_period(moment, frequency) + int(frequency.value))


def _period_ends(moment: datetime, frequency: Length) -> datetime:
    return _end(_period(moment, frequency))


def _period(moment: datetime, frequency: Length) -> "pd.Period":
    import pandas as pd

    naive = utc(moment).replace(tzinfo=None)
    return pd.Period(naive, freq=UNITS[frequency.unit][0])


def _end(period: "pd.Period") -> datetime:
    start: datetime = (period + 1).start_time.to_pydatetime()
    return start.replace(tzinfo=UTC)


def utc(moment: datetime) -> datetime:
    """A moment in UTC; without a zone it is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class _Reader:
    """Reads the service levels of one contract and gathers what is wrong with them."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.problems: list[Problem] = []
        self._levels: dict[str, ServiceLevel] = {}
        for level in contract.sla_properties:
            name = level.property.lower()
            # Of several (one for each driver) the first is the one to hold.
            self._levels.setdefault(SYNONYMS.get(name, name), level)

    def read(self) -> Promises:
        known = ("frequency", "latency", "retention", "timeofavailability",
                 "generalavailability", "endofsupport", "endoflife")  # fmt: skip
        others = [level.property for name, level in self._levels.items() if name not in known]
        return Promises(
            frequency=self._length("frequency", whole=True),
            latency=self._length("latency"),
            retention=self._length("retention"),
            available_at=self._time("timeofavailability"),
            element=self._element(),
            available=self._moment("generalavailability"),
            support_ends=self._moment("endofsupport"),
            life_ends=self._moment("endoflife"),
            not_measured=tuple(others),
        )

    def _wrong(self, level: ServiceLevel, what: str, fix: str) -> None:
        told = f"service level `{level.property}`: {what}"
        self.problems.append(Problem(self.contract.path, told, fix))

    def _length(self, name: str, *, whole: bool = False) -> Length | None:
        level = self._levels.get(name)
        if level is None:
            return None
        value, unit = level.value, _unit(level.unit)
        if unit is None:
            names = ", ".join(UNITS)
            self._wrong(level, f"`unit` is {level.unit!r}", f"write one of {names}")
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        whole = whole or unit in BY_CALENDAR
        if not number or (whole and value != int(value)) or (name == "frequency" and value < 1):
            least = "at least 1" if name == "frequency" else "not below 0"
            fix = f"write a {'whole ' if whole else ''}number, {least}"
            self._wrong(level, f"`value` is {value!r}", fix)
            return None
        return Length(value, unit)

    def _moment(self, name: str) -> datetime | None:
        level = self._levels.get(name)
        if level is None:
            return None
        try:
            return utc(datetime.fromisoformat(str(level.value)))
        except ValueError:
            self._wrong(level, f"`value` is {level.value!r}", "write it as 2032-05-12T09:30:10Z")
            return None

    def _time(self, name: str) -> time | None:
        level = self._levels.get(name)
        if level is None:
            return None
        try:
            # Without quotes YAML reads 10:00 as the number 600.
            found = time.fromisoformat(level.value if isinstance(level.value, str) else "")
        except ValueError:
            fix = 'write it as "09:00Z" or "09:00-08:00", in quotes'
            self._wrong(level, f"`value` is {level.value!r}", fix)
            return None
        return found.replace(tzinfo=found.tzinfo or UTC)

    def _element(self) -> str | None:
        """The column that latency or frequency name; else a moment among the key."""
        for name in ("latency", "frequency"):
            level = self._levels.get(name)
            if level and level.element:
                return self._column(level, level.element.rpartition(".")[2].strip())
        times = self._times()
        return next((name for name in self.contract.primary_key if name in times), None)

    def _column(self, level: ServiceLevel, name: str) -> str | None:
        times = self._times()
        if name in times:
            return name
        there = "is no column" if name not in self.contract.names else "is no timestamp or date"
        fix = f"name one of {', '.join(times)}" if times else "leave `element` out"
        self._wrong(level, f"`element` {level.element!r} {there}", fix)
        return None

    def _times(self) -> list[str]:
        columns = self.contract.columns
        return [each.name for each in columns if each.logical_type in ("timestamp", "date")]


def _unit(text: Any) -> str | None:
    word = str(text or "").lower()
    name = SHORT.get(word, word.removesuffix("s"))
    return name if name in UNITS else None
