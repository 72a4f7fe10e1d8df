"""Batch scoring: the same rows and model give the same file, which says whose it is."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlops.cli import run
from mlops.errors import Exit
from tests.data.test_ingest import JANUARY, ingested
from tests.team import Team

pytestmark = pytest.mark.slow


@pytest.fixture
def trained(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(team.root)
    ingested(team, JANUARY)
    assert run(["train", "toy-line"]) == Exit.DONE
    return team


def test_rows_of_a_file_get_the_predictions_that_the_newest_days_got(
    trained: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", "toy-line"]) == Exit.DONE
    (file,) = (trained.stores / "predictions/toy-line").glob("*.parquet")
    newest = pq.read_table(file)
    assert newest.schema.metadata[b"mlops.model"] == b"toy-line"
    assert newest.schema.metadata[b"mlops.model.digest"].startswith(b"sha256:")

    from mlops.training.holdout import split

    rows = split(trained.repo, trained.repo, "toy-line").holdout.drop(columns="y")
    for suffix, write in ((".parquet", rows.to_parquet), (".csv", rows.to_csv)):
        given, to = Path(f"given{suffix}"), Path(f"predicted{suffix}.parquet")
        write(given, index=False)
        assert run(["score", "toy-line", "--rows", str(given), "--to", str(to)]) == Exit.DONE
        found = pq.read_table(to).to_pandas()
        assert found["prediction"].tolist() == newest.to_pandas()["prediction"].tolist()
    before = file.read_bytes()
    file.unlink()
    assert run(["score", "toy-line"]) == Exit.DONE
    assert file.read_bytes() == before
    assert "96 rows predicted" in capsys.readouterr().out


def test_features_outside_their_contract_are_predicted_and_told(
    trained: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("odd.csv").write_text("x,side\n1,left\n101,left\n102,right\n")
    assert run(["score", "toy-line", "--rows", "odd.csv", "--to", "odd.parquet"]) == Exit.DONE
    assert pq.read_table("odd.parquet").num_rows == 3
    assert capsys.readouterr().err.endswith(
        "odd.parquet: 2 values of feature `x` are outside the contract toy-line learned by; look at "
        "these rows, their predictions are guesses\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.txt", b"x", "rows.txt: is neither .parquet nor .csv; name a file of one of these"),
        ("gone.csv", None, "gone.csv: file is missing; name a file with the fields of the model"),
        ("cut.parquet", b"PAR1abc", "cut.parquet: cannot be read ("),
        ("empty.csv", b"", "empty.csv: cannot be read (No columns to parse from file); write it"),
        ("other.csv", b"a,b\n1,2\n", "models/toy-line/features.py: Record has "),
    ],
)
def test_rows_that_cannot_be_scored_are_refused_and_nothing_is_written(
    trained: Team,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    message: str,
) -> None:
    if content is not None:
        (trained.root / name).write_bytes(content)
    capsys.readouterr()
    assert run(["score", "toy-line", "--rows", name, "--to", "out.parquet"]) == Exit.BAD_INPUT
    assert capsys.readouterr().err.startswith(message)
    assert not (trained.root / "out.parquet").exists()


def test_rows_without_a_place_for_the_result_are_refused(
    trained: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"x": [1.0]}).to_csv("rows.csv")
    assert run(["score", "toy-line", "--rows", "rows.csv"]) == Exit.BAD_INPUT
    assert "--to: is missing; name the file to write beside --rows" in capsys.readouterr().err
