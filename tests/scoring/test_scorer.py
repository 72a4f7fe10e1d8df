"""Scoring: one row alone or among others, only what was asked for by digest."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlops.errors import BadInput
from mlops.repository import Layout
from mlops.scoring import features
from mlops.scoring.scorer import Scorer
from mlops.training.rows import records
from mlops.tree import WorkTree
from tests.team import PROJECT
from tests.training.points import INVALID, MODEL, Candidate, candidate, points

LAYOUT = Layout(WorkTree(PROJECT))
FEATURES = PROJECT / "models" / MODEL / "features.py"


@pytest.fixture
def made(tmp_path: Path) -> Candidate:
    return candidate(LAYOUT, points(days=10), tmp_path)


@pytest.fixture
def folder(made: Candidate, tmp_path: Path) -> Path:
    return tmp_path / made.trained.digest.removeprefix("sha256:")


def test_a_row_alone_scores_as_among_others_bit_for_bit(made: Candidate) -> None:
    asked = records(made.split.holdout, made.scorer.features)
    together = made.scorer.score(asked)
    alone = np.array([made.scorer.score([row])[0] for row in asked])
    assert np.array_equal(together, alone)


def test_a_record_read_from_json_scores_as_the_row_of_the_dataset(made: Candidate) -> None:
    asked = records(made.split.holdout, made.scorer.features)
    sent = [json.loads(row.model_dump_json()) for row in asked]
    received = [made.scorer.features.record.model_validate(row) for row in sent]
    assert np.array_equal(made.scorer.score(asked), made.scorer.score(received))


def test_no_rows_give_no_predictions(made: Candidate) -> None:
    assert made.scorer.score([]).shape == (0,)


def test_an_artifact_opens_by_the_digest_it_has_only(made: Candidate, folder: Path) -> None:
    assert Scorer.open(FEATURES, folder, made.trained.digest).model == MODEL
    wrong = "sha256:" + "0" * 64
    with pytest.raises(BadInput) as raised:
        Scorer.open(FEATURES, folder, wrong)
    assert str(raised.value) == (
        f"{folder}: content is {made.trained.digest}, the release pins {wrong}; "
        "fetch the artifact again; do not serve it"
    )


def test_one_byte_changed_in_the_artifact_is_refused(made: Candidate, folder: Path) -> None:
    text = (folder / "model.txt").read_bytes()
    (folder / "model.txt").write_bytes(text.replace(b"num_class=1", b"num_class=2", 1))
    with pytest.raises(BadInput, match="the release pins"):
        Scorer.open(FEATURES, folder, made.trained.digest)


def test_an_artifact_without_its_card_is_refused(made: Candidate, folder: Path) -> None:
    (folder / "model.json").unlink()
    with pytest.raises(BadInput, match=r"model\.json is missing; fetch the artifact again"):
        Scorer.open(FEATURES, folder, made.trained.digest)


def test_feature_code_other_than_the_one_trained_with_is_refused(
    made: Candidate, folder: Path
) -> None:
    case = INVALID / "model-trained-with-other-features"
    code = features.from_source((case / "features.py").read_bytes(), f"models/{MODEL}/features.py")
    with pytest.raises(BadInput) as raised:
        Scorer.of(code, folder, made.trained.digest)
    assert str(raised.value) == (case / "message.txt").read_text().strip()


def test_features_that_do_not_load_name_the_file_and_the_cause() -> None:
    with pytest.raises(BadInput) as raised:
        features.from_source(b"x = 1 / 0\n", "models/m/features.py")
    assert str(raised.value) == (
        "models/m/features.py: could not be loaded (ZeroDivisionError: division by zero); "
        "correct the file"
    )
    with pytest.raises(BadInput, match="does not define Record, COLUMNS, features; define it"):
        features.from_source(b"x = 1\n", "models/m/features.py")
    with pytest.raises(BadInput, match="file is missing; add it"):
        features.load(Path("no/such/features.py"))


def test_scoring_needs_neither_the_registry_nor_data_frames() -> None:
    run = (
        "import sys, mlops.scoring.scorer; print('mlflow' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
