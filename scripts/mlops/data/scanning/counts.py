"""How many rows break each rule, in as few passes over as few columns as it takes.

One pass gives the least and the largest value of each column, which show for most rules of good
data that no row breaks them, and counts what has no such proof. Listed words and pairs are looked
up once for each different value. What the least and the largest value do not prove is counted in a
second pass.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.data.rule import Rule
from mlops.data.scanning.conditions import MISSING, NO, broken, ends, grouped
from mlops.data.scanning.figures import Judged, figures
from mlops.data.scanning.relation import CAME, Cell, Relation

Found = int | Judged


@dataclass(frozen=True)
class _Seen:
    """A column: how many values it has, and how many of them are no numbers; its ends."""

    count: int
    nans: int
    least: Any = None
    largest: Any = None


def counted(rules: Sequence[Rule], relation: Relation) -> dict[int, Found]:
    """Of rules of rows how many break them, of rules of a column whether they hold.

    Args:
        rules: of any kind; those of another are left out.
        relation: the rows.

    Returns:
        The figures by the rules' places.
    """
    conditions = {
        place: condition
        for place, rule in enumerate(rules)
        if (condition := broken(rule, relation)) is not None
    }
    needed = {
        place: figure
        for place, rule in enumerate(rules)
        if (figure := figures(rule, relation)) is not None
    }
    found: dict[int, Found] = {place: 0 for place, each in conditions.items() if each == NO}
    left = {place: each for place, each in conditions.items() if place not in found}
    by_value = {place: each for place, each in left.items() if grouped(rules[place], relation)}
    provable = {place for place in left if _is_provable(rules[place], relation)}
    once = {p: each for p, each in left.items() if p not in provable and p not in by_value}
    aggregates = {place: figure.aggregate for place, figure in needed.items() if figure.aggregate}

    columns = sorted({rules[place].columns[0] for place in provable})
    seen, counts, figured = _one_pass(relation, columns, once, aggregates)
    found |= counts
    found |= {place: needed[place].judged([figure]) for place, figure in figured.items()}
    proved = {p for p in provable if _proved(rules[p], relation, seen[rules[p].columns[0]])}
    found |= dict.fromkeys(proved, 0)
    found |= _counts(relation, {place: left[place] for place in sorted(provable - proved)})

    asked: dict[int, tuple[str, ...]] = {place: (each,) for place, each in by_value.items()}
    asked |= {place: figure.conditions for place, figure in needed.items() if figure.conditions}
    for place, totals in _by_value(rules, relation, asked).items():
        found[place] = needed[place].judged(totals) if place in needed else totals[0]
    return found


def _is_provable(rule: Rule, relation: Relation) -> bool:
    return rule.expectation == MISSING or ends(rule, relation) is not None


def _proved(rule: Rule, relation: Relation, column: _Seen) -> bool:
    """Whether what was seen of its column shows that no row breaks a rule."""
    if rule.expectation == MISSING:
        return column.count == relation.rows and not column.nans
    asked = ends(rule, relation)
    return asked is not None and (not column.count or asked.hold(column.least, column.largest))


def _one_pass(
    relation: Relation,
    columns: Sequence[str],
    conditions: Mapping[int, str],
    aggregates: Mapping[int, str],
) -> tuple[dict[str, _Seen], dict[int, int], dict[int, Any]]:
    """What is seen of columns, how many rows meet conditions, and other aggregates."""
    seen = [_sight(relation.cells[name]) for name in columns]
    counts = [_count(condition) for condition in conditions.values()]
    asked = [*(each for one in seen for each in one), *counts, *aggregates.values()]
    values = iter(relation.select(", ".join(asked))[0] if asked else ())
    return (
        {
            name: _Seen(*(next(values) for _ in one))
            for name, one in zip(columns, seen, strict=True)
        },
        {place: next(values) for place in conditions},
        {place: next(values) for place in aggregates},
    )


def _sight(cell: Cell) -> tuple[str, ...]:
    nans = _count(f"isnan({cell.came})") if cell.real else "0"
    if cell.kind in ("string", "boolean"):
        return f"count({cell.came})", nans
    value = cell.value if cell.kind in ("timestamp", "date") else cell.came
    return f"count({cell.came})", nans, f"min({value})", f"max({value})"


def _counts(relation: Relation, conditions: Mapping[int, str]) -> dict[int, int]:
    _, counts, _ = _one_pass(relation, (), conditions, {})
    return counts


def _count(condition: str, of: str = "count(*)") -> str:
    return f"{of} FILTER (WHERE {condition})"


def _by_value(
    rules: Sequence[Rule], relation: Relation, asked: Mapping[int, Sequence[str]]
) -> dict[int, list[int]]:
    """How many rows meet conditions, each asked once of each different value of its columns."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place in asked:
        alike[rules[place].columns].append(place)
    found: dict[int, list[int]] = {}
    for columns, places in alike.items():
        names = ", ".join(relation.cells[name].came for name in columns)
        values = f"(SELECT {names}, count(*) AS n FROM {CAME} GROUP BY {names})"
        sums = [
            f"coalesce({_count(each, 'sum(n)')}, 0)" for place in places for each in asked[place]
        ]
        query = f"SELECT {', '.join(sums)} FROM {values}"
        totals = iter(relation.database.execute(query).fetchone())
        found |= {place: [int(next(totals)) for _ in asked[place]] for place in places}
    return found
