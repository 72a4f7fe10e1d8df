"""What makes a row break a rule, in SQL.

A rule is compiled only when SQL says the same as Great Expectations does; arguments that are not
known here (`mostly`, `row_condition` ...) leave the rule to that.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.data.rule import Rule
from mlops.data.rules import TYPES
from mlops.data.scanning.literals import literal, literals, text
from mlops.data.scanning.patterns import translated
from mlops.data.scanning.relation import Cell, Relation

Compiled = str | None
NO = "false"


MISSING = "expect_column_values_to_not_be_null"
BETWEEN = "expect_column_values_to_be_between"
IN_SET = "expect_column_values_to_be_in_set"
PAIR_IN_SET = "expect_column_pair_values_to_be_in_set"


@dataclass(frozen=True)
class Ends:
    """What the values of a column have to lie between."""

    low: Any
    high: Any
    strict_low: bool = False
    strict_high: bool = False

    def hold(self, least: Any, largest: Any) -> bool:
        """Whether they lie there, given the least and the largest."""
        above = self.low is None or (least > self.low if self.strict_low else least >= self.low)
        if self.high is None:
            return bool(above)
        below = largest < self.high if self.strict_high else largest <= self.high
        return bool(above and below)


def ends(rule: Rule, relation: Relation) -> Ends | None:
    """The ends between which a rule of rows, that compiles, wants its column; None without."""
    asked = rule.kwargs
    if rule.expectation == BETWEEN:
        strict = (bool(asked.get("strict_min")), bool(asked.get("strict_max")))
        return Ends(asked.get("min_value"), asked.get("max_value"), *strict)
    if rule.expectation != IN_SET or relation.cells[rule.columns[0]].kind != "integer":
        return None
    values = sorted(set(asked["value_set"]))
    whole = values == list(range(int(values[0]), int(values[0]) + len(values)))
    return Ends(values[0], values[-1]) if whole else None


def grouped(rule: Rule, relation: Relation) -> bool:
    """Whether a rule is asked of each different value once: of listed words, and listed pairs."""
    words = rule.expectation == IN_SET and relation.cells[rule.columns[0]].kind == "string"
    return words or rule.expectation == PAIR_IN_SET


def broken(rule: Rule, relation: Relation) -> Compiled:
    """A condition that holds for the rows that break a rule; None when there is none.

    It may be null, too, for rows that do not.

    Args:
        rule: judges each row by itself.
        relation: has all columns of the rule.
    """
    known = CONDITIONS.get(rule.expectation)
    if known is None:
        return None
    compiled, arguments = known
    if not set(rule.kwargs) <= arguments or len(rule.columns) not in (1, 2):
        return None
    return compiled(rule.kwargs, [relation.cells[name] for name in rule.columns])


def excess(rule: Rule, relation: Relation) -> str | None:
    """How far a row's number is outside its range, in SQL; None for all else."""
    if rule.expectation != BETWEEN:
        return None
    cell = relation.cells[rule.columns[0]]
    given = (rule.kwargs.get("min_value"), rule.kwargs.get("max_value"))
    if cell.kind not in ("integer", "number"):
        return None
    low, high = (None if end is None else literal(end, cell.kind) for end in given)
    value = f"({cell.value})::DOUBLE"
    gaps = [*([f"{low} - {value}"] if low else []), *([f"{value} - {high}"] if high else [])]
    return f"greatest(0, {', '.join(gaps)})"


def _missing(_: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    return cells[0].missing


def _of_type(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    if list(asked["type_list"]) != list(TYPES[cells[0].kind]):
        return None
    return cells[0].unreadable or NO


def _outside(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    (cell,) = cells
    low, high = asked.get("min_value"), asked.get("max_value")
    given = literals([end for end in (low, high) if end is not None], cell.kind)
    if given is None or cell.kind in ("string", "boolean"):
        return None
    below = "<=" if asked.get("strict_min") else "<"
    above = ">=" if asked.get("strict_max") else ">"
    parts = [
        *([f"({cell.value}) {below} {given[0]}"] if low is not None else []),
        *([f"({cell.value}) {above} {given[-1]}"] if high is not None else []),
    ]
    return " OR ".join(parts)


def _not_in(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    values = literals(asked.get("value_set") or (), cells[0].kind)
    return None if values is None else f"({cells[0].value}) NOT IN ({', '.join(values)})"


def _in(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    values = literals(asked.get("value_set") or (), cells[0].kind)
    return None if values is None else f"({cells[0].value}) IN ({', '.join(values)})"


def _no_match(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    found = _match(asked, cells)
    return found and f"NOT regexp_matches({found})"


def _a_match(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    found = _match(asked, cells)
    return found and f"regexp_matches({found})"


def _match(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    pattern = translated(asked["regex"]) if cells[0].kind == "string" else None
    return None if pattern is None else f"{cells[0].value}, {text(pattern)}"


def _length(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    (cell,) = cells
    low, high = asked.get("min_value"), asked.get("max_value")
    given = literals([end for end in (low, high) if end is not None], "integer")
    if given is None or cell.kind != "string":
        return None
    parts = [
        *([f"length({cell.value}) < {given[0]}"] if low is not None else []),
        *([f"length({cell.value}) > {given[-1]}"] if high is not None else []),
    ]
    return " OR ".join(parts)


def _pair_not_in(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    one, other = cells
    second: dict[str, list[str]] = defaultdict(list)
    for pair in asked.get("value_pairs_set") or ():
        if len(pair) != 2:
            return None
        a, b = literal(pair[0], one.kind), literal(pair[1], other.kind)
        if a is None or b is None:
            return None
        second[a].append(b)
    if not second:
        return None
    listed = " OR ".join(
        f"(({one.value}) = {a} AND ({other.value}) IN ({', '.join(b)}))" for a, b in second.items()
    )
    return f"({_one_is_there(cells)} AND NOT coalesce({listed}, false))"


def _not_above(asked: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    return _compared(cells, ">=" if asked.get("or_equal") else ">")


def _not_equal(_: Mapping[str, Any], cells: Sequence[Cell]) -> Compiled:
    return _compared(cells, "=")


def _compared(cells: Sequence[Cell], operator: str) -> Compiled:
    """Rows of which both values are missing are left out; with one missing nothing holds."""
    one, other = cells
    if not _comparable(one, other):
        return None
    holds = f"coalesce(({one.value}) {operator} ({other.value}), false)"
    return f"({_one_is_there(cells)} AND NOT {holds})"


def _comparable(one: Cell, other: Cell) -> bool:
    groups = ({"integer", "number"}, {"timestamp", "date"}, {"string"}, {"boolean"})
    return any({one.kind, other.kind} <= group for group in groups)


def _one_is_there(cells: Sequence[Cell]) -> str:
    return "(" + " OR ".join(f"({cell.value}) IS NOT NULL" for cell in cells) + ")"


Compiler = Callable[[Mapping[str, Any], Sequence[Cell]], Compiled]
RANGE = ("column", "min_value", "max_value", "strict_min", "strict_max")
PAIR = ("column_A", "column_B")
CONDITIONS: Mapping[str, tuple[Compiler, frozenset[str]]] = {
    name: (compiler, frozenset(arguments))
    for name, compiler, arguments in (
        (MISSING, _missing, ("column",)),
        ("expect_column_values_to_be_in_type_list", _of_type, ("column", "type_list")),
        (BETWEEN, _outside, RANGE),
        (IN_SET, _not_in, ("column", "value_set")),
        ("expect_column_values_to_not_be_in_set", _in, ("column", "value_set")),
        ("expect_column_values_to_match_regex", _no_match, ("column", "regex")),
        ("expect_column_values_to_not_match_regex", _a_match, ("column", "regex")),
        (
            "expect_column_value_lengths_to_be_between",
            _length,
            ("column", "min_value", "max_value"),
        ),
        (PAIR_IN_SET, _pair_not_in, (*PAIR, "value_pairs_set")),
        ("expect_column_pair_values_a_to_be_greater_than_b", _not_above, (*PAIR, "or_equal")),
        ("expect_column_pair_values_to_be_equal", _not_equal, PAIR),
    )
}
"""By Great Expectations' name: how it is compiled, and the arguments that are known."""
