"""What of a contract is enforced, what is only reported, and what cannot be checked, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mlops.data.askable import Entry, Reason
from mlops.data.contract import Severity, is_open
from mlops.data.delivery_policy import PROPERTIES, policy_from
from mlops.data.document import Document, Place
from mlops.data.reading import LeftOut, Reading, TableRead
from mlops.data.rule import Rule
from mlops.data.rules import columns_rule, schema_rules, value_rules
from mlops.data.servers import named_servers
from mlops.data.validation import refusal

Group = Literal["enforced", "reported", "unchecked"]
# What the standard has for people and catalogues: by key, the kind it is told as.
KINDS: Mapping[str, str] = {
    "id": "catalogue",
    "status": "catalogue",
    "domain": "catalogue",
    "tenant": "catalogue",
    "dataProduct": "catalogue",
    "contractCreatedTs": "catalogue",
    "tags": "catalogue",
    "description": "descriptions",
    "businessName": "descriptions",
    "dataGranularityDescription": "descriptions",
    "authoritativeDefinitions": "descriptions",
    "transformDescription": "transformations",
    "transformLogic": "transformations",
    "transformSourceObjects": "transformations",
    "classification": "classification",
    "criticalDataElement": "classification",
    "encryptedName": "classification",
    "examples": "examples",
    "physicalName": "storage",
    "partitioned": "storage",
    "partitionKeyPosition": "storage",
    "servers": "servers",
    "slaProperties": "service levels",
    "slaDefaultElement": "service levels",
    "team": "team",
    "roles": "roles",
    "support": "support",
    "price": "price",
    "customProperties": "custom properties",
    "schedule": "schedules",
    "scheduler": "schedules",
    "timezone": "time zones",
    "defaultTimezone": "time zones",
}
WHY: Mapping[str, str] = {
    "service levels": "`mlops data status` measures them; promising less asks for a major version",
    "units": "what values are measured in; another unit asks for a new major version",
    "classification": "no rule reads it; a change asks for a new minor version",
    "roles": "nobody's rights are set by them; a role that goes asks for a new major version",
    "text rules": "words for people",
    "examples": "held here to what their columns ask",
    "schedules": "rules are checked when data comes in and when the contract changes",
    "time zones": "moments are kept in UTC, without a zone",
}
NOT_CHECKED: Mapping[str, tuple[str, Reason]] = {
    "physicalType": (
        "physical types",
        Reason("are the source's; a version is Parquet, typed by `logicalType`", ""),
    ),
    "relationships": (
        "relationships",
        Reason("name rows of other tables, and a dataset is checked alone", ""),
    ),
    "format": ("formats", Reason("are words here", "say it by a `pattern` or by limits")),
}
"""What could be checked, and is not, though nothing is refused for it: by key."""
LISTS = ("slaProperties", "servers", "relationships")
"""Keys whose entries are counted."""


@dataclass(frozen=True)
class Finding:
    """One thing that a contract says, and what becomes of it.

    Attributes:
        kind: of the rule, or of what is reported or cannot be checked.
        places: where it stands: one for a rule, all for what is told by kind.
        text: what is asked, or what it is.
        why: why it is only reported, or cannot be checked.
        fix: the way out; empty when there is none.
        severity: of a rule.
        in_the_way: whether a dataset of this contract is refused for it.
    """

    group: Group
    kind: str
    places: tuple[str, ...]
    text: str
    why: str = ""
    fix: str = ""
    severity: Severity = "error"
    in_the_way: bool = False


def findings(reading: Reading) -> tuple[Finding, ...]:
    """Everything that a contract says, each quality rule and column in one finding."""
    doc = reading.document
    compiled = [each for table in reading.tables for each in _compiled(doc, table)]
    in_the_way = list(reading.in_the_way)
    if not any(each.place[:1] == ("customProperties",) for each in in_the_way):
        compiled += [each for table in reading.tables for each in _of_deliveries(doc, table)]
    left_out = [_left_out(doc, each) for each in in_the_way]
    return (*compiled, *left_out, *_reported(reading), *_unchecked_kinds(reading))


def rules_of(table: TableRead) -> tuple[Rule, ...]:
    """The rules that data of a table is held to."""
    whole, *rest = schema_rules(table.table)
    names = columns_rule(table.names)
    return (replace(whole, text=names.text, kwargs=names.kwargs), *rest, *value_rules(table.table))


def _compiled(doc: Document, table: TableRead) -> Iterator[Finding]:
    called = doc.named(table.place)
    elements = ["", *table.names]
    for rule in sorted(rules_of(table), key=lambda each: _element_of(each, elements)):
        place = f"{called}.{rule.place}" if rule.place else called
        refused = refusal(rule, table.table)
        if refused:
            yield Finding("unchecked", "asked", (place,), place, *refused, in_the_way=True)
        else:
            yield Finding("enforced", rule.kind, (place,), rule.text, severity=rule.severity)


def _of_deliveries(doc: Document, table: TableRead) -> Iterator[Finding]:
    """What becomes of rows that come twice or late."""
    said = doc.value.get("customProperties") or ()
    places = {
        each["property"]: doc.named(("customProperties", number))
        for number, each in enumerate(said)
        if each["property"] in PROPERTIES
    }
    twice = places.pop("deduplication", None)
    for name, text in policy_from(said, table.table).texts.items():
        of = (twice,) if name == "deduplication" and twice else tuple(places.values())
        yield Finding("enforced", "deliveries", of, text)


def _element_of(rule: Rule, elements: Sequence[str]) -> int:
    """The position of the table, or of the column, that asks a rule; the table's rules last."""
    column = rule.place.rpartition(".quality.")[0] or rule.place
    return elements.index(column) if column in elements else len(elements)


def _left_out(doc: Document, found: LeftOut) -> Finding:
    inside = tuple(doc.named(place) for place in _inside(doc, found.place))
    nested = f" and {len(inside)} properties and rules in it" if inside else ""
    place = doc.named(found.place)
    why, fix = found.reason
    places = (place, *inside)
    return Finding("unchecked", "asked", places, place + nested, why, fix, in_the_way=True)


def _inside(doc: Document, place: Place) -> Iterator[Place]:
    """What is asked in a column that is left out."""
    if place[-2:-1] != ("properties",):
        return
    column = doc.value
    for part in place:
        column = column[part]
    for at, entry in _element(place, column):
        if at != place and at[-1] != "logicalTypeOptions" and entry.get("type") != "text":
            yield at


def _reported(reading: Reading) -> Iterator[Finding]:
    keys = [(KINDS[key], place) for key, place in _keys(reading.document.value) if key in KINDS]
    texts = [
        ("text rules", place)
        for place, entry in _entries(reading.document.value)
        if place[-2:-1] == ("quality",) and entry.get("type") == "text"
    ]
    units = [
        ("units", place)
        for place, entry in _entries(reading.document.value)
        if any(each["property"] == "unit" for each in entry.get("customProperties") or ())
    ]
    for kind, places in _by_kind(reading.document, [*keys, *texts, *units]).items():
        if kind == "servers":
            yield from _servers(reading, places)
            continue
        yield Finding("reported", kind, places, _counted(kind, places), WHY.get(kind, ""))


def _servers(reading: Reading, places: Sequence[str]) -> Iterator[Finding]:
    """Each server: how it is used, or why it is not."""
    found = named_servers(reading.document.value["servers"])
    for place, each in zip(places, found, strict=True):
        text = f"server {each.name} ({each.kind})"
        if each.reason:
            yield Finding("reported", "servers", (place,), text, f"not used: {each.reason.why}",
                          each.reason.fix)  # fmt: skip
            continue
        needed = f", with {' and '.join(each.variables)} set" if each.variables else ""
        why = f"used by `mlops data validate --server {each.name}`{needed}"
        yield Finding("reported", "servers", (place,), text, why)


def _unchecked_kinds(reading: Reading) -> Iterator[Finding]:
    value = reading.document.value
    found = [(key, place) for key, place in _keys(value) if key in NOT_CHECKED]
    for key, places in _by_kind(reading.document, found).items():
        kind, (why, fix) = NOT_CHECKED[key]
        yield Finding("unchecked", kind, places, _counted(kind, places), why, fix)
    closed = tuple(reading.document.named(place) for place in _closed(value))
    if closed and not any(_reads(role) for role in value.get("roles") or ()):
        text = _counted("columns that not everybody may read", closed)
        why, fix = "have no reader named", "add a role with `access: read`"
        yield Finding("unchecked", "readers", closed, text, why, fix)


def _closed(contract: Entry) -> Iterator[Place]:
    """Columns that are classified, and not as open to everybody."""
    for place, entry in _entries(contract):
        if not is_open(entry.get("classification")):
            yield place


def _reads(role: Entry) -> bool:
    return "read" in str(role.get("access", "read")).lower()


def _by_kind(doc: Document, found: Sequence[tuple[str, Place]]) -> dict[str, tuple[str, ...]]:
    kinds = dict.fromkeys(kind for kind, _ in found)
    return {kind: tuple(doc.named(at) for each, at in found if each == kind) for kind in kinds}


def _counted(kind: str, places: Sequence[str]) -> str:
    return f"{kind} ({len(places)})"


def _keys(contract: Entry) -> Iterator[tuple[str, Place]]:
    """Every key of a contract's elements, with its place; of lists, each entry's."""
    for place, entry in _entries(contract):
        for key, value in entry.items():
            many = range(len(value)) if key in LISTS else ()
            yield from ((key, (*place, key, number)) for number in many)
            if key not in LISTS:
                yield key, (*place, key)


def _entries(contract: Entry) -> Iterator[tuple[Place, Entry]]:
    """The contract, its tables, their columns with what is nested in them, and all rules."""
    yield (), contract
    for number, table in enumerate(contract.get("schema", ())):
        yield from _element(("schema", number), table)


def _element(place: Place, element: Entry) -> Iterator[tuple[Place, Entry]]:
    yield place, element
    if "logicalTypeOptions" in element:
        yield (*place, "logicalTypeOptions"), element["logicalTypeOptions"]
    for number, quality in enumerate(element.get("quality", ())):
        yield (*place, "quality", number), quality
    if "items" in element:
        yield from _element((*place, "items"), element["items"])
    for number, column in enumerate(element.get("properties", ())):
        yield from _element((*place, "properties", number), column)
