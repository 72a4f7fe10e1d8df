"""What a contract asks, as rules."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops.data.contract import Column, Quality, Table, TypeOptions
from mlops.data.rule import ROW_BY_ROW, SQL, Rule, Threshold

PLACEHOLDER = re.compile(r"\$?\{(table|object|column|property)\}")

# The type of a parsed value, by the contract's logical type (see typed.read).
TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("str",),
    "integer": ("int",),
    "number": ("float", "int"),
    "boolean": ("bool",),
    "timestamp": ("Timestamp",),
    "date": ("Timestamp",),
}
ARTICLES = {"integer": "an integer", "date": "a date"}


def schema_rules(table: Table) -> tuple[Rule, ...]:
    """Rules about columns, types and missing values: checked on the values as they came."""
    rules = (rule for column in table.properties for rule in _column_schema(column))
    return (columns_rule(table.names), *rules)


def value_rules(table: Table) -> tuple[Rule, ...]:
    """Rules about values, duplicates, relations and row counts: checked on typed values."""
    key = table.primary_key
    return (
        *([_distinct(key, Threshold(), f"the key {', '.join(key)}")] if key else []),
        *(rule for column in table.properties for rule in _column_values(column, table)),
        *_by_quality("quality", table.quality, lambda each: _table_quality(table, each)),
    )


def _by_quality(
    place: str, asked: Sequence[Quality], compiled: Callable[[Quality], Iterable[Rule]]
) -> Iterator[Rule]:
    """The rules of quality entries, each with its entry's place and severity."""
    for number, quality in enumerate(asked):
        for rule in compiled(quality):
            yield replace(rule, place=f"{place}.{number}", severity=quality.severity)


def _at(place: str, rules: Iterable[Rule]) -> Iterator[Rule]:
    for rule in rules:
        yield replace(rule, place=place)


def raw_columns(needed: Sequence[str]) -> Rule:
    """That a raw file has the columns its ingest step needs."""
    return Rule(
        text=f"the raw columns {', '.join(needed)} are there",
        complaint="columns",
        kind="schema",
        columns=(),
        expectation="expect_table_columns_to_match_set",
        kwargs={"column_set": list(needed), "exact_match": False},
        threshold=None,
    )


def columns_rule(names: Sequence[str]) -> Rule:
    """That the table has these columns and no other."""
    return Rule(
        text=f"the columns are {', '.join(names)}",
        complaint="columns",
        kind="schema",
        columns=(),
        expectation="expect_table_columns_to_match_set",
        kwargs={"column_set": list(names), "exact_match": True},
        threshold=None,
    )


def _column_schema(column: Column) -> Iterator[Rule]:
    name = column.name
    yield from _at(name, (_of_type(column), *_required(column)))
    yield from _by_quality(f"{name}.quality", column.quality, lambda each: _nulls(name, each))


def _of_type(column: Column) -> Rule:
    name, kind = column.name, column.logical_type
    called = ARTICLES.get(kind, f"a {kind}")
    return Rule(
        text=f"`{name}` is {called}",
        complaint=f"values of `{name}` are not {called}",
        kind="schema",
        columns=(name,),
        expectation="expect_column_values_to_be_in_type_list",
        kwargs={"column": name, "type_list": list(TYPES[kind])},
    )


def _required(column: Column) -> Iterator[Rule]:
    if column.required or column.primary_key:
        yield _not_null(column.name, Threshold())


def _nulls(name: str, quality: Quality) -> Iterator[Rule]:
    if quality.type == "library" and quality.metric == "nullValues":
        yield _not_null(name, Threshold.of(quality))


def _not_null(name: str, threshold: Threshold) -> Rule:
    asks = "is not missing" if threshold.is_none else f"is missing in {threshold} rows"
    return Rule(
        text=f"`{name}` {asks}",
        complaint=f"values of `{name}` are missing",
        kind="missing",
        columns=(name,),
        expectation="expect_column_values_to_not_be_null",
        kwargs={"column": name},
        threshold=threshold,
    )


def _distinct(columns: Sequence[str], threshold: Threshold, called: str) -> Rule:
    single = len(columns) == 1
    return Rule(
        text=f"no two rows share {called}" + _allowance(threshold),
        complaint=f"rows share {called} with another",
        kind="duplicates",
        columns=tuple(columns),
        expectation="expect_column_values_to_be_unique"
        if single
        else "expect_compound_columns_to_be_unique",
        kwargs={"column": columns[0]} if single else {"column_list": list(columns)},
        threshold=threshold,
    )


def _allowance(threshold: Threshold) -> str:
    return "" if threshold.is_none else f" (rows that do: {threshold})"


def _column_values(column: Column, table: Table) -> Iterator[Rule]:
    name = column.name
    yield from _at(name, _own_values(column, table.primary_key))
    yield from _by_quality(
        f"{name}.quality", column.quality, lambda each: _column_quality(table, name, each)
    )


def _own_values(column: Column, key: tuple[str, ...]) -> Iterator[Rule]:
    name, options = column.name, column.logical_type_options
    if column.unique and key != (name,):
        yield _distinct((name,), Threshold(), f"`{name}`")
    yield from _range(name, options, time=column.logical_type in TIMES)
    yield from _text_options(name, options)


TIMES = ("timestamp", "date")


def _range(name: str, options: TypeOptions, *, time: bool) -> Iterator[Rule]:
    low = options.exclusive_minimum if options.minimum is None else options.minimum
    high = options.exclusive_maximum if options.maximum is None else options.maximum
    if low is None and high is None:
        return
    strict_low, strict_high = options.minimum is None, options.maximum is None
    words = [
        *([] if low is None else [f"{'above' if strict_low else 'at least'} {low}"]),
        *([] if high is None else [f"{'below' if strict_high else 'at most'} {high}"]),
    ]
    convert = _moment if time else _same
    yield Rule(
        text=f"`{name}` is {' and '.join(words)}",
        complaint=f"values of `{name}` are not {' and '.join(words)}",
        kind="outliers",
        columns=(name,),
        expectation="expect_column_values_to_be_between",
        kwargs={
            "column": name,
            "min_value": convert(low),
            "max_value": convert(high),
            "strict_min": strict_low and low is not None,
            "strict_max": strict_high and high is not None,
        },
    )


def _same(value: Any) -> Any:
    return value


def _moment(value: Any) -> Any:
    import pandas as pd

    return None if value is None else pd.Timestamp(value).to_pydatetime()


def _text_options(name: str, options: TypeOptions) -> Iterator[Rule]:
    if options.pattern is not None:
        yield _pattern(name, options.pattern, Threshold())
    low, high = options.min_length, options.max_length
    if low is not None or high is not None:
        asked = f"from {low or 0} to {'any' if high is None else high} characters long"
        yield Rule(
            text=f"`{name}` is {asked}",
            complaint=f"values of `{name}` are not {asked}",
            kind="outliers",
            columns=(name,),
            expectation="expect_column_value_lengths_to_be_between",
            kwargs={"column": name, "min_value": low, "max_value": high},
        )


def _pattern(name: str, pattern: str, threshold: Threshold) -> Rule:
    return Rule(
        text=f"`{name}` matches {pattern}{_allowance(threshold)}",
        complaint=f"values of `{name}` do not match {pattern}",
        kind="outliers",
        columns=(name,),
        expectation="expect_column_values_to_match_regex",
        kwargs={"column": name, "regex": pattern},
        threshold=threshold,
    )


def _column_quality(table: Table, name: str, quality: Quality) -> Iterator[Rule]:
    if quality.type == "custom":
        yield _custom(quality)
    if quality.type == "sql":
        yield _query(quality, table, name)
    if quality.type != "library" or quality.metric == "nullValues":
        return
    threshold = Threshold.of(quality)
    if quality.metric == "duplicateValues":
        yield _distinct((name,), threshold, f"`{name}`")
    if quality.metric == "rowCount":
        yield _row_count(threshold)
    if quality.metric == "missingValues":
        yield _stand_ins(name, quality.arguments.get("missingValues", []), threshold)
    if quality.metric == "invalidValues" and "validValues" in quality.arguments:
        yield _one_of(name, quality.arguments["validValues"], threshold)
    if quality.metric == "invalidValues" and "pattern" in quality.arguments:
        yield _pattern(name, quality.arguments["pattern"], threshold)


def _one_of(name: str, values: Sequence[Any], threshold: Threshold) -> Rule:
    named = ", ".join(map(str, values))
    return Rule(
        text=f"`{name}` is one of {named}{_allowance(threshold)}",
        complaint=f"values of `{name}` are not one of {named}",
        kind="outliers",
        columns=(name,),
        expectation="expect_column_values_to_be_in_set",
        kwargs={"column": name, "value_set": _alike(values)},
        threshold=threshold,
    )


def _alike(values: Sequence[Any]) -> list[Any]:
    """Whole numbers among others as such: some databases compare no two types."""
    mixed = any(isinstance(value, float) for value in values)
    return [float(v) if mixed and type(v) is int else v for v in values]


def _stand_ins(name: str, values: Sequence[Any], threshold: Threshold) -> Rule:
    """Values that stand for "not measured"; empty ones are what nullValues counts."""
    given = [value for value in values if value is not None]
    named = ", ".join(map(str, given))
    return Rule(
        text=f"`{name}` is not {named}, which stands for a missing value{_allowance(threshold)}",
        complaint=f"values of `{name}` are {named}, which stands for a missing value",
        kind="missing",
        columns=(name,),
        expectation="expect_column_values_to_not_be_in_set",
        kwargs={"column": name, "value_set": _alike(given)},
        threshold=threshold,
    )


def _table_quality(table: Table, quality: Quality) -> Iterator[Rule]:
    if quality.type == "custom":
        yield _custom(quality)
    if quality.type == "sql":
        yield _query(quality, table, "")
    if quality.type != "library":
        return
    if quality.metric == "rowCount":
        yield _row_count(Threshold.of(quality))
    columns = quality.arguments.get("properties", [])
    if quality.metric == "duplicateValues" and columns:
        yield _distinct(columns, Threshold.of(quality), ", ".join(columns))


def _row_count(threshold: Threshold) -> Rule:
    return Rule(
        text=f"the number of rows is {threshold}",
        complaint="rows",
        kind="rows",
        columns=(),
        expectation="expect_table_row_count_to_be_between",
        kwargs={"min_value": 0},
        threshold=threshold,
    )


def _custom(quality: Quality) -> Rule:
    expectation, kwargs = quality.expectation["type"], quality.expectation["kwargs"]
    named = quality.name or expectation
    by_row = expectation.startswith(ROW_BY_ROW)
    whole = not by_row and expectation.startswith("expect_column")
    return Rule(
        text=quality.description or named,
        complaint=f"rows break `{named}`" if by_row else f"`{named}` does not hold",
        kind="distribution" if whole else "relation",
        columns=columns_of(kwargs),
        expectation=expectation,
        kwargs=kwargs,
        threshold=None,
    )


def _query(quality: Quality, table: Table, column: str) -> Rule:
    """A rule that is a query; it may read any column, so all take part."""
    threshold = Threshold.of(quality)
    names = {"table": table.name, "object": table.name, "column": column, "property": column}
    query = PLACEHOLDER.sub(lambda found: quoted(names[found[1]]), quality.query or "")
    named = quality.name or " ".join(query.split())
    return Rule(
        text=f"{quality.description or named} (the query gives {threshold})",
        complaint=f"the query `{named}` has to give {threshold}",
        kind="relation",
        columns=table.names,
        expectation=SQL,
        kwargs={"query": query},
        threshold=threshold,
    )


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def columns_of(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation's arguments name."""
    single = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return (*single, *kwargs.get("column_list", ()))
