"""Learned rules as files of the tree, and the command that writes them; on the shipped months."""

import json
from pathlib import Path

import pytest

from mlops.cli import run
from mlops.data.batch import check_batch
from mlops.data.contract import read_contract
from mlops.data.ingest import ingest
from mlops.data.learned.files import read_learned
from mlops.data.learned.model import Learned, learned_path
from mlops.data.table import encode
from mlops.errors import BadInput, Exit
from mlops.repository import Repository
from mlops.specs.base import parse
from tests.team import ROOT, make_clone

FIXTURES = ROOT / "tests" / "fixtures" / "invalid" / "learned"
MONTHS = sorted((ROOT / "data-contracts" / "bike-rentals" / "raw").glob("*.csv"))
YEAR, LAST = MONTHS[:-1], MONTHS[-1]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with eleven months pinned, and what was learned from them."""
    root = make_clone(tmp_path_factory.mktemp("learned") / "clone").root
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        ingest(Repository.at(root), "bike-rentals", YEAR)
        assert run(["data", "learn", "bike-rentals"]) == Exit.DONE
    return root


@pytest.fixture
def here(learned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(learned)
    return learned


@pytest.mark.slow
def test_the_month_that_was_not_learned_from_holds_to_what_was(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "validate", "bike-rentals", "--batch", str(LAST)]) == Exit.DONE
    said = capsys.readouterr().out
    assert "rules of data-contracts/bike-rentals.odcs.yaml and" in said
    assert " learned hold" in said


@pytest.mark.slow
def test_a_parquet_file_is_held_to_as_many_learned_rules_as_raw_rows_are(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = Repository.at(here)
    contract = read_contract(repo, "bike-rentals")
    batch = tmp_path / "2011-12.parquet"
    batch.write_bytes(encode(contract, check_batch(repo, contract, LAST).typed))
    learned = []
    for file in (LAST, batch):
        assert (
            run(["data", "validate", "bike-rentals", "--batch", str(file), "--json"]) == Exit.DONE
        )
        rules = json.loads(capsys.readouterr().out)["rules"]
        learned.append([(rule["rule"], rule["passed"]) for rule in rules if rule["learned"]])
    assert learned[0] == learned[1] != []


@pytest.mark.slow
def test_a_month_in_another_scale_is_told_by_a_learned_rule_and_stops_when_it_is_to(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, *rows = LAST.read_text().splitlines()
    place = head.replace('"', "").split(",").index("atemp")
    halved = []
    for row in rows:
        cells = row.split(",")
        cells[place] = f"{float(cells[place]) / 4:.4f}"
        halved.append(",".join(cells))
    batch = tmp_path / "2011-12.csv"
    batch.write_text("\n".join([head, *halved]) + "\n")
    assert run(["data", "validate", "bike-rentals", "--batch", str(batch), "--json"]) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    broken = [rule for rule in told["rules"] if not rule["passed"]]
    assert broken
    assert all(rule["learned"] and rule["severity"] == "warning" for rule in broken)
    file = here / learned_path("bike-rentals")
    written = file.read_text()
    try:
        file.write_text(written.replace("severity: warning", "severity: error"))
        assert run(["data", "validate", "bike-rentals", "--batch", str(batch)]) == Exit.NOT_GOOD
    finally:
        file.write_text(written)
    assert "under `off` in data-contracts/bike-rentals/learned.yaml" in capsys.readouterr().err


@pytest.mark.slow
def test_learning_again_keeps_severity_and_what_is_off(here: Path) -> None:
    file = here / learned_path("bike-rentals")
    written = file.read_text()
    changed = written.replace("severity: warning", "severity: error")
    changed = changed.replace("'off': []", "'off':\n- 'hum: mean'")
    assert changed.count("hum: mean") == 1
    try:
        file.write_text(changed)
        assert run(["data", "learn", "bike-rentals"]) == Exit.DONE
        assert file.read_text() == changed
    finally:
        file.write_text(written)


@pytest.mark.slow
def test_a_contract_that_lost_a_column_asks_to_learn_again(here: Path) -> None:
    repo = Repository.at(here)
    contract = read_contract(repo, "bike-rentals")
    kept = read_learned(repo, contract)
    assert kept is not None
    table = contract.table
    less = table.model_copy(
        update={"properties": tuple(c for c in table.properties if c.name != "atemp")}
    )
    with pytest.raises(BadInput, match="was learned with a column `atemp`; `mlops data learn"):
        read_learned(repo, contract.model_copy(update={"tables": (less,)}))


def test_without_learned_rules_a_batch_is_held_to_the_contract_alone() -> None:
    repo = Repository.at(ROOT)
    contract = read_contract(repo, "bike-rentals")
    if read_learned(repo, contract) is None:
        report = check_batch(repo, contract, LAST)
        assert not any(outcome.rule.is_learned for outcome in report.outcomes)


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_that_is_wrong_is_told_why(file: Path) -> None:
    with pytest.raises(BadInput) as refused:
        parse(file.read_bytes(), file.name, Learned)
    assert str(refused.value) == file.with_suffix(".txt").read_text().rstrip("\n")
