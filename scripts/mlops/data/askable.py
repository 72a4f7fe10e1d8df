"""What the standard lets a contract ask and no rule checks here: why not, and what to write."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mlops.data.contract import ENGINE, runs
from mlops.errors import BadInput
from mlops.files import load_yaml

TYPES = ("string", "integer", "number", "boolean", "timestamp", "date")
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
OF_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": (),
    "rowCount": (),
}
"""The metrics of a column, each with the arguments that are known; one of them is needed."""
OF_TABLES: Mapping[str, tuple[str, ...]] = {"duplicateValues": ("properties",), "rowCount": ()}
Entry = Mapping[str, Any]


class Reason(NamedTuple):
    """Why something is not checked, said of it, and the way out (empty: there is none)."""

    why: str
    fix: str


def unreadable(column: Entry) -> Reason | None:
    """Why a column cannot be read as a column of a dataset; None when it can."""
    kind = column.get("logicalType")
    if kind in TYPES:
        return None
    if kind is None:
        return Reason("has no `logicalType`", f"add one: {', '.join(TYPES)}")
    if kind == "time":
        return Reason("is a time of day, which no rule types", "make it a string with a `pattern`")
    return Reason(
        f"is an {kind}, and a dataset is one flat table", "let ingest.py make columns of it"
    )


def unchecked_options(column: Entry) -> Iterator[tuple[str, Reason]]:
    """Those of a column's `logicalTypeOptions` that no rule checks."""
    options = column.get("logicalTypeOptions", {})
    if "multipleOf" in options:
        fix = (
            "count what is not by a rule of type sql: `SELECT count(*) FROM {object} WHERE "
            "{property} % N <> 0`, `mustBe: 0`"
        )
        yield "multipleOf", Reason("is checked by no rule", fix)
    for end in ("minimum", "maximum"):
        exclusive = f"exclusive{end.capitalize()}"
        if end in options and not isinstance(options.get(exclusive, False), bool):
            yield exclusive, Reason(f"stands beside `{end}`, and one is checked", "keep one")


def unchecked(quality: Entry, *, table: bool) -> Reason | None:
    """Why a quality rule of a table, or of a column, cannot be checked; None when it can.

    A rule of type text asks nothing that could be checked: None, too.
    """
    kind = quality.get("type", "library")
    if kind == "sql":
        return _operator(quality)
    if kind == "custom":
        return _custom(quality)
    return _library(quality, table=table) if kind == "library" else None


def _custom(quality: Entry) -> Reason | None:
    engine = quality.get("engine")
    if not runs(engine):
        fix = f"say it for {ENGINE}, or as a library metric"
        return Reason(f"is for the engine {engine}, which is not run here", fix)
    asked: Any = quality.get("implementation")
    try:
        asked = load_yaml(asked, "implementation") if isinstance(asked, str) else asked
    except BadInput as error:
        return Reason(f"has an implementation that {error.problems[0].what}", "correct it")
    whole = isinstance(asked, dict) and isinstance(asked.get("type"), str)
    if not whole or not isinstance(asked.get("kwargs"), dict):
        fix = "write both: `{type: expect_..., kwargs: {...}}`"
        return Reason("has an implementation without `type` and `kwargs`", fix)
    return None


def _library(quality: Entry, *, table: bool) -> Reason | None:
    metric, unit = quality.get("metric"), quality.get("unit", "rows")
    known = OF_TABLES if table else OF_COLUMNS
    if metric not in METRICS:
        fix = f"write `apiVersion: v3.1.0` and a metric: {', '.join(METRICS)}"
        return Reason("has no `metric`", fix)
    if metric not in known:
        return Reason(f"counts {metric} of a whole table", "ask it of a column")
    if unit not in ("rows", "percent") or (metric, unit) == ("rowCount", "percent"):
        fix = "count rows" if metric == "rowCount" else "write rows or percent"
        return Reason(f"counts {metric} in the unit {unit}", fix)
    return _operator(quality) or _arguments(metric, quality.get("arguments", {}), known[metric])


def _operator(quality: Entry) -> Reason | None:
    given = [key for key in quality if key.startswith("must")]
    if len(given) != 1:
        return Reason("has not exactly one operator", "write one, such as `mustBe: 0`")
    value = quality[given[0]]
    ends = value if isinstance(value, list) else [value]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        return Reason(f"compares a count by `{given[0]}` with {value!r}", "write a number")
    return None


def _arguments(metric: str, given: Entry, known: tuple[str, ...]) -> Reason | None:
    strange = [key for key in given if key not in known]
    fix = f"write {' or '.join(known)}" if known else "remove it"
    if strange:
        return Reason(f"has the argument {strange[0]}, which {metric} does not know here", fix)
    if known and not given:
        return Reason(f"has no argument, and {metric} needs one", fix)
    wrong = [key for key, value in given.items() if not _fits(key, value)]
    if wrong:
        asked = "text" if wrong[0] == "pattern" else "a list of values"
        return Reason(f"has the argument {wrong[0]}, which is not {asked}", "correct it")
    return None


def _fits(argument: str, value: Any) -> bool:
    if argument == "pattern":
        return isinstance(value, str)
    plain = isinstance(value, list) and not any(isinstance(each, list | dict) for each in value)
    return plain and (argument != "properties" or all(isinstance(each, str) for each in value))
