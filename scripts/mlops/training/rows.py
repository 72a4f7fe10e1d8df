"""A dataset's rows as a model takes them: records in, matrix and target out."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from mlops.errors import BadInput, NotGood, Problem, bad_input
from mlops.scoring.features import Features
from mlops.scoring.limits import Limits, told

if TYPE_CHECKING:
    from pandas import DataFrame, Timestamp


def records(frame: "DataFrame", code: Features) -> list[Any]:
    """The rows as the model's records, in order.

    Raises:
        BadInput: when the dataset lacks a field of Record, or a row is not a valid one.
    """
    fields = list(code.record.model_fields)
    if missing := [field for field in fields if field not in frame.columns]:
        what = f"Record has {', '.join(missing)}, the dataset's columns are "
        fix = "correct the field, or add the column to the dataset"
        raise bad_input(code.path, what + ", ".join(map(str, frame.columns)), fix)
    wanted = frame[fields]
    # A missing value is None, as in a request's JSON.
    plain = wanted.astype(object).where(wanted.notna(), None)
    valid = code.record.model_validate
    try:
        return [valid(row) for row in plain.to_dict("records")]
    except ValidationError as error:
        raise BadInput(
            Problem(
                code.path,
                f"a row of the dataset is no valid Record: {entry['loc'][0]} is "
                f"{entry['input']!r}: {entry['msg']}",
                "widen the field, or correct the dataset's contract",
            )
            for entry in error.errors()
        ) from error


def matrix(rows: list[Any], code: Features) -> NDArray[np.float64]:
    """Feature values, shape (rows, columns)."""
    values = [code.row(row) for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(values), len(code.columns))


def hold(limits: Limits, x: NDArray[np.float64], model: str, rows: str) -> None:
    """Refuse feature values outside the limits of the features' contract.

    Args:
        x: feature values, shape (rows, columns).
        rows: what rows they are, for the message.

    Raises:
        NotGood: with a problem for each feature: how many values of how many, and the worst.
    """
    if found := told(limits, x):
        fix = "correct features.py or the data, or widen the contract if the values are right"
        path = f"models/{model}/features.odcs.yaml"
        raise NotGood(Problem(path, f"in {rows}, {each}", fix) for each in found)


def targets(frame: "DataFrame", column: str) -> NDArray[np.float64]:
    """The target, shape (rows,)."""
    return frame[column].to_numpy(dtype=np.float64)


def moment(value: "Timestamp") -> str:
    """A row's moment, ISO 8601."""
    return value.isoformat()
