"""Whether a sync window of a project is open now, as Argo CD reckons it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mlops.cluster.kubectl import Object
from mlops.specs.windows import FIELDS, length, wrong_in_schedule

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Window:
    """A time in which nothing is synced by itself."""

    until: datetime


def open_window(project: Object | None, now: datetime) -> Window | None:
    """The denying window that is open at a moment (with its zone) and ends last, or None."""
    windows = (project or {}).get("spec", {}).get("syncWindows") or ()
    ends = [end for one in windows if one.get("kind") == "deny" and (end := _end(one, now))]
    return Window(max(ends)) if ends else None


def _end(window: Object, now: datetime) -> datetime | None:
    schedule, lasts = str(window.get("schedule", "")), length(str(window.get("duration", "")))
    if wrong_in_schedule(schedule) or not lasts:
        return None
    texts = schedule.split()
    fields = [_values(text, place) for place, text in enumerate(texts)]
    # Cron: where neither day is a star, either of the two is enough.
    either = not any(texts[place].startswith(("*", "?")) for place in (2, 4))
    moment = now.astimezone(_zone(window)).replace(second=0, microsecond=0)
    begins = moment
    while moment - begins < lasts:
        if _begins(fields, begins, either=either):
            return (begins + lasts).astimezone(UTC)
        begins -= MINUTE
    return None


def _zone(window: Object) -> ZoneInfo:
    try:
        return ZoneInfo(str(window.get("timeZone") or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")  # as Argo CD does


def _begins(fields: list[frozenset[int]], at: datetime, *, either: bool) -> bool:
    minute, hour, day, month, weekday = fields
    if at.minute not in minute or at.hour not in hour or at.month not in month:
        return False
    days = (at.day in day, (at.weekday() + 1) % 7 in weekday)
    return any(days) if either else all(days)


def _values(text: str, place: int) -> frozenset[int]:
    _, least, most, names = FIELDS[place]
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        start, _, end = span.partition("-")
        first = least if start in ("*", "?") else _value(start, least, names)
        open_end = start in ("*", "?") or bool(step)
        last = _value(end, least, names) if end else (most if open_end else first)
        found |= set(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _value(text: str, least: int, names: tuple[str, ...]) -> int:
    return int(text) if text.isdigit() else names.index(text.lower()) + least
