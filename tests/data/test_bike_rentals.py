"""The shipped data: as in its source, good by its contract, and drifting."""

import csv
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from mlops import digests
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.batch import check_batch
from mlops.data.contract import read_contract
from mlops.data.ingest import ingest
from mlops.data.ingest_step import read_step
from mlops.repository import Repository
from tests.team import ROOT, make_clone

RAW = ROOT / "data-contracts" / "bike-rentals" / "raw"
MONTHS = sorted(RAW.glob("*.csv"))
# Of header and rows of the source's hourly-2011.csv.
SOURCE = "sha256:ac6950ae6f11efcc69c29d6bb13e8881c001e27d36434660d59444a1414f712c"


@pytest.fixture
def clone(tmp_path: Path) -> Repository:
    """A clone with the template's own data files."""
    return make_clone(tmp_path / "clone")


def test_the_months_put_together_are_the_source_byte_for_byte() -> None:
    parts = [file.read_bytes().partition(b"\n") for file in MONTHS]
    headers = {head for head, _, _ in parts}
    assert len(MONTHS) == 12
    assert len(headers) == 1
    whole = headers.pop() + b"\n" + b"".join(rows for _, _, rows in parts)
    assert digests.of_bytes(whole) == SOURCE


def test_every_file_holds_its_own_month() -> None:
    months = [{row["mnth"] for row in csv.DictReader(file.open())} for file in MONTHS]
    assert all(len(names) == 1 for names in months)
    assert len(set.union(*months)) == 12


def test_the_step_adds_the_hour_and_leaves_out_what_leaks_the_target(clone: Repository) -> None:
    raw = pd.DataFrame(
        {name: ["1"] for name in read_step(clone, "bike-rentals").columns}, index=[5]
    ).assign(day="60", hr="23", casual="4", registered="5")
    rows = read_step(clone, "bike-rentals").ingest(raw)
    assert rows.loc[5, "hour_at"] == pd.Timestamp("2011-03-01T23:00")
    assert tuple(rows.columns) == read_contract(clone, "bike-rentals").names


@pytest.mark.parametrize(("day", "hour"), [("0", "1"), ("366", "1"), ("1", "24"), ("x", "1")])
def test_a_day_or_an_hour_out_of_range_gives_no_moment(
    clone: Repository, day: str, hour: str
) -> None:
    step = read_step(clone, "bike-rentals")
    raw = pd.DataFrame({name: ["1"] for name in step.columns}).assign(day=day, hr=hour)
    assert step.ingest(raw)["hour_at"].isna().all()


@pytest.mark.slow
def test_every_shipped_month_holds_to_the_contract(clone: Repository) -> None:
    contract = read_contract(clone, "bike-rentals")
    reports = [check_batch(clone, contract, file) for file in MONTHS]
    assert [report.problems for report in reports] == [()] * 12


@pytest.mark.slow
def test_winter_then_spring_are_two_versions_and_spring_drifts(clone: Repository) -> None:
    winter = ingest(clone, "bike-rentals", MONTHS[:3])
    assert (winter.new.rows, winter.added, winter.drift) == (2067, 2067, ())
    spring = ingest(clone, "bike-rentals", MONTHS[3:6])
    assert (spring.new.rows, spring.added, spring.replaced) == (4250, 2183, 0)
    distance = {entry.column: entry.statistic for entry in spring.drift}
    assert distance["temp"] > 0.5
    assert distance["bikers"] > 0.3
    assert distance["hr"] < 0.05
    assert clone.git.uncommitted() == ["data-contracts/bike-rentals.dvc"]
    rows = table.load(pins.fetch(clone, winter.new))
    assert str(rows["hr"].dtype) == "int64"
    assert rows["hour_at"].is_monotonic_increasing
    raw = pd.concat([pd.read_csv(file) for file in MONTHS[:3]], ignore_index=True)
    same = [name for name in rows.columns if name != "hour_at"]
    pd.testing.assert_frame_equal(rows[same], raw[same])


@pytest.mark.slow
def test_the_months_in_any_order_are_one_version(clone: Repository) -> None:
    ingest(clone, "bike-rentals", MONTHS[2:4])
    mixed = ingest(clone, "bike-rentals", [MONTHS[1], MONTHS[0], MONTHS[2]])
    (clone.root / pins.pin_path("bike-rentals")).unlink()
    assert ingest(clone, "bike-rentals", MONTHS[:4]).new == mixed.new


@pytest.mark.slow
def test_the_command_as_the_readme_has_it_works(clone: Repository, tmp_path: Path) -> None:
    readme = (ROOT / "data-contracts" / "bike-rentals" / "README.md").read_text()
    lines = [line for line in readme.splitlines() if line.startswith("mlops data ")]
    assert len(lines) == 3
    shim = tmp_path / "bin" / "mlops"
    shim.parent.mkdir()
    shim.symlink_to(ROOT / ".venv" / "bin" / "mlops")
    for line in lines:
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=clone.root,
            env={"PATH": f"{shim.parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
