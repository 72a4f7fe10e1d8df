"""A model with a contract of its features: rows that break it are refused, wherever they come."""

import json
import shutil
from pathlib import Path

import pytest

from mlops.cli import run
from mlops.data.contract import features_path, read_features
from mlops.errors import BadInput, Exit, NotGood
from mlops.repository import Layout
from mlops.scoring import artifact
from mlops.training import training
from mlops.training.evaluation import measure_rows
from mlops.training.features_draft import drafted, write_draft
from mlops.tree import WorkTree
from tests.team import PROJECT, Team
from tests.training.points import MODEL, candidate, pin, points

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 0c4f4f6e-51b7-4d38-93c4-4f1a7b8b7d10
name: toy-line
version: 1.0.0
status: active
description: {purpose: Points.}
schema:
  - name: features
    logicalType: object
    properties:
      - {name: x, logicalType: number, required: true, logicalTypeOptions: {maximum: 10}}
      - {name: is_right, logicalType: integer, required: true}
"""
INPUTS = "sha256:" + "0" * 64
FIX = "correct features.py or the data, or widen the contract if the values are right"


def with_contract(folder: Path, text: str = CONTRACT) -> Layout:
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    (folder / features_path(MODEL)).write_text(text)
    return Layout(WorkTree(folder))


def test_rows_that_break_it_are_not_trained_on(tmp_path: Path) -> None:
    layout = with_contract(tmp_path, CONTRACT.replace("maximum: 10", "maximum: 9.9"))
    rows = points()
    with pytest.raises(NotGood) as refused:
        training.fit(layout, MODEL, rows)
    (problem,) = refused.value.problems
    over = rows["x"][rows["x"] > 9.9]
    worst = over.sort_values(ascending=False, kind="stable")
    named = "; ".join(f"row {at + 1}: {value:g}" for at, value in worst.iloc[:3].items())
    assert str(problem) == (
        f"models/toy-line/features.odcs.yaml: in the rows to train on, feature `x`: {len(over)} of "
        f"480 values are not a number, at most 9.9 ({named}); {FIX}"
    )


def test_rows_that_break_it_are_not_evaluated_on(tmp_path: Path) -> None:
    layout = with_contract(tmp_path / "tree")
    made = candidate(layout, points(), tmp_path)
    spec, split = layout.model(MODEL), made.split
    measure_rows(spec, split, made.scorer, INPUTS)
    split.holdout.loc[3, "x"] = 11.0
    with pytest.raises(NotGood, match="in the rows to evaluate on, feature `x`: 1 of 96 values"):
        measure_rows(spec, split, made.scorer, INPUTS)


def test_the_limits_are_part_of_the_artifact_and_only_where_there_is_a_contract(
    tmp_path: Path,
) -> None:
    bare = candidate(Layout(WorkTree(PROJECT)), points(), tmp_path)
    assert "limits" not in json.loads(bare.trained.files[artifact.CARD_FILE])
    held = candidate(with_contract(tmp_path / "tree"), points(), tmp_path)
    assert bare.trained.digest != held.trained.digest
    assert held.scorer.limits is not None
    assert [each.feature for each in held.scorer.limits.each] == ["x", "is_right"]


def test_limits_are_inputs_of_training_and_words_are_not(team: Team) -> None:
    pin(team, points(days=8))

    def inputs(text: str | None) -> str:
        if text:
            team.write(features_path(MODEL), text)
        return training.inputs_of(team.repo, MODEL)

    wider = CONTRACT.replace("maximum: 10", "maximum: 11")
    words = CONTRACT.replace("Points.", "Points on a line.").replace("1.0.0", "1.0.1")
    found = [inputs(text) for text in (None, CONTRACT, wider, words)]
    assert len(set(found)) == 3
    assert found[1] == found[3]


def test_a_draft_holds_the_rows_it_was_made_from_and_is_not_written_over(team: Team) -> None:
    pin(team, points())
    path = write_draft(team.repo, MODEL, drafted(team.repo, MODEL))
    contract = read_features(team.repo, MODEL)
    assert contract is not None
    kinds = [(each.name, each.logical_type, each.required) for each in contract.columns]
    assert kinds == [("x", "number", True), ("is_right", "integer", True)]
    assert training.train(team.repo, team.repo, MODEL).rows == 384
    with pytest.raises(BadInput, match=f"{path}: is there already; correct it, or remove it"):
        write_draft(team.repo, MODEL, "")


def test_a_model_without_one_is_told_so_once_with_the_way_out(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pin(team, points())
    monkeypatch.chdir(team.root)
    assert run(["train", MODEL]) == Exit.DONE
    told = (
        "models/toy-line/features.odcs.yaml: there is none, so no feature is held to anything, in "
        "training and in serving; run `mlops contract draft toy-line`, correct it\n"
    )
    assert capsys.readouterr().err.count(told) == 1
    assert run(["contract", "draft", MODEL]) == Exit.DONE
    assert run(["contract", "check", features_path(MODEL)]) == Exit.DONE
    assert "training holds the features to it" in capsys.readouterr().out
