"""Each bad input of the data commands gives its exact message, and nothing good is overwritten."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops.checks import contracts
from mlops.cli import run
from mlops.errors import Exit
from tests.checks.contexts import context_of, told
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
CONTRACT = "data-contracts/toy-points.odcs.yaml"
JANUARY = "data-contracts/toy-points/raw/2024-01.csv"
BROKEN = (
    "missing-column",
    "wrong-type",
    "missing-values",
    "outliers",
    "duplicate-keys",
    "no-rows",
    "not-finite",
)
UNREADABLE = (
    "not-csv",
    "more-fields-than-header",
    "not-text",
    "empty-file",
    "wrong-delimiter",
    "mixed-encodings",
    "utf-16",
    "column-twice",
    "quote-left-open",
    "parquet-cut-off",
)
CONTRACTS = (
    "contract-unknown-type",
    "contract-without-key",
    "contract-of-another-name",
    "contract-rule-without-operator",
    "contract-unchecked-bound",
    "contract-columns-differ-by-case",
    "contract-delivery-properties",
    "contract-late-without-lateness",
    "contract-deliveries-of-a-derived-dataset",
)
STEPS = ("ingest-step-fails", "ingest-step-loses-row-numbers", "ingest-step-incomplete")
PINS = ("content-differs-from-pin", "content-in-no-store", "pin-without-digest")


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(team.root)
    return team


def expected(reason: str) -> str:
    return (INVALID / f"data-{reason}" / "message.txt").read_text()


def put(team: Team, reason: str, file: str, place: str) -> None:
    shutil.copy(INVALID / f"data-{reason}" / file, team.root / place)


def kept(team: Team) -> set[str]:
    """What lies in the stores."""
    return {path.name for path in team.stores.glob("*")}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_batch_is_told_kept_aside_and_changes_nothing(
    here: Team, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "ingest", "toy-points", JANUARY]) == Exit.DONE
    put(here, reason, "batch.csv", "batch.csv")
    pin = here.root / "data-contracts" / "toy-points.dvc"
    before = pin.read_bytes(), contents(here.stores / "datasets"), contents(here.stores / "dvc")
    capsys.readouterr()
    assert run(["data", "ingest", "toy-points", "batch.csv"]) == Exit.NOT_GOOD
    assert capsys.readouterr().err == expected(reason)
    after = pin.read_bytes(), contents(here.stores / "datasets"), contents(here.stores / "dvc")
    assert after == before
    (folder,) = (here.stores / "quarantine" / "toy-points").iterdir()
    assert (folder / "batch.csv").read_bytes() == (here.root / "batch.csv").read_bytes()
    reason_given = json.loads((folder / "reason.json").read_text())
    assert [rule for rule in reason_given["rules"] if not rule["passed"]]
    assert "breaks version" in (folder / "reason.md").read_text()


@pytest.mark.parametrize("reason", BROKEN)
def test_validating_a_broken_batch_tells_the_same_and_writes_nothing(
    here: Team, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, reason, "batch.csv", "batch.csv")
    assert run(["data", "validate", "toy-points", "--batch", "batch.csv"]) == Exit.NOT_GOOD
    lines = expected(reason).splitlines()
    told = [line for line in lines if "kept aside" not in line]
    assert capsys.readouterr().err.splitlines() == told
    assert kept(here) <= {"lineage"}


@pytest.mark.parametrize("reason", UNREADABLE)
def test_a_file_that_is_not_csv_is_told(
    here: Team, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, reason, "batch.csv", "batch.csv")
    before = contents(here.root / "data-contracts")
    for verb in (["ingest", "toy-points"], ["validate", "toy-points", "--batch"]):
        assert run(["data", *verb, "batch.csv"]) == Exit.BAD_INPUT
        assert capsys.readouterr().err == expected(reason)
    assert contents(here.root / "data-contracts") == before
    assert kept(here) <= {"lineage"}


GIGABYTE = """
import resource, sys
from mlops.cli import run
resource.setrlimit(resource.RLIMIT_DATA, (1 << 29, 1 << 29))
sys.exit(run(["data", "ingest", "toy-points", "batch.csv"]))
"""


@pytest.mark.slow
def test_a_line_of_a_gigabyte_is_refused_within_half_of_that_memory(here: Team) -> None:
    with (here.root / "batch.csv").open("wb") as file:
        file.write(b"moment,x,side,y\n")
        file.truncate(1 << 30)  # a hole: zeros that take no room on the disk
    done = subprocess.run(
        [sys.executable, "-c", GIGABYTE], cwd=here.root, capture_output=True, text=True, check=False
    )
    assert done.stderr == expected("long-line")
    assert done.returncode == Exit.BAD_INPUT
    assert kept(here) <= {"lineage"}


def test_of_ten_thousand_columns_a_few_are_named(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ",".join(f"c{number}" for number in range(10_000))
    here.write("batch.csv", f"{names}\n{','.join('1' * 10_000)}\n")
    assert run(["data", "validate", "toy-points", "--batch", "batch.csv"]) == Exit.NOT_GOOD
    assert capsys.readouterr().err == expected("many-columns")


@pytest.mark.parametrize("reason", CONTRACTS)
def test_a_contract_that_cannot_be_checked_is_told(
    here: Team, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, reason, "toy-points.odcs.yaml", "data-contracts/toy-points.odcs.yaml")
    assert run(["data", "validate", "toy-points"]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == expected(reason)
    found = contracts.run(context_of(here, "contracts", "toy-points"))
    assert told(found) == expected(reason)


def test_rules_that_could_not_run_on_any_data_are_told_before_the_data(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, "contract-cannot-run", "toy-points.odcs.yaml", CONTRACT)
    assert run(["data", "ingest", "toy-points", JANUARY]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == expected("contract-cannot-run")
    found = contracts.run(context_of(here, "contracts", "toy-points"))
    assert told(found) == expected("contract-cannot-run")
    assert kept(here) <= {"lineage"}


@pytest.mark.parametrize("reason", STEPS)
def test_an_ingest_step_that_does_not_keep_to_its_terms_is_told(
    here: Team, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, reason, "ingest.py", "data-contracts/toy-points/ingest.py")
    assert run(["data", "ingest", "toy-points", JANUARY]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == expected(reason)


@pytest.mark.parametrize("reason", PINS)
def test_a_pin_that_does_not_lead_to_its_content_is_told(
    here: Team, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(here, reason, "toy-points.dvc", "data-contracts/toy-points.dvc")
    if reason == "content-differs-from-pin":
        stored = here.stores / "datasets" / f"{'1b' * 32}.parquet"
        stored.parent.mkdir(parents=True)
        stored.write_bytes(b"other content")
    assert run(["data", "validate", "toy-points"]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == expected(reason)


def test_a_dataset_without_a_version_is_told(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "validate", "toy-points"]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == expected("missing-pin")


def test_an_unknown_dataset_is_told_with_those_known(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "ingest", "toy-pints", JANUARY]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == expected("unknown-dataset")


def test_a_batch_that_is_not_there_is_told(here: Team, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "ingest", "toy-points", JANUARY, "2024-13.csv"]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == expected("missing-batch")
    assert not (here.root / "data-contracts" / "toy-points.dvc").exists()
