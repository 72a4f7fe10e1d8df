"""How the quality rules of a contract differ from what they were."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mlops.data.bounds import Limits
from mlops.data.contract import Column, Quality
from mlops.specs.result import ContractDifference


def never_missing(column: Column) -> bool:
    """Whether each row has a value: by `required`, the key, or a rule."""
    rules = [rule for rule in column.quality if rule.metric == "nullValues"]
    return column.required or column.primary_key or any(map(_forbids, rules))


def unique(column: Column, key: tuple[str, ...]) -> bool:
    """Whether no two rows share a value: by `unique`, the key alone, or a rule."""
    rules = [rule for rule in column.quality if rule.metric == "duplicateValues"]
    return column.unique or key == (column.name,) or any(map(_forbids, rules))


def _forbids(rule: Quality) -> bool:
    return rule.operators == {"must_be": 0}


def quality_changes(
    path: str, before: Sequence[Quality], after: Sequence[Quality]
) -> Iterator[ContractDifference]:
    """Rules added, removed, made stricter or looser; of the same rules, words that differ."""
    old, new = list(before), list(after)
    for rule in before:  # rules that ask the same are no difference, wherever they stand
        twin = next((each for each in new if _asks(each) == _asks(rule)), None)
        if twin is not None:
            old.remove(rule)
            new.remove(twin)
            if twin != rule:
                yield _told(path, "wording", f"the words of rule {_called(rule)}")
    for rule in old:
        later = next((each for each in new if _subject(each) == _subject(rule)), None)
        if later is None:
            yield from _removed(path, rule)
        else:
            new.remove(later)
            yield from _changed(path, rule, later)
    for rule in new:
        yield from _added(path, rule)


def _told(path: str, kind: Any, text: str, *, breaking: bool = False) -> ContractDifference:
    return ContractDifference(path=path, kind=kind, text=text, breaking=breaking)


def _asks(rule: Quality) -> str:
    """All of a rule that is checked."""
    if rule.type == "text":
        return "text"
    expectation = rule.expectation if rule.type == "custom" else None
    asked = (rule.type, rule.metric, rule.arguments, rule.unit, rule.operators, expectation)
    return json.dumps(asked, sort_keys=True, default=str)


def _subject(rule: Quality) -> tuple[object, ...]:
    """What a rule is about: two with the same subject are one rule that changed."""
    if rule.name is not None:
        return (rule.name,)
    if rule.type == "custom":
        return (rule.expectation.get("type"),)
    return (rule.type, rule.metric, *sorted(rule.arguments))


def _called(rule: Quality) -> str:
    kind = rule.metric or rule.expectation.get("type") or rule.type
    return f"`{rule.name or kind}`"


def _removed(path: str, rule: Quality) -> Iterator[ContractDifference]:
    if rule.type == "text":
        yield _told(path, "wording", f"rule {_called(rule)} (text, not checked) is gone")
        return
    listed = "validValues" in rule.arguments
    text = f"rule {_called(rule)} is no longer asked"
    yield _told(path, "removal", text, breaking=listed)


def _added(path: str, rule: Quality) -> Iterator[ContractDifference]:
    if rule.type == "text":
        yield _told(path, "wording", f"rule {_called(rule)} (text, not checked) is new")
        return
    yield _told(path, "narrowing", f"rule {_called(rule)} is new", breaking=True)


def _changed(path: str, old: Quality, new: Quality) -> Iterator[ContractDifference]:
    named = f"rule {_called(new)}"
    if old.type != "library" or new.type != "library" or old.metric != new.metric:
        yield _told(path, "narrowing", f"{named} asks something else", breaking=True)
        return
    values = [rule.arguments.get("validValues") for rule in (old, new)]
    if all(isinstance(value, list) for value in values) and _same_but_values(old, new):
        yield from _listed(path, named, *(value or [] for value in values))
    elif old.arguments != new.arguments or old.unit != new.unit:
        yield _told(path, "narrowing", f"{named} asks something else", breaking=True)
    else:
        yield from _counted(path, named, old, new)


def _same_but_values(old: Quality, new: Quality) -> bool:
    """Whether two rules differ in their list of valid values alone."""
    same = {"arguments": old.arguments | {"validValues": new.arguments["validValues"]}}
    return _asks(old.model_copy(update=same)) == _asks(new)


def _listed(path: str, named: str, old: list[Any], new: list[Any]) -> Iterator[ContractDifference]:
    gone = [str(value) for value in old if value not in new]
    more = [str(value) for value in new if value not in old]
    if gone:
        text = f"{named} no longer allows {', '.join(gone)}"
        yield _told(path, "narrowing", text, breaking=True)
    if more:
        yield _told(path, "widening", f"{named} now allows {', '.join(more)}", breaking=True)
    if not gone and not more:
        yield _told(path, "wording", f"{named} lists the same values in another order")


def _counted(path: str, named: str, old: Quality, new: Quality) -> Iterator[ContractDifference]:
    """The same count held to another threshold."""
    before, after = _allowed(old), _allowed(new)
    looser = before is not None and after is not None and after.holds(before)
    text = f"{named} asked {_threshold(old)}, asks {_threshold(new)}"
    yield _told(path, "widening" if looser else "narrowing", text, breaking=not looser)


def _allowed(rule: Quality) -> Limits | None:
    """What the count may be; None when that is not one range."""
    ((name, value),) = rule.operators.items()
    ranges = {
        "must_be": lambda: Limits(value, value),
        "must_be_greater_than": lambda: Limits(low=value, strict_low=True),
        "must_be_greater_or_equal_to": lambda: Limits(low=value),
        "must_be_less_than": lambda: Limits(high=value, strict_high=True),
        "must_be_less_or_equal_to": lambda: Limits(high=value),
        "must_be_between": lambda: Limits(*value),
    }
    return ranges[name]() if name in ranges else None


def _threshold(rule: Quality) -> str:
    ((name, value),) = rule.operators.items()
    amount = " and ".join(map(str, value)) if isinstance(value, tuple) else value
    unit = " percent" if rule.unit == "percent" else ""
    return f"{name.removeprefix('must_').replace('_', ' ')} {amount}{unit}"
