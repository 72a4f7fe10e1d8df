"""A contract read once: by the standard, then as tables of what is checked here.

`mlops contract check` tells what is left out of these tables; whatever acts on data refuses a
contract of which something asked would be left out.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from mlops.data import odcs
from mlops.data.askable import Entry, Reason, unchecked, unchecked_options, unreadable
from mlops.data.contract import FEATURES_FILE, ContractT, Table
from mlops.data.contradictions import contradictions, same_names
from mlops.data.delivery_policy import unusable
from mlops.data.document import Document, Place, document
from mlops.data.features_asked import not_of_features
from mlops.errors import BadInput
from mlops.specs.base import LONGEST_NAME, is_name, validated

IN_WORDS = {"type": "text"}
"""Stands where a quality rule cannot be checked, so that the others keep their positions."""


@dataclass(frozen=True)
class LeftOut:
    """Something that is asked and not checked."""

    place: Place
    reason: Reason


@dataclass(frozen=True)
class TableRead:
    """One table of a contract.

    Attributes:
        place: where it stands.
        asked: as it was written.
        table: what of it is checked.
        columns: where the columns of `table` stand, in their order.
        left_out: what is asked and not checked.
    """

    place: Place
    asked: Entry
    table: Table
    columns: tuple[Place, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def names(self) -> list[str]:
        """The names of all columns, those that cannot be read too."""
        return [column["name"] for column in self.asked.get("properties", ())]


@dataclass(frozen=True)
class Reading:
    """A contract that is valid by the standard and does not contradict itself."""

    document: Document
    tables: tuple[TableRead, ...]

    @property
    def in_the_way(self) -> Iterator[LeftOut]:
        """All for which a dataset of this contract is refused."""
        yield from _header(self.document.value)
        if len(self.tables) != 1:
            why = f"has {len(self.tables)} tables"
            yield LeftOut(("schema",), Reason(why, "keep one; a dataset is one table"))
        for table in self.tables:
            yield from table.left_out
            yield from self._own(table)
            yield from self._of_deliveries(table)

    @property
    def of_features(self) -> bool:
        """Whether it is the contract of a model's features, and not of a dataset."""
        return PurePath(self.document.path).name == FEATURES_FILE

    def _of_deliveries(self, table: TableRead) -> Iterator[LeftOut]:
        """What is said of deliveries and cannot be held."""
        said = self.document.value.get("customProperties")
        for number, reason in unusable(said, table.table, of_features=self.of_features):
            yield LeftOut(("customProperties", number), reason)

    def _own(self, table: TableRead) -> Iterator[LeftOut]:
        """What of a table is in the way for what it is a contract of."""
        if not self.of_features:
            yield from _columns(table)
        for place, reason in not_of_features(table.place, table.asked) if self.of_features else ():
            yield LeftOut(place, reason)


def read(text: bytes, path: str) -> Reading:
    """Read a contract.

    Raises:
        BadInput: when it is not YAML, not valid by the standard, or contradicts itself: with
            all that is wrong.
    """
    doc = document(text, path)
    if problems := odcs.problems(doc):
        raise BadInput(problems)
    tables = tuple(
        _table(doc, ("schema", number), table)
        for number, table in enumerate(doc.value.get("schema", ()))
    )
    found = list(same_names(("schema",), [table.asked["name"] for table in tables]))
    for each in tables:
        found += contradictions(each.place, each.table, each.columns, each.names)
    if found:
        ordered = sorted(found, key=lambda each: (doc.line(each[0]), each[1]))
        raise BadInput(doc.problem(*each) for each in ordered)
    return Reading(doc, tables)


def usable(text: bytes, path: str, kind: type[ContractT]) -> ContractT:
    """A contract that can be acted on: of what it asks of the data, all is checked.

    Args:
        text: the file.
        path: of the file; one that is called `FEATURES_FILE` is of a model's features.
        kind: what it is read as.

    Raises:
        BadInput: as `read` does, and with all that would not be checked.
    """
    reading = read(text, path)
    in_the_way = list(reading.in_the_way)
    if in_the_way:
        raise BadInput(reading.document.problem(each.place, *each.reason) for each in in_the_way)
    return validated(reading.document.value, path, kind)


def _table(doc: Document, place: Place, asked: Entry) -> TableRead:
    left_out: list[LeftOut] = []
    columns: dict[Place, Entry] = {}
    for number, column in enumerate(asked.get("properties", ())):
        at = (*place, "properties", number)
        if reason := unreadable(column):
            left_out.append(LeftOut(at, reason))
        else:
            columns[at] = _column(at, column, left_out)
    quality = _quality(place, asked, left_out, table=True)
    checked = {**asked, "properties": list(columns.values()), "quality": quality}
    table = validated(checked, doc.path, Table)
    return TableRead(place, asked, table, tuple(columns), tuple(left_out))


def _column(place: Place, asked: Entry, left_out: list[LeftOut]) -> dict[str, Any]:
    options = dict(asked.get("logicalTypeOptions", {}))
    for name, reason in unchecked_options(asked):
        left_out.append(LeftOut((*place, "logicalTypeOptions", name), reason))
        del options[name]
    quality = _quality(place, asked, left_out, table=False)
    return {**asked, "logicalTypeOptions": options, "quality": quality}


def _quality(place: Place, asked: Entry, left_out: list[LeftOut], *, table: bool) -> list[Entry]:
    checked: list[Entry] = []
    for number, quality in enumerate(asked.get("quality", ())):
        reason = unchecked(quality, table=table)
        if reason:
            left_out.append(LeftOut((*place, "quality", number), reason))
        checked.append(IN_WORDS if reason else quality)
    return checked


def _header(asked: Entry) -> Iterator[LeftOut]:
    if not is_name(str(asked.get("name", ""))):
        why = (
            f"is {asked['name']!r}, not the name of a dataset" if "name" in asked else "is missing"
        )
        fix = f"use lower-case letters, digits and single hyphens, {LONGEST_NAME} at most"
        yield LeftOut(("name",), Reason(why, fix))
    if not _is_version(asked["version"]):
        why = f"is {asked['version']!r}, and changes are told by major, minor and patch"
        yield LeftOut(("version",), Reason(why, "write it as 1.2.3"))


def _is_version(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 3 and all(part.isascii() and part.isdecimal() for part in parts)


def _columns(table: TableRead) -> Iterator[LeftOut]:
    if not any(column.get("primaryKey") for column in table.asked.get("properties", ())):
        why = "has no column with `primaryKey: true`"
        fix = "mark the columns that identify a row, new rows are put in by them"
        yield LeftOut(table.place, Reason(why, fix))
    # Great Expectations finds columns without regard to case.
    counted = Counter(name.lower() for name in table.names)
    alike = [f"`{name}`" for name in table.names if counted[name.lower()] > 1]
    if alike:
        why = f"has columns {', '.join(alike)}, which differ in upper and lower case only"
        yield LeftOut(table.place, Reason(why, "rename one"))
