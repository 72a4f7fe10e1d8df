"""How a contract differs from what it was, and how far its version has to be raised for that.

A difference is breaking when something that was good may fail because of it:

- a batch, when less is allowed than before (a narrower range, one more rule, a required column);
- a reader, when what it counts on goes: a column, its type, its unit, that each row has a value,
  that values are unique, that no value but those listed comes, the key, a service level, the role
  it reads by.

A rule of severity warning stops nothing, so a difference of it breaks nothing; one that is raised
to an error may.

A wider range or a looser count is not: readers go on, and drift shows it. Breaking asks for a
new major version, any other difference that is checked for a minor one, words for a patch.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from mlops.data.bounds import Limits, limits
from mlops.data.contract import Column, Contract, Part, ServiceLevel, is_open
from mlops.data.delivery_changes import delivery_changes
from mlops.data.delivery_policy import PROPERTIES
from mlops.data.people_changes import PEOPLE, people_changes
from mlops.data.quality_changes import never_missing, quality_changes, unique
from mlops.specs.result import ContractDifference

Level = Literal["major", "minor", "patch", "none"]
Kind = Literal["addition", "narrowing", "widening", "removal", "wording"]
ORDER: tuple[Level, ...] = ("none", "patch", "minor", "major")
LESS_IS_MORE = frozenset({"latency", "ly", "freshness", "fy", "frequency", "fr", "timeToDetect"})
"""Service levels that are better the smaller they are."""
MORE_IS_MORE = frozenset({"retention", "re", "availability", "av", "throughput", "th"})


def differences(before: Contract, after: Contract) -> tuple[ContractDifference, ...]:
    """What `after` says otherwise than `before`; nothing for the same contract.

    The version is not a difference: it is what the differences ask for.
    """
    found = [
        *_key(before, after),
        *_columns(before, after),
        *_table_rules(before, after),
        *_levels(before, after),
        *delivery_changes(before, after),
        *people_changes(before, after),
        *_words("contract", before, after),
    ]
    return tuple(found)


def needed(found: tuple[ContractDifference, ...]) -> Level:
    """How far the version has to be raised for these differences."""
    if any(each.breaking for each in found):
        return "major"
    if any(each.kind != "wording" for each in found):
        return "minor"
    return "patch" if found else "none"


def raised(before: str, after: str) -> Level | None:
    """How far `after` is above `before`; None when it is below."""
    old, new = _numbers(before), _numbers(after)
    if new < old:
        return None
    levels: tuple[Level, ...] = ("major", "minor", "patch")
    return next((level for level, o, n in zip(levels, old, new, strict=True) if o != n), "none")


def next_version(version: str, level: Level) -> str:
    """The version that raises another by a level, and no further."""
    major, minor, patch = _numbers(version)
    named = {
        "major": (major + 1, 0, 0),
        "minor": (major, minor + 1, 0),
        "patch": (major, minor, patch + 1),
        "none": (major, minor, patch),
    }
    return ".".join(map(str, named[level]))


def enough(before: str, after: str, level: Level) -> bool:
    """Whether `after` is raised at least as far as `level` asks."""
    done = raised(before, after)
    return done is not None and ORDER.index(done) >= ORDER.index(level)


def _numbers(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def _told(path: str, kind: Kind, text: str, *, breaking: bool = False) -> ContractDifference:
    return ContractDifference(path=path, kind=kind, text=text, breaking=breaking)


def _key(before: Contract, after: Contract) -> Iterator[ContractDifference]:
    if before.primary_key != after.primary_key:
        old, new = ", ".join(before.primary_key), ", ".join(after.primary_key)
        yield _told("primary key", "narrowing", f"was {old}, is {new}", breaking=True)


def _columns(before: Contract, after: Contract) -> Iterator[ContractDifference]:
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    for name in [name for name in old if name not in new]:
        yield _told(name, "removal", "the column is removed", breaking=True)
    for name, column in new.items():
        if name not in old:
            yield _added(column)
        elif column != old[name]:
            yield from _column(old[name], column, before, after)
    common = [name for name in old if name in new]
    if common != [name for name in new if name in old]:
        yield _told("columns", "wording", "stand in another order")


def _added(column: Column) -> ContractDifference:
    text = f"a new column ({column.logical_type})"
    if column.required or column.primary_key:
        text += ", required: batches without it no longer pass"
    return _told(column.name, "addition", text, breaking=column.required or column.primary_key)


def _column(
    old: Column, new: Column, before: Contract, after: Contract
) -> Iterator[ContractDifference]:
    name = new.name
    if old.logical_type != new.logical_type:
        text = f"the type was {old.logical_type}, is {new.logical_type}"
        yield _told(name, "narrowing", text, breaking=True)
    yield from _promise(name, "has a value in each row", never_missing(old), never_missing(new))
    yield from _promise(
        name, "is unique", unique(old, before.primary_key), unique(new, after.primary_key)
    )
    yield from _unit(old, new)
    yield from _options(old, new)
    yield from quality_changes(name, old.quality, new.quality)
    yield from _classified(old, new)
    yield from _words(name, old, new)


def _unit(old: Column, new: Column) -> Iterator[ContractDifference]:
    if old.unit != new.unit:
        text = f"the unit was {old.unit or 'not given'}, is {new.unit or 'not given'}"
        both = old.unit is not None and new.unit is not None
        yield _told(new.name, "narrowing" if both else "wording", text, breaking=both)


def _classified(old: Column, new: Column) -> Iterator[ContractDifference]:
    """The data stays as it was, so nothing breaks; who may read it has to be looked at."""
    if old.classification != new.classification:
        was, now = (each.classification or "not given" for each in (old, new))
        kind: Kind = "widening" if is_open(new.classification) else "narrowing"
        yield _told(new.name, kind, f"the classification was {was}, is {now}")


def _promise(name: str, text: str, was: bool, now: bool) -> Iterator[ContractDifference]:
    """Something that holds of all rows: readers count on it, batches have to keep it."""
    if now and not was:
        yield _told(name, "narrowing", f"now {text}", breaking=True)
    if was and not now:
        yield _told(name, "widening", f"no longer {text}", breaking=True)


def _options(old: Column, new: Column) -> Iterator[ContractDifference]:
    time = new.logical_type in ("timestamp", "date")
    before, after = old.logical_type_options, new.logical_type_options
    ends = ("minimum", "maximum", "exclusive_minimum", "exclusive_maximum")
    yield from _limited(new.name, limits(*(getattr(before, end) for end in ends), time=time),
                        limits(*(getattr(after, end) for end in ends), time=time))  # fmt: skip
    yield from _limited(
        f"{new.name} (length)",
        limits(before.min_length, before.max_length),
        limits(after.min_length, after.max_length),
    )
    yield from _pattern(new.name, before.pattern, after.pattern)
    zones = [(each.timezone, each.default_timezone) for each in (before, after)]
    if zones[0] != zones[1]:
        yield _told(new.name, "narrowing", "the time zone is another", breaking=True)
    if before.format != after.format:
        yield _told(new.name, "wording", "`format` reads otherwise")


def _limited(path: str, old: Limits, new: Limits) -> Iterator[ContractDifference]:
    if old == new:
        return
    text = f"was {old}, is {new}"
    narrower = not new.holds(old)
    yield _told(path, "narrowing" if narrower else "widening", text, breaking=narrower)


def _pattern(name: str, old: str | None, new: str | None) -> Iterator[ContractDifference]:
    if old == new:
        return
    if new is None:
        yield _told(name, "widening", f"need no longer match {old}")
        return
    was = f"{old} before" if old else "nothing before"
    yield _told(name, "narrowing", f"has to match {new}, {was}", breaking=True)


def _table_rules(before: Contract, after: Contract) -> Iterator[ContractDifference]:
    for old, new in zip(before.tables, after.tables, strict=False):
        yield from quality_changes("table", old.quality, new.quality)
        yield from _words("table", old, new)
        if old.name != new.name:
            yield _told("table", "wording", f"was called {old.name}, is called {new.name}")


def _levels(before: Contract, after: Contract) -> Iterator[ContractDifference]:
    old = {(each.property, each.element, each.driver): each for each in before.sla_properties}
    new = {(each.property, each.element, each.driver): each for each in after.sla_properties}
    for key in old | new:
        yield from _level(f"service level {key[0]}", old.get(key), new.get(key))


def _level(
    path: str, old: ServiceLevel | None, new: ServiceLevel | None
) -> Iterator[ContractDifference]:
    if old is None or new is None:
        if new is not None:
            yield _told(path, "addition", f"promised now: {_amount(new)}")
        if old is not None:
            yield _told(path, "removal", f"no longer promised: {_amount(old)}", breaking=True)
        return
    if (old.value, old.unit) != (new.value, new.unit):
        better = _is_better(old, new)
        kind: Kind = "narrowing" if better else "widening"
        text = f"was {_amount(old)}, is {_amount(new)}"
        yield _told(path, kind, text, breaking=not better)
    yield from _words(path, old, new)


def _amount(level: ServiceLevel) -> str:
    return f"{level.value} {level.unit}" if level.unit else str(level.value)


def _is_better(old: ServiceLevel, new: ServiceLevel) -> bool:
    """Whether more is promised than before; False when that cannot be told."""
    if old.unit != new.unit or not all(isinstance(v.value, int | float) for v in (old, new)):
        return False
    better: Mapping[bool, Callable[[Any, Any], bool]] = {
        old.property in LESS_IS_MORE: lambda a, b: b <= a,
        old.property in MORE_IS_MORE: lambda a, b: b >= a,
    }
    return True in better and better[True](old.value, new.value)


IDENTITY = ("api_version", "id", "status")
TOLD_APART = ("classification", *PEOPLE)


def _words(path: str, old: Part, new: Part) -> Iterator[ContractDifference]:
    """Keys for people and catalogues: nothing is checked by them."""
    before, after = dict(old.model_extra or {}), dict(new.model_extra or {})
    if isinstance(old, Contract) and isinstance(new, Contract):
        before |= {key: getattr(old, key) for key in IDENTITY}
        after |= {key: getattr(new, key) for key in IDENTITY}
    # A change of the unit, or of what becomes of late and duplicate rows, is told as what it is.
    for words in (before, after):
        given = words.get("customProperties") or ()
        words["customProperties"] = [
            each for each in given if each["property"] not in ("unit", *PROPERTIES)
        ]
    for key in [key for key in before | after if key not in TOLD_APART]:
        if before.get(key) != after.get(key):
            yield _told(path, "wording", f"`{key}` reads otherwise")
