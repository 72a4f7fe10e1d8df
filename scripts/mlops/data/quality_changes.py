"""How the quality rules of a contract differ from what they were."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from mlops.data.bounds import Limits
from mlops.data.contract import Column, Quality
from mlops.specs.result import ContractDifference


def never_missing(column: Column) -> bool:
    """Whether each row has a value: by `required`, the key, or a rule that stops."""
    rules = [rule for rule in column.quality if rule.metric == "nullValues"]
    return column.required or column.primary_key or any(map(_forbids, rules))


def unique(column: Column, key: tuple[str, ...]) -> bool:
    """Whether no two rows share a value: by `unique`, the key alone, or a rule that stops."""
    rules = [rule for rule in column.quality if rule.metric == "duplicateValues"]
    return column.unique or key == (column.name,) or any(map(_forbids, rules))


def _forbids(rule: Quality) -> bool:
    return rule.stops and rule.operators == {"must_be": 0}


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
    """All of a rule that is checked, and what follows from it."""
    if rule.type == "text":
        return "text"
    expectation = rule.expectation if rule.type == "custom" else None
    counted = (rule.metric, rule.arguments, rule.unit, rule.operators)
    asked = (rule.type, *counted, rule.query, expectation, rule.severity)
    return json.dumps(asked, sort_keys=True, default=str)


def _subject(rule: Quality) -> tuple[object, ...]:
    """What a rule is about: two with the same subject are one rule that changed."""
    if rule.name is not None:
        return (rule.name,)
    if rule.type == "custom":
        return (rule.expectation.get("type"),)
    if rule.type == "sql":
        return (rule.query,)
    return (rule.type, rule.metric, *sorted(rule.arguments))


def _called(rule: Quality) -> str:
    kind = rule.metric or rule.expectation.get("type") or rule.type
    return f"`{rule.name or kind}`"


def _removed(path: str, rule: Quality) -> Iterator[ContractDifference]:
    if rule.type == "text":
        yield _told(path, "wording", f"rule {_called(rule)} (text, not checked) is gone")
        return
    text = f"rule {_called(rule)} is no longer asked"
    yield _told(path, "removal", text, breaking=_counted_on(rule))


def _counted_on(rule: Quality) -> bool:
    """Whether readers count on it: that no value but those listed comes."""
    return rule.stops and "validValues" in rule.arguments


def _added(path: str, rule: Quality) -> Iterator[ContractDifference]:
    if rule.type == "text":
        yield _told(path, "wording", f"rule {_called(rule)} (text, not checked) is new")
        return
    text = f"rule {_called(rule)} is new" + ("" if rule.stops else " (a warning)")
    yield _told(path, "narrowing", text, breaking=rule.stops)


def _changed(path: str, old: Quality, new: Quality) -> Iterator[ContractDifference]:
    """Each difference of a rule; of one that only warns none breaks."""
    yield from _severity(path, old, new)
    for each in _asked_otherwise(path, old, new):
        matters = new.stops if each.kind == "narrowing" else old.stops
        yield each.model_copy(update={"breaking": each.breaking and matters})


def _severity(path: str, old: Quality, new: Quality) -> Iterator[ContractDifference]:
    named = f"rule {_called(new)}"
    if new.stops and not old.stops:
        yield _told(path, "narrowing", f"{named} was a warning, now stops the data", breaking=True)
    if old.stops and not new.stops:
        text = f"{named} stopped the data, is a warning now"
        yield _told(path, "widening", text, breaking=_counted_on(old))


def _asked_otherwise(path: str, old: Quality, new: Quality) -> Iterator[ContractDifference]:
    named = f"rule {_called(new)}"
    if _asks(old.model_copy(update={"severity": new.severity})) == _asks(new):
        return
    counted = old.type == new.type != "custom"
    if not counted or (old.metric, old.query) != (new.metric, new.query):
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
    arguments = old.arguments | {"validValues": new.arguments["validValues"]}
    same = {"arguments": arguments, "severity": new.severity}
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
