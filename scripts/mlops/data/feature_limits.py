"""A features contract as the limits that a model's matrix is held to."""

import math
import sys

from mlops.data.contract import Column, FeaturesContract, features_path, read_features
from mlops.data.value import range_of
from mlops.errors import Problem, bad_input
from mlops.repository import Layout
from mlops.scoring.limits import Limit

LARGEST = sys.float_info.max


def limits_for(layout: Layout, model: str, columns: tuple[str, ...]) -> tuple[Limit, ...] | None:
    """The limits of a model's features, in the order of `columns`; None without a contract.

    Args:
        layout: the tree.
        model: the model's name.
        columns: what its feature code gives.

    Raises:
        BadInput: when the contract is wrong, or has other features or another order.
    """
    contract = read_features(layout, model)
    if contract is None:
        return None
    if contract.names != columns:
        what = f"has the features {', '.join(contract.names)}, and COLUMNS of features.py is "
        raise bad_input(contract.path, what + ", ".join(columns), "write the same, in one order")
    return limits_of(contract)


def limits_of(contract: FeaturesContract) -> tuple[Limit, ...]:
    """What a contract lets each feature be, in its order."""
    return tuple(_limit(column) for column in contract.columns)


def without_contract(model: str) -> Problem:
    """That nothing holds a model's features: it is told, and stops nothing."""
    what = "there is none, so no feature is held to anything, in training and in serving"
    return Problem(features_path(model), what, f"run `mlops contract draft {model}`, correct it")


def _limit(column: Column) -> Limit:
    allowed = range_of(column)
    low = -LARGEST if allowed.low is None else float(allowed.low)
    high = LARGEST if allowed.high is None else float(allowed.high)
    listed = [each.arguments["validValues"] for each in column.quality if each.metric]
    common = set(listed[0]).intersection(*listed[1:]) if listed else None
    return Limit(
        feature=column.name,
        low=math.nextafter(low, math.inf) if allowed.strict_low else low,
        high=math.nextafter(high, -math.inf) if allowed.strict_high else high,
        whole=column.logical_type == "integer",
        missing=not column.required,
        listed=None if common is None else tuple(sorted(float(value) for value in common)),
    )
