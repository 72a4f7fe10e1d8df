"""Windows of time, in the words of Argo CD: cron (five fields), a duration, a time zone."""

import re
from datetime import timedelta

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Name, least, most, and the names of its values, the first of which is the least.
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 6, DAYS),
)
PART = re.compile(r"(?P<start>\*|\?|\w+)(?:-(?P<end>\w+))?(?:/(?P<step>\d+))?")
DURATION = re.compile(r"(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?")


def wrong_in_schedule(schedule: str) -> str | None:
    """What is wrong with a schedule, in words; None when Argo CD reads it.

    The syntax is that of robfig/cron v3 as Argo CD calls it: minute, hour, day of the month, month,
    day of the week (0 to 6, Sunday first); no `@daily`, no time zone inside.
    """
    given = schedule.split()
    if len(given) != len(FIELDS):
        return f"a schedule has {len(FIELDS)} fields, this one has {len(given)}"
    for text, (name, least, most, names) in zip(given, FIELDS, strict=True):
        for part in text.split(","):
            if not _is_part(part, least, most, names):
                return f"{part!r} is not a {name} from {least} to {most}"
    return None


def length(duration: str) -> timedelta:
    """A duration such as `58h` or `1h30m`; nothing at all, or other words, is zero."""
    found = DURATION.fullmatch(duration)
    hours, minutes = (found["hours"], found["minutes"]) if found else (None, None)
    return timedelta(hours=int(hours or 0), minutes=int(minutes or 0))


def is_time_zone(name: str) -> bool:
    """Whether the tz database has a zone; where there is no such database, nothing is refused."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return not _zones()
    return True


def _zones() -> set[str]:
    from zoneinfo import available_timezones

    return available_timezones()


def _is_part(part: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    found = PART.fullmatch(part)
    if found is None or (found["step"] is not None and int(found["step"]) == 0):
        return False
    if found["start"] in ("*", "?"):
        return found["end"] is None
    start = _value(found["start"], least, names)
    end = start if found["end"] is None else _value(found["end"], least, names)
    return start is not None and end is not None and least <= start <= end <= most


def _value(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    return names.index(text.lower()) + least if text.lower() in names else None
