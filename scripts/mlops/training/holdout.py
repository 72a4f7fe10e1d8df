"""The split by time: the newest days are kept for evaluation, training sees only older rows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops import digests
from mlops.errors import BadInput, Problem, bad_input
from mlops.repository import Layout, Repository
from mlops.specs.model import Model

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Split:
    """Rows to train on, later rows to evaluate on, and the digest of the latter's content."""

    train: "DataFrame"
    holdout: "DataFrame"
    digest: str


def split(repo: Repository, layout: Layout, model: str) -> Split:
    """The dataset version that a tree pins for a model, split as its model.yaml says.

    Raises:
        BadInput: when the pin is missing, the content differs from it, or a column is missing.
    """
    from mlops.data.pin import fetch, read_pin
    from mlops.data.table import load

    spec = layout.model(model)
    return split_rows(spec, load(fetch(repo, read_pin(layout, spec.data.dataset))))


def split_rows(spec: Model, rows: "DataFrame") -> Split:
    """Rows of a dataset, split: the last `holdout_days` calendar days are the holdout.

    Raises:
        BadInput: when columns that model.yaml names are missing or no row is left to train on.
    """
    import pandas

    check_columns(spec, rows)
    ordered = rows.sort_values(spec.data.time, kind="stable", ignore_index=True)
    moments = ordered[spec.data.time]
    days = pandas.Timedelta(days=spec.data.holdout_days - 1)
    start = moments.iloc[-1].normalize() - days
    older = moments < start
    if not older.any():
        raise bad_input(
            f"models/{spec.model}/model.yaml",
            f"`data.holdout_days` is {spec.data.holdout_days}, and dataset {spec.data.dataset} "
            f"starts on {moments.iloc[0].date()} and ends on {moments.iloc[-1].date()}",
            "lower it, or ingest more data",
        )
    holdout = ordered[~older].reset_index(drop=True)
    return Split(ordered[older].reset_index(drop=True), holdout, digest_of_rows(holdout))


def check_columns(spec: Model, rows: "DataFrame") -> None:
    """Raise `BadInput` for every column that model.yaml names and the dataset lacks."""
    named = {
        "data.target": (spec.data.target,),
        "data.time": (spec.data.time,),
        "baseline.group_by": spec.baseline.group_by,
        "evaluation.block": (spec.evaluation.block,) if spec.evaluation.block else (),
        "evaluation.slices": spec.evaluation.slices,
        "gates.slices": tuple(gate.column for gate in spec.gates.slices),
    }
    problems = [
        Problem(
            f"models/{spec.model}/model.yaml",
            f"`{key}` names {column}, which dataset {spec.data.dataset} does not have",
            f"name one of {', '.join(map(str, rows.columns))}",
        )
        for key, columns in named.items()
        for column in columns
        if column not in rows.columns
    ]
    if problems:
        raise BadInput(problems)
    import pandas

    if not pandas.api.types.is_datetime64_any_dtype(rows[spec.data.time]):
        raise bad_input(
            f"models/{spec.model}/model.yaml",
            f"`data.time` names {spec.data.time}, which holds {rows[spec.data.time].dtype}",
            "name a column of moments",
        )


def digest_of_rows(rows: "DataFrame") -> str:
    """Digest of the rows' content: column names and values, in order."""
    import pandas

    columns = {}
    for name in rows.columns:
        values = rows[name]
        if pandas.api.types.is_datetime64_any_dtype(values):
            values = values.map(lambda moment: moment.isoformat(), na_action="ignore")
        columns[str(name)] = values.astype(object).where(values.notna(), None).to_list()
    return digests.of_json(columns)
