"""The columns' profiles of a file that is too large to load: by DuckDB, in part estimated."""

from mlops.data.profiles import QUANTILES, TOP, Profile, shown
from mlops.data.scanning.relation import CAME, Cell, Relation


def profiles_of(relation: Relation) -> dict[str, Profile]:
    """The profile of each of the contract's columns that are there, by name."""
    return {name: _profile(relation, cell) for name, cell in relation.cells.items()}


def _profile(relation: Relation, cell: Cell) -> Profile:
    missing = f"count(*) FILTER (WHERE {cell.missing})"
    unreadable = f"count(*) FILTER (WHERE {cell.unreadable or 'false'})"
    ordered = cell.kind not in ("string", "boolean")
    # The ends are exact, what is between them is estimated.
    inner = ", ".join(map(str, QUANTILES[1:-1]))
    between = f"min({cell.value}), approx_quantile({cell.value}, [{inner}]), max({cell.value})"
    counted = f"{missing}, {unreadable}, approx_count_distinct({cell.value})"
    ((gone, wrong, distinct, *ends),) = relation.select(
        f"{counted}, {between}" if ordered else counted
    )
    return Profile(
        rows=relation.rows,
        missing=gone,
        unreadable=wrong,
        distinct=distinct,
        quantiles=_quantiles(*ends) if ordered else (),
        top=() if ordered else _top(relation, cell),
        estimated=True,
    )


def _quantiles(least: object, between: list[object] | None, largest: object) -> tuple[str, ...]:
    if least is None:
        return ()
    return tuple(map(shown, (least, *(between or ()), largest)))


def _top(relation: Relation, cell: Cell) -> tuple[tuple[str, int], ...]:
    found = relation.database.execute(
        f"SELECT {cell.came} AS v, count(*) AS n FROM {CAME} WHERE v IS NOT NULL "
        f"GROUP BY v ORDER BY n DESC, v LIMIT {TOP}"
    ).fetchall()
    return tuple((str(value), count) for value, count in found)
