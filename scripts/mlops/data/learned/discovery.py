"""What holds in a reference beyond single columns: what goes together, what follows from what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlops.data.learned.columns import WEEK_HOUR, Looked
from mlops.data.learned.figures import different
from mlops.data.learned.model import Bins, Fit, Together
from mlops.data.rules import quoted

if TYPE_CHECKING:
    import numpy as np

MOST_GROUPS = 20_000
"""Values of a column that others may hang on: more of them nobody would review."""
LEAST_ROWS = 5
"""Rows of a value on average: with fewer, columns go together by chance."""
MOST_CATEGORIES = 50
PARTS = 10
CLOSE, EXACT = 0.8, 1 - 1e-9
"""Of a number's variance, what others have to explain for a fit, and for a sum."""


@dataclass(frozen=True)
class Groups:
    """Columns that others may hang on, with how many values each has in a period."""

    counts: Mapping[str, int]
    rows: int

    def hold(self, name: str) -> bool:
        """Whether a column has few enough values, with enough rows each."""
        many = self.counts[name]
        return 2 <= many <= MOST_GROUPS and many * LEAST_ROWS <= self.rows


def groups(opened: Any, columns: Sequence[Looked]) -> Groups:
    """How many different values the columns have in the table `batch`."""
    asked = [each.name for each in columns if each.own or each.name.startswith(WEEK_HOUR)]
    counted = ", ".join(f"count(DISTINCT {quoted(name)})" for name in asked)
    query = f"SELECT count(*), {counted} FROM batch"
    ((rows, *counts),) = opened.execute(query).fetchall()
    return Groups(dict(zip(asked, counts, strict=True)), rows)


def together(opened: Any, columns: Sequence[Looked], counted: Groups) -> tuple[Together, ...]:
    """Functional dependencies that hold in the table `batch`, without those that say it again."""
    own = [each.name for each in columns if each.own and counted.counts[each.name] > 1]
    held = {
        of: frozenset(_held(opened, of, [name for name in own if name != of]))
        for of in counted.counts
        if counted.hold(of)
    }
    return tuple(
        Together(of=of, columns=tuple(name for name in own if name in held[of]))
        for of in held
        if held[of] and not _said(of, held)
    )


def _held(opened: Any, of: str, others: Sequence[str]) -> list[str]:
    found = different(opened, of, others) if others else ()
    return [name for name, count in zip(others, found, strict=True) if count == 0]


def _said(of: str, held: Mapping[str, frozenset[str]]) -> bool:
    """Whether an earlier column is the same but for its name: each hangs on the other."""
    earlier = list(held)[: list(held).index(of)]
    return any(of in held[other] and other in held[of] for other in earlier)


def fits(sample: Mapping[str, "np.ndarray"]) -> tuple[Fit, ...]:
    """Numbers that follow from one or two others, by least squares on a sample of rows.

    Args:
        sample: values by column, without missing ones, all of the same rows.
    """
    tried = (_fit(name, sample) for name in sample)
    return tuple(found for found in tried if found is not None)


def _fit(name: str, sample: Mapping[str, "np.ndarray"]) -> Fit | None:
    y = sample[name]
    if not len(y) or y.std() == 0:
        return None
    by: list[str] = []
    for _ in range(2):
        others = [other for other in sample if other not in (name, *by)]
        if not others or (by and _explained(y, [sample[each] for each in by]) > EXACT):
            break
        by.append(max(others, key=lambda o: _explained(y, [sample[each] for each in (*by, o)])))
    share = _explained(y, [sample[each] for each in by])
    if share < CLOSE:
        return None
    constant, *weights = (float(f"{w:.4g}") for w in _least_squares(y, [sample[e] for e in by]))
    ratio = y.min() >= 0 and share <= EXACT and not _is_even(y)
    return Fit(
        column=name,
        by=tuple(by),
        weights=tuple(weights),
        constant=constant if abs(constant) > 1e-6 else 0.0,
        ratio_from=float(f"{y[y > 0].mean():.3g}") if ratio else None,
    )


def _is_even(y: "np.ndarray") -> bool:
    """Whether values lie around their mean: a difference says more of them than a ratio."""
    return bool(y.std() < y.mean())


def _least_squares(y: "np.ndarray", by: Sequence["np.ndarray"]) -> "np.ndarray":
    import numpy as np

    matrix = np.column_stack([np.ones(len(y)), *by])
    found: np.ndarray = np.linalg.lstsq(matrix, y, rcond=None)[0]
    return found


def _explained(y: "np.ndarray", by: Sequence["np.ndarray"]) -> float:
    import numpy as np

    constant, *weights = _least_squares(y, by)
    left = y - constant - sum(w * x for w, x in zip(weights, by, strict=True))
    return 1 - float(np.var(left) / np.var(y))


def bins(opened: Any, table: str, columns: Sequence[Looked]) -> dict[str, Bins]:
    """Parts of the columns' distributions in a sample of the reference.

    Numbers: tenths, fewer where many rows have one value. Text of few values: each of them.
    """
    found = {}
    for each in columns:
        made = None
        if each.own and each.sort == "number":
            made = _tenths(opened, table, quoted(each.name))
        if each.own and each.sort == "text":
            made = _values(opened, table, quoted(each.name))
        if made is not None:
            found[each.name] = made
    return found


def _tenths(opened: Any, table: str, x: str) -> Bins | None:
    at = [n / PARTS for n in range(1, PARTS)]
    query = f"SELECT quantile_disc({x}, {at}), max({x}) FROM {table}"
    ((cuts, most),) = opened.execute(query).fetchall()
    if cuts is None:
        return None
    edges = sorted({float(cut) for cut in cuts} - {float(most)})
    if not edges:
        return None
    counts = ", ".join(f"avg(CAST({x} <= {edge!r} AS INT))" for edge in edges)
    query = f"SELECT {counts} FROM {table} WHERE {x} IS NOT NULL"
    (below,) = opened.execute(query).fetchall()
    ends = [0.0, *below, 1.0]
    shares = tuple(round(high - low, 4) for low, high in pairwise(ends))
    return Bins(edges=tuple(edges), shares=shares)


def _values(opened: Any, table: str, x: str) -> Bins | None:
    counted = opened.execute(
        f"SELECT {x}, count(*) FROM {table} WHERE {x} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 1 LIMIT {MOST_CATEGORIES + 1}"
    ).fetchall()
    if not 1 <= len(counted) <= MOST_CATEGORIES:
        return None
    rows = sum(count for _, count in counted)
    return Bins(
        values=tuple(str(value) for value, _ in counted),
        shares=tuple(round(count / rows, 4) for _, count in counted),
    )
