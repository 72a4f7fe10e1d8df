"""A contract of features: what it may ask, and what its limits let in."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mlops.data.contract import FeaturesContract, features_path, read_features
from mlops.data.feature_limits import limits_for, limits_of
from mlops.data.validation import validate
from mlops.errors import BadInput
from mlops.repository import Layout
from mlops.scoring.limits import Limits, told
from mlops.tree import WorkTree
from tests.team import ROOT

MODEL = "points"


def layout_of(folder: Path, *properties: dict[str, Any], **more: Any) -> Layout:
    table = {"name": "features", "properties": list(properties), **more}
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "1",
        "name": MODEL,
        "version": "1.0.0",
        "status": "active",
        "schema": [table],
    }
    file = folder / features_path(MODEL)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(contract))
    return Layout(WorkTree(folder))


def feature(**more: Any) -> dict[str, Any]:
    return {"name": "v", "logicalType": "number", **more}


KINDS = [
    feature(required=True, logicalTypeOptions={"exclusiveMinimum": 0, "maximum": 5}),
    feature(name="w", logicalType="integer", logicalTypeOptions={"minimum": -2}),
    feature(
        name="u",
        required=True,
        quality=[{"metric": "invalidValues", "arguments": {"validValues": [1, 2.5]}, "mustBe": 0}],
    ),
]
ODD = st.sampled_from([-np.inf, -3.0, -2.5, -0.0, 0.0, 5e-324, 1.0, 2.5, 5.0, 5.1, np.nan])


def test_the_limits_of_a_feature_are_those_of_its_contract(tmp_path: Path) -> None:
    limits = limits_for(layout_of(tmp_path, *KINDS), MODEL, ("v", "w", "u"))
    assert limits is not None
    assert [str(limit) for limit in limits] == [
        "a number, at least 4.94066e-324, at most 5",
        "a whole number, at least -2 or missing",
        "a number, one of 1, 2.5",
    ]


def test_values_outside_are_told_with_how_many_and_the_worst(tmp_path: Path) -> None:
    contract = read_features(layout_of(tmp_path, *KINDS), MODEL)
    assert contract is not None
    x = np.array([[1, 0, 1], [6, np.nan, 2], [9, 0.5, 2.5], [np.nan, -3, 1], [7, 0, 1], [5, 0, 1]])
    assert told(Limits(limits_of(contract)), x) == [
        (
            "feature `v`: 4 of 6 values are not a number, at least 4.94066e-324, at most 5 "
            "(row 4: missing; row 3: 9; row 5: 7)"
        ),
        (
            "feature `w`: 2 of 6 values are not a whole number, at least -2 or missing "
            "(row 4: -3; row 3: 0.5)"
        ),
        "feature `u`: 1 of 6 values are not a number, one of 1, 2.5 (row 2: 2)",
    ]


@pytest.mark.slow
@settings(max_examples=6, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(st.tuples(ODD, ODD, ODD), min_size=5, max_size=20))
def test_limits_let_in_what_the_contract_s_own_rules_do(rows: list[tuple[float, ...]]) -> None:
    properties = tuple(KINDS)
    contract = contract_of(properties)
    x = np.array(rows)
    x[np.isinf(x)] = -99.0  # a table takes infinity for text that is no number
    outside = ~Limits(limits_of(contract)).inside(x)
    report = validate(contract, pd.DataFrame(x, columns=list(contract.names)))
    for number, name in enumerate(contract.names):
        broken = [each.failing for each in report.failed if each.rule.columns == (name,)]
        assert outside[:, number].any() == bool(sum(broken)), (name, x)
        assert outside[:, number].sum() >= max(broken, default=0)


def contract_of(properties: tuple[dict[str, Any], ...]) -> FeaturesContract:
    return FeaturesContract.model_validate(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": "1",
            "name": MODEL,
            "version": "1.0.0",
            "status": "active",
            "schema": [{"name": "features", "properties": properties}],
        },
        strict=False,
    )


@pytest.mark.parametrize(
    ("properties", "more", "message"),
    [
        ([feature(logicalType="string")], {}, "`features.v` is a string, and features are numbers"),
        ([feature(unique=True)], {}, "`features.v.unique` is about rows, and a feature is alone"),
        (
            [feature(quality=[{"metric": "nullValues", "mustBe": 0}])],
            {},
            "`features.v.quality.0` is not held of features; write `required`, limits, or",
        ),
        (
            [feature()],
            {"quality": [{"metric": "rowCount", "mustBe": 1}]},
            "`features.quality.0` is about rows, and a feature is alone; ask it of the dataset",
        ),
        (
            [feature(), feature(name="w")],
            {},
            "has the features v, w, and COLUMNS of features.py is v; write the same, in one order",
        ),
    ],
)
def test_what_is_not_held_is_refused(
    tmp_path: Path, properties: list[dict[str, Any]], more: dict[str, Any], message: str
) -> None:
    layout = layout_of(tmp_path, *properties, **more)
    with pytest.raises(BadInput) as refused:
        limits_for(layout, MODEL, ("v",))
    assert message in str(refused.value)


def test_a_model_without_a_contract_has_no_limits() -> None:
    assert limits_for(Layout(WorkTree(ROOT)), "none-such", ("v",)) is None


def test_the_contract_of_another_model_is_refused(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, feature())
    file = tmp_path / features_path(MODEL)
    file.write_text(file.read_text().replace(f"name: {MODEL}", "name: other"))
    with pytest.raises(BadInput, match="`name` is 'other' in the file of 'points'"):
        read_features(layout, MODEL)
