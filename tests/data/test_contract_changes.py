"""How a contract differs from what it was, and what version that asks for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.data.bounds import Limits, limits
from mlops.data.contract import Contract
from mlops.data.contract_changes import differences, enough, needed, next_version, raised
from mlops.files import load_yaml
from mlops.specs.base import validated
from tests.team import PROJECT

TEXT = (PROJECT / "data-contracts" / "toy-points.odcs.yaml").read_text()
RULES: tuple[dict[str, Any], ...] = (
    {"metric": "nullValues", "mustBe": 0},
    {"metric": "invalidValues", "arguments": {"validValues": ["a", "b"]}, "mustBe": 0},
    {"metric": "duplicateValues", "mustBeLessThan": 5},
    {"name": "few", "metric": "rowCount", "mustBeBetween": [1, 9]},
    {"type": "text", "description": "no rule"},
)


def contract(**columns: dict[str, Any]) -> Contract:
    """The toy project's contract with keys of its columns replaced; None takes a column away."""
    return changed({}, **columns)


def changed(top: dict[str, Any], **columns: dict[str, Any] | None) -> Contract:
    value = load_yaml(TEXT, "contract") | top
    table = value["schema"][0]
    kept = [column | (columns.pop(column["name"], {}) or {}) for column in table["properties"]]
    gone = {name for name, keys in columns.items() if keys is None}
    table["properties"] = [c for c in kept if c["name"] not in gone]
    table["properties"] += [{"name": name, **keys} for name, keys in columns.items() if keys]
    return validated(value, "contract", Contract)


def delivered(**said: str) -> Contract:
    """The toy project's contract with something said of late and duplicate rows."""
    return changed({"customProperties": [{"property": k, "value": v} for k, v in said.items()]})


def without(name: str) -> Contract:
    value = load_yaml(TEXT, "contract")
    table = value["schema"][0]
    table["properties"] = [c for c in table["properties"] if c["name"] != name]
    return validated(value, "contract", Contract)


BEFORE = contract()


def said(after: Contract, before: Contract = BEFORE) -> list[str]:
    return [
        f"{each.path} | {each.kind} | {each.text}{' | breaking' if each.breaking else ''}"
        for each in differences(before, after)
    ]


@pytest.mark.parametrize(
    ("after", "told", "level"),
    [
        (contract(), [], "none"),
        (changed({"version": "9.0.0"}), [], "none"),
        (without("side"), ["side | removal | the column is removed | breaking"], "major"),
        (
            contract(z={"logicalType": "number"}),
            ["z | addition | a new column (number)"],
            "minor",
        ),
        (
            contract(z={"logicalType": "number", "required": True}),
            [
                ("z | addition | a new column (number), required: batches without it no longer "
                "pass | breaking")
            ],
            "major",
        ),
        (
            contract(x={"logicalType": "integer"}),
            ["x | narrowing | the type was number, is integer | breaking"],
            "major",
        ),
        (
            contract(x={"required": False}),
            ["x | widening | no longer has a value in each row | breaking"],
            "major",
        ),
        (contract(x={"required": False, "quality": [RULES[0]]}), None, "major"),
        (
            contract(x={"logicalTypeOptions": {"minimum": 0, "maximum": 9}}),
            ["x | narrowing | was at least 0 and at most 10, is at least 0 and at most 9 | breaking"],
            "major",
        ),
        (
            contract(x={"logicalTypeOptions": {"minimum": 0}}),
            ["x | widening | was at least 0 and at most 10, is at least 0"],
            "minor",
        ),
        (
            contract(moment={"logicalTypeOptions": {"minimum": "2023-01-01", "timezone": False}}),
            [
                ("moment | widening | was at least 2024-01-01 and below 2025-01-01, "
                "is at least 2023-01-01")
            ],
            "minor",
        ),
        (
            contract(side={"quality": [RULES[1] | {"arguments": {"validValues": ["left"]}}]}),
            ["side | narrowing | rule `invalidValues` no longer allows right | breaking"],
            "major",
        ),
        (
            contract(
                side={
                    "quality": [
                        RULES[1] | {"arguments": {"validValues": ["left", "middle", "right"]}}
                    ]
                }
            ),
            ["side | widening | rule `invalidValues` now allows middle | breaking"],
            "major",
        ),
        (
            contract(y={"quality": [RULES[2]]}),
            ["y | narrowing | rule `duplicateValues` is new | breaking"],
            "major",
        ),
        (
            contract(y={"primaryKey": True, "primaryKeyPosition": 2}),
            None,
            "major",
        ),
        (contract(y={"description": "up"}), ["y | wording | `description` reads otherwise"], "patch"),
        (
            changed({"status": "deprecated"}),
            ["contract | wording | `status` reads otherwise"],
            "patch",
        ),
        (
            delivered(deduplication="keepLast"),
            [
                ("deduplication | widening | was: a delivery with a key twice is refused, the "
                "newest delivery's row is kept; is: of rows with one key the last is kept, and "
                "the newest delivery's")
            ],
            "minor",
        ),
        (
            delivered(allowedLateness="7d", lateRows="drop"),
            [
                ("allowedLateness | narrowing | was: rows may be as late as they like; is: rows "
                "with `moment` more than 7 days before the newest event are dropped | breaking")
            ],
            "major",
        ),
        (
            changed({"slaProperties": [{"property": "latency", "value": 3, "unit": "d"}]}),
            ["service level latency | addition | promised now: 3 d"],
            "minor",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_difference_is_told_with_the_level_it_asks_for(
    after: Contract, told: list[str] | None, level: str
) -> None:
    assert told is None or said(after) == told
    assert needed(differences(BEFORE, after)) == level


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [
        ({"property": "latency", "value": 3}, {"property": "latency", "value": 2}, "minor"),
        ({"property": "latency", "value": 3}, {"property": "latency", "value": 4}, "major"),
        ({"property": "retention", "value": 3}, {"property": "retention", "value": 2}, "major"),
        ({"property": "latency", "value": 3}, {"property": "retention", "value": 3}, "major"),
        ({"property": "strange", "value": 3}, {"property": "strange", "value": 2}, "major"),
    ],
)
def test_a_service_level_that_promises_less_is_breaking(
    before: dict[str, Any], after: dict[str, Any], level: str
) -> None:
    old, new = (changed({"slaProperties": [each]}) for each in (before, after))
    assert needed(differences(old, new)) == level


def asked(**more: Any) -> Contract:
    return contract(y={"quality": [RULES[1] | more]})


def queried(**more: Any) -> Contract:
    rule = {"type": "sql", "name": "asked", "query": "SELECT 0", "mustBe": 0, "severity": "error"}
    return contract(y={"quality": [rule | more]})


KELVIN = {"customProperties": [{"property": "unit", "value": "K"}]}
CELSIUS = {"customProperties": [{"property": "unit", "value": "Cel"}]}


@pytest.mark.parametrize(
    ("before", "after", "told", "level"),
    [
        (
            asked(severity="warn"),
            asked(),
            ["y | narrowing | rule `invalidValues` was a warning, now stops the data | breaking"],
            "major",
        ),
        (
            asked(),
            asked(severity="info"),
            ["y | widening | rule `invalidValues` stopped the data, is a warning now | breaking"],
            "major",
        ),
        (
            queried(),
            queried(severity="warning"),
            ["y | widening | rule `asked` stopped the data, is a warning now"],
            "minor",
        ),
        (
            contract(),
            queried(severity="warning"),
            ["y | narrowing | rule `asked` is new (a warning)"],
            "minor",
        ),
        (
            queried(severity="warning"),
            queried(severity="warning", query="SELECT 1"),
            ["y | narrowing | rule `asked` asks something else"],
            "minor",
        ),
        (
            queried(),
            queried(mustBe=None, mustBeLessThan=2),
            ["y | widening | rule `asked` asked be 0, asks be less than 2"],
            "minor",
        ),
        (
            queried(),
            queried(query="SELECT 1"),
            ["y | narrowing | rule `asked` asks something else | breaking"],
            "major",
        ),
        (
            contract(y=CELSIUS),
            contract(y=KELVIN),
            ["y | narrowing | the unit was Cel, is K | breaking"],
            "major",
        ),
        (contract(), contract(y=KELVIN), ["y | wording | the unit was not given, is K"], "patch"),
        (
            contract(y={"classification": "public"}),
            contract(y={"classification": "restricted"}),
            ["y | narrowing | the classification was public, is restricted"],
            "minor",
        ),
        (
            contract(y={"classification": "restricted"}),
            contract(),
            ["y | widening | the classification was restricted, is not given"],
            "minor",
        ),
    ],
)
def test_severity_units_and_classification_are_told_as_what_they_are(
    before: Contract, after: Contract, told: list[str], level: str
) -> None:
    assert said(after, before) == told
    assert needed(differences(before, after)) == level


def test_a_promise_for_each_driver_is_one_of_its_own() -> None:
    promises = [
        {"property": "timeOfAvailability", "value": value, "driver": driver}
        for value, driver in (("09:00Z", "regulatory"), ("08:00Z", "analytics"))
    ]
    before = changed({"slaProperties": promises})
    assert said(before, before) == []
    assert said(changed({"slaProperties": promises[1:]}), before) == [
        "service level timeOfAvailability | removal | no longer promised: 09:00Z | breaking"
    ]


def test_a_looser_threshold_is_no_breaking_difference_and_a_stricter_one_is() -> None:
    strict = contract(y={"quality": [{"metric": "missingValues", "mustBeLessThan": 3}]})
    loose = contract(y={"quality": [{"metric": "missingValues", "mustBeLessOrEqualTo": 3}]})
    assert needed(differences(strict, loose)) == "minor"
    assert needed(differences(loose, strict)) == "major"


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "minimum": st.integers(-5, 5),
        "maximum": st.integers(-5, 5),
        "exclusiveMinimum": st.integers(-5, 5),
        "exclusiveMaximum": st.integers(-5, 5),
    },
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "required": st.booleans(),
        "unique": st.booleans(),
        "description": st.sampled_from(["one", "other"]),
        "logicalTypeOptions": OPTIONS,
        "quality": st.lists(st.sampled_from(RULES), max_size=3),
    },
)


@given(CHANGES)
def test_the_same_contract_has_no_difference(keys: dict[str, Any]) -> None:
    assert differences(contract(x=keys), contract(x=keys)) == ()


@given(OPTIONS, OPTIONS, st.sampled_from([value / 2 for value in range(-12, 13)]))
def test_a_range_that_refuses_a_value_it_allowed_is_breaking(
    one: dict[str, int], other: dict[str, int], value: float
) -> None:
    def bounds(options: dict[str, int]) -> Limits:
        ends = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        return limits(*map(options.get, ends))

    before, after = (contract(x={"logicalTypeOptions": each}) for each in (one, other))
    if bounds(one).allows(value) and not bounds(other).allows(value):
        assert needed(differences(before, after)) == "major"


@given(CHANGES, CHANGES)
def test_what_a_change_breaks_is_not_mended_by_a_change_back_without_a_major_version(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """A promise given up or newly asked breaks; unless only loosened, going back breaks too."""
    before, after = contract(x=one), contract(x=other)
    there, back = differences(before, after), differences(after, before)
    assert bool(there) == bool(back)
    if any(each.breaking and each.kind == "widening" for each in there):
        assert needed(back) == "major"


@given(st.tuples(*[st.integers(0, 20)] * 3), st.sampled_from(["none", "patch", "minor", "major"]))
def test_the_version_named_is_high_enough_and_no_level_too_high(
    version: tuple[int, int, int], level: Any
) -> None:
    before = ".".join(map(str, version))
    after = next_version(before, level)
    assert raised(before, after) == level
    assert enough(before, after, level)
    assert level == "none" or not enough(before, before, level)


def test_a_version_that_goes_back_is_never_enough() -> None:
    assert not enough("2.0.0", "1.9.9", "none")


LATE = {"allowedLateness": "7d", "lateRows": "drop"}


@pytest.mark.parametrize(
    ("before", "after", "kind", "level"),
    [
        ({}, {"deduplication": "keepFirst"}, "narrowing", "major"),
        ({}, {"deduplication": "refuse"}, "narrowing", "major"),
        ({"deduplication": "refuse"}, {"deduplication": "keepFirst"}, "widening", "minor"),
        ({"deduplication": "keepFirst"}, {"deduplication": "keepLast"}, "widening", "major"),
        ({"deduplication": "keepLast"}, {}, "narrowing", "major"),
        ({}, {"allowedLateness": "7d"}, "widening", "minor"),
        (LATE, LATE | {"allowedLateness": "8d"}, "widening", "minor"),
        (LATE, LATE | {"allowedLateness": "6d"}, "narrowing", "major"),
        (LATE, LATE | {"lateRows": "refuse"}, "narrowing", "major"),
        (LATE | {"lateRows": "refuse"}, LATE, "widening", "minor"),
        (LATE, {}, "widening", "minor"),
    ],
)
def test_what_is_said_of_late_and_duplicate_rows_counts_as_what_it_does(
    before: dict[str, str], after: dict[str, str], kind: str, level: str
) -> None:
    (found,) = differences(delivered(**before), delivered(**after))
    assert (found.kind, needed((found,))) == (kind, level)
