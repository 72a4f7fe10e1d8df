"""A document held to the Open Data Contract Standard (ODCS): its own JSON Schema, by version."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from mlops.data.document import Document, Place
from mlops.errors import Problem
from mlops.specs.base import FIXES, shortened
from mlops.specs.schemas import HERE

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

SCHEMAS = {
    "v3.0.0": "odcs-v3.0.2.json",
    "v3.0.1": "odcs-v3.0.2.json",
    "v3.0.2": "odcs-v3.0.2.json",
    "v3.1.0": "odcs-v3.1.0.json",
}
"""The schema of each version of the standard; v3.0.2's is that of its predecessors, too."""
UNKNOWN_KEYS = ("additionalProperties", "unevaluatedProperties")
TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}
Told = tuple[Place, str, str]
"""Where, what is wrong, how to fix it."""


def problems(document: Document) -> list[Problem]:
    """Everything in a document that the standard's schema refuses, in the order of its lines."""
    return [document.problem(*each) for each in _refused(document)]


@lru_cache(maxsize=64)
def _refused(document: Document) -> tuple[Told, ...]:
    """Kept by the text: holding to the schema is nearly all of the time that reading takes."""
    value = document.value
    if not isinstance(value, dict):
        what = "is not an Open Data Contract: its top is no mapping"
        return (((), what, "begin with `apiVersion: v3.1.0` and `kind: DataContract`"),)
    version = value.get("apiVersion", "v3.1.0")
    if not isinstance(version, str) or version not in SCHEMAS:
        what = f"is {shortened(json.dumps(version))}, a version that is not read here"
        return ((("apiVersion",), what, f"write one of {', '.join(SCHEMAS)}"),)
    schema = SCHEMAS[version]
    errors = list(_meant(_validator(schema).iter_errors(value)))
    told = dict.fromkeys(each for error in errors for each in _told(error, errors, schema))
    return tuple(sorted(told, key=lambda each: (document.line(each[0]), each[1])))


@cache
def _validator(name: str) -> "Validator":
    from jsonschema import Draft201909Validator

    return Draft201909Validator(json.loads((HERE / name).read_text()))


def _meant(errors: "Iterable[ValidationError]") -> "Iterator[ValidationError]":
    """The errors that say what is wrong: of alternatives those of the one that was meant."""
    for error in errors:
        alternatives: dict[Any, list[ValidationError]] = {}
        for each in error.context or ():
            alternatives.setdefault(each.schema_path[0], []).append(each)
        meant = [each for each in alternatives.values() if not any(map(_of_another_kind, each))]
        if len(meant) == 1:
            yield from _meant(meant[0])
        else:
            yield error


def _of_another_kind(error: "ValidationError") -> bool:
    """Whether an alternative is for another type of value, or begins with another key."""
    return not error.path and error.validator in ("type", "required")


def _told(
    error: "ValidationError", errors: "Sequence[ValidationError]", schema: str
) -> Iterator[Told]:
    place = tuple(error.absolute_path)
    if error.validator in UNKNOWN_KEYS:
        for key in _unknown(place, error, errors, schema):
            yield (*place, key), "is an unknown key", FIXES["extra_forbidden"]
    elif error.validator == "required":
        given: Any = error.instance
        for key in _asked(error):
            if key not in given:
                yield place, f"lacks the key `{key}`", FIXES["missing"]
    else:
        yield place, *_value(error)


def _unknown(
    place: Place, error: "ValidationError", errors: "Sequence[ValidationError]", schema: str
) -> list[str]:
    """Keys that the standard does not have.

    Keys that a broken part of the schema would have named count as unknown to the library;
    they are left to the error of that part.
    """
    part: Any = error.schema
    given: Any = error.instance
    known = _keys(part, schema)
    names = [key for key in given if key not in known]
    others = [each for each in errors if each.validator not in UNKNOWN_KEYS]
    if names or any(tuple(each.absolute_path)[: len(place)] == place for each in others):
        return names
    return [key for key in given if repr(key) in error.message]


def _keys(part: Mapping[str, Any], schema: str) -> set[str]:
    """The keys that a part of a schema names for an object, in all of its alternatives."""
    parts = [each for word in ("allOf", "anyOf", "oneOf") for each in part.get(word, ())]
    parts += [part[word] for word in ("then", "else") if word in part]
    if "$ref" in part:
        parts.append(_definition(part["$ref"], schema))
    return set(part.get("properties", ())).union(*(_keys(each, schema) for each in parts))


def _definition(reference: str, schema: str) -> Mapping[str, Any]:
    found: Any = _validator(schema).schema
    for word in reference.removeprefix("#/").split("/"):
        found = found[word]
    return dict(found)


def _asked(error: "ValidationError") -> Any:
    """What the schema asks: the value of the keyword that failed."""
    return error.validator_value


def _value(error: "ValidationError") -> tuple[str, str]:
    """What is wrong with a value, and the way out."""
    given, asked = f"is {shortened(json.dumps(error.instance, ensure_ascii=False))}", _asked(error)
    match error.validator:
        case "type":
            told = f"{given}, not {TYPES[asked]}", "correct the value"
        case "enum":
            told = f"{given}, which the standard does not know", f"write one of {', '.join(asked)}"
        case "oneOf" if keys := _choice(asked):
            told = f"has not exactly one of {', '.join(keys)}", "keep or add one"
        case "not":
            named = ", ".join(f"`{key}`" for key in asked.get("required", ()))
            told = f"has {named}, which is not said here", "remove the key"
        case "anyOf" | "oneOf":
            told = f"{given}, which the standard does not allow here", "correct the value"
        case "pattern":
            told = f"{given}, which does not match {asked}", "correct the value"
        case _:
            said = error.message.removeprefix(repr(error.instance)).strip()
            told = f"{given}, which {said}", "correct the value"
    return told


def _choice(alternatives: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys of alternatives that differ by their one key alone; else none."""
    keys = [each.get("required", ()) for each in alternatives]
    return [each[0] for each in keys] if all(len(each) == 1 for each in keys) else []
