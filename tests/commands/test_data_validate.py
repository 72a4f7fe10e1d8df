"""`mlops data validate`: the pinned version or a file, as a table, as JSON and as a page."""

import json
from pathlib import Path

import pandas as pd
import pytest

from mlops.cli import run
from mlops.data.contract import read_contract
from mlops.data.table import encode
from mlops.data.typed import read
from mlops.errors import Exit
from mlops.repository import Repository
from tests.team import Team

JANUARY = "data-contracts/toy-points/raw/2024-01.csv"


def test_a_parquet_file_is_checked_and_shown(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    contract = read_contract(Repository.at(team.root), "toy-points")
    rows = read(contract, pd.read_csv(team.root / JANUARY, dtype=str)).rows
    Path("rows.parquet").write_bytes(encode(contract, rows))
    asked = ["data", "validate", "toy-points", "--batch", "rows.parquet"]
    assert run([*asked, "--json", "--page", "page.html"]) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["passed"]) == (len(rows), True)
    assert list(told["columns"]) == list(contract.names)
    assert "Good: all" in Path("page.html").read_text()
    assert run(asked) == Exit.DONE
    shown = capsys.readouterr().out
    assert "checked by DuckDB (" in shown
    assert "least, quarters, largest" in shown


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ["--server", "nowhere"],
            (
                "--server: there is no `data.servers.nowhere` in mlops.toml, nor nowhere in `servers` of "
                "data-contracts/toy-points.odcs.yaml; add it to one of them\n"
            ),
        ),
        (
            ["--server", "a", "--batch", "b.csv"],
            "--server: is given beside --batch; name one of them\n",
        ),
    ],
)
def test_a_server_has_to_be_known_and_stands_alone(
    team: Team,
    more: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(team.root)
    assert run(["data", "validate", "toy-points", *more]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == said
