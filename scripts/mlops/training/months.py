"""How a model does month by month, also on rows that came after it was trained."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops.data.drift import drift
from mlops.scoring.scorer import Scorer
from mlops.specs.evidence import Drift
from mlops.specs.model import Model
from mlops.training.metrics import values
from mlops.training.rows import moment, records, targets

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Month:
    """A month of rows.

    Attributes:
        month: `YYYY-MM`.
        rows: how many.
        trained_on: how many of them the model was trained on.
        metrics: on all of them.
        drift: of its columns against the rows the model was trained on.
    """

    month: str
    rows: int
    trained_on: int
    metrics: dict[str, float]
    drift: tuple[Drift, ...]


def by_month(spec: Model, rows: "DataFrame", scorer: Scorer) -> list[Month]:
    """Each calendar month of the rows, in order."""
    moments = rows[spec.data.time].map(moment)
    start, end = scorer.card.trained_from or "", scorer.card.trained_until or ""
    trained = rows[(moments >= start) & (moments <= end)]
    months = rows.groupby(rows[spec.data.time].dt.strftime("%Y-%m"))
    return [_month(spec, str(name), month, trained, scorer) for name, month in months]


def _month(
    spec: Model, name: str, rows: "DataFrame", trained: "DataFrame", scorer: Scorer
) -> Month:
    scored = scorer.score(records(rows, scorer.features))
    columns = tuple(scorer.features.record.model_fields)
    return Month(
        month=name,
        rows=len(rows),
        trained_on=len(rows.index.intersection(trained.index)),
        metrics=values(spec.task, targets(rows, spec.data.target), scored),
        drift=drift(trained, rows, columns) if len(trained) else (),
    )
