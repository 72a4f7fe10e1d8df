"""Training: the same inputs give the same model, whatever else differs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops.errors import BadInput
from mlops.repository import Layout
from mlops.scoring import artifact
from mlops.sources import EVALUATION_CODE, TRAINING_CODE, tool_code
from mlops.training import training
from mlops.tree import WorkTree
from tests.elsewhere import elsewhere
from tests.team import PROJECT, ROOT, Team, make_team
from tests.training.points import MODEL, candidate, pin, points

LAYOUT = Layout(WorkTree(PROJECT))


def trained_in_fresh_process(team: Team, **environment: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mlops", "train", MODEL, "--json"],
        cwd=team.root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_training_twice_gives_the_same_digest_in_other_folders_clocks_and_hash_seeds(
    tmp_path: Path,
) -> None:
    one, other = make_team(tmp_path / "one"), make_team(tmp_path / "another" / "place")
    for team in (one, other):
        pin(team, points())
        team.commit("Data")
    first = trained_in_fresh_process(one, PYTHONHASHSEED="1", TZ="UTC")
    second = trained_in_fresh_process(other, **elsewhere(tmp_path))
    keys = ("digest", "inputs", "version", "rows")
    assert [first[key] for key in keys] == [second[key] for key in keys]


def test_a_commit_and_the_work_tree_train_the_same_model(team: Team) -> None:
    pin(team, points())
    repo = team.repo
    team.commit("Data")
    here, committed = (training.train(repo, tree, MODEL) for tree in (repo, repo.commit("HEAD")))
    assert here.digest == committed.digest


def test_training_does_not_see_the_holdout(team: Team) -> None:
    rows = points()
    pin(team, rows)
    before = training.train(team.repo, team.repo, MODEL)
    rows.loc[rows.index[-4 * 24 :], "y"] = 50.0
    pin(team, rows)
    assert training.train(team.repo, team.repo, MODEL).digest == before.digest
    rows.loc[rows.index[-4 * 24 - 1], "y"] = 50.0
    pin(team, rows)
    assert training.train(team.repo, team.repo, MODEL).digest != before.digest


def test_the_order_of_the_rows_has_no_say(tmp_path: Path) -> None:
    rows = points()
    one = candidate(LAYOUT, rows, tmp_path)
    other = candidate(LAYOUT, rows.sample(frac=1, random_state=1), tmp_path)
    assert one.trained.digest == other.trained.digest


def test_the_artifact_says_what_it_was_trained_on_and_nothing_of_the_machine(
    tmp_path: Path,
) -> None:
    made = candidate(LAYOUT, points(), tmp_path)
    card = json.loads(made.trained.files[artifact.CARD_FILE])
    assert card["trained_from"] == "2024-01-01T00:00:00"
    assert card["trained_until"] == "2024-01-16T23:00:00"
    text = made.trained.files[artifact.MODEL_FILE].decode()
    assert text.startswith("tree\n")
    for word in ("num_threads", "parameters", "local_listen_port", str(ROOT), str(tmp_path)):
        assert word not in text


def test_a_model_predicts_the_same_without_its_settings(tmp_path: Path) -> None:
    import lightgbm
    import numpy as np

    x = np.random.default_rng(1).random((200, 2))
    settings = {"verbosity": -1, "objective": "poisson"}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, x.sum(axis=1)), 20)
    text = booster.model_to_string()
    short = training.without_settings(text)
    assert len(short) < len(text)
    assert np.array_equal(lightgbm.Booster(model_str=short).predict(x), booster.predict(x))
    assert training.without_settings(short) == short


def test_the_inputs_name_all_code_of_the_tool_that_training_runs() -> None:
    """Modules that training imports are inputs, or only read files, tell of it, report errors."""
    run = (
        "import sys, mlops.training.training, mlops.data.table;"
        "print(*sorted(m for m in sys.modules if m.startswith('mlops.')))"
    )
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    named = {
        path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        for path in tool_code(TRAINING_CODE)
    }
    without_a_say = {
        "mlops.data", "mlops.data.contract", "mlops.training",
        "mlops.errors", "mlops.files", "mlops.git", "mlops.lineage", "mlops.lineage.told",
        "mlops.lock", "mlops.locks",
        "mlops.repository", "mlops.sources", "mlops.tree",
    }  # fmt: skip
    used = {name for name in done.stdout.split() if not name.startswith("mlops.specs")}
    assert used - without_a_say <= named


def test_a_gate_changed_in_the_tool_is_no_input_of_training_but_of_evaluation() -> None:
    assert "mlops/training/gates.py" not in tool_code(TRAINING_CODE)
    assert "mlops/training/gates.py" in tool_code(EVALUATION_CODE)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "model.yaml",
            "target: y",
            "target: z",
            (
                "models/toy-line/model.yaml: `data.target` names z, which dataset toy-points does not "
                "have; name one of moment, x, side, y"
            ),
        ),
        (
            "model.yaml",
            "time: moment",
            "time: x",
            (
                "models/toy-line/model.yaml: `data.time` names x, which holds float64; "
                "name a column of moments"
            ),
        ),
        (
            "features.py",
            "    x: float\n",
            "    x: float\n    z: float\n",
            (
                "models/toy-line/features.py: Record has z, the dataset's columns are "
                "moment, x, side, y; correct the field, or add the column to the dataset"
            ),
        ),
        (
            "features.py",
            "COLUMNS",
            "NAMES",
            "models/toy-line/features.py: does not define COLUMNS; define it",
        ),
        (
            "features.py",
            '"left", "right"',
            '"left", "up"',
            (
                "models/toy-line/features.py: a row of the dataset is no valid Record: side is "
                "'right': Input should be 'left' or 'up'; widen the field, or correct the dataset's "
                "contract"
            ),
        ),
        (
            "train.py",
            "def train(",
            "def fit(",
            "models/toy-line/train.py: does not define train; define it",
        ),
        (
            "train.py",
            "import lightgbm",
            "import no_such_library",
            (
                "models/toy-line/train.py: could not be loaded (ModuleNotFoundError: No module named "
                "'no_such_library'); correct the file"
            ),
        ),
    ],
)
def test_a_model_whose_files_do_not_fit_is_refused_with_the_way_out(
    team: Team, file: str, old: str, new: str, message: str
) -> None:
    path = f"models/{MODEL}/{file}"
    text = (team.root / path).read_text()
    assert old in text
    pin(team, points(days=8))
    team.write(path, text.replace(old, new))
    with pytest.raises(BadInput) as raised:
        training.train(team.repo, team.repo, MODEL)
    assert str(raised.value).splitlines()[0] == message
