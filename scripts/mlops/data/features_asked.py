"""What the contract of a model's features may ask: what one number can be held to in a service."""

from collections.abc import Iterator

from mlops.data.askable import Entry, Reason
from mlops.data.document import Place

NUMBERS = ("number", "integer")
HELD = "write `required`, limits, or `invalidValues` with `validValues` and `mustBe: 0`"


def not_of_features(place: Place, table: Entry) -> Iterator[tuple[Place, Reason]]:
    """What of a table is not held of features, each with the reason, said of it."""
    for number, column in enumerate(table.get("properties", ())):
        yield from _column((*place, "properties", number), column)
    for number, quality in enumerate(table.get("quality", ())):
        if quality.get("type") != "text":
            fix = "ask it of the dataset, or say it in words as a rule of type text"
            yield (*place, "quality", number), Reason("is about rows, and a feature is alone", fix)


def _column(place: Place, column: Entry) -> Iterator[tuple[Place, Reason]]:
    kind = column.get("logicalType")
    if kind not in NUMBERS:
        yield place, Reason(f"is a {kind}, and features are numbers", f"write {NUMBERS[0]}")
    for key in ("unique", "primaryKey"):
        if column.get(key):
            yield (*place, key), Reason("is about rows, and a feature is alone", "remove it")
    for number, quality in enumerate(column.get("quality", ())):
        if quality.get("type") != "text" and not _is_list(quality):
            yield (*place, "quality", number), Reason("is not held of features", HELD)


def _is_list(quality: Entry) -> bool:
    """Whether it lists the only values there are, and no other is let in."""
    values = quality.get("arguments", {}).get("validValues")
    numbers = isinstance(values, list) and all(_is_number(value) for value in values)
    stops = str(quality.get("severity", "error")).lower() == "error"
    return numbers and stops and quality.get("mustBe") == 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
