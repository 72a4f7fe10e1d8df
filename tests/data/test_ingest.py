"""From raw files to a pinned version: all or nothing, the same rows the same version."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops.cli import run
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.ingest import ingest
from mlops.errors import Exit, NotGood
from tests.team import Team, make_team

RAW = Path("data-contracts/toy-points/raw")
JANUARY, FEBRUARY = RAW / "2024-01.csv", RAW / "2024-02.csv"


def ingested(team: Team, *files: Path) -> str:
    return ingest(team.repo, "toy-points", [team.root / file for file in files]).new.digest


@pytest.mark.slow
def test_months_together_or_one_by_one_or_late_give_the_same_version(tmp_path: Path) -> None:
    orders: list[list[tuple[Path, ...]]] = [
        [(JANUARY, FEBRUARY)],
        [(JANUARY,), (FEBRUARY,)],
        [(FEBRUARY,), (JANUARY,)],
    ]
    digests = set()
    for number, order in enumerate(orders):
        team = make_team(tmp_path / str(number))
        digests.add([ingested(team, *files) for files in order][-1])
    assert len(digests) == 1


def test_the_same_rows_again_are_the_same_version_and_nothing_is_written(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    ingested(team, JANUARY)
    pin = team.root / "data-contracts" / "toy-points.dvc"
    before = pin.stat().st_mtime_ns
    assert run(["data", "ingest", "toy-points", str(JANUARY)]) == Exit.DONE
    assert "still the same version, nothing to commit" in capsys.readouterr().out
    assert pin.stat().st_mtime_ns == before


def test_a_corrected_row_replaces_the_one_with_its_key(team: Team) -> None:
    ingested(team, JANUARY)
    lines = (team.root / JANUARY).read_text().splitlines()
    team.write("fixed.csv", f"{lines[0]}\n2024-01-01T00:00:00,1.0,left,2.0\n{lines[2]}\n")
    done = ingest(team.repo, "toy-points", [team.root / "fixed.csv"])
    assert (done.added, done.replaced, done.unchanged) == (0, 1, 1)
    rows = table.load(pins.fetch(team.repo, done.new))
    assert rows.iloc[0].tolist()[1:] == [1.0, "left", 2.0]
    assert len(rows) == 744


def test_one_broken_file_among_good_ones_keeps_all_of_them_out(team: Team) -> None:
    team.write("broken.csv", "moment,x,side,y\n2024-03-01T00:00:00,99,left,1\n")
    with pytest.raises(NotGood):
        ingested(team, JANUARY, Path("broken.csv"))
    assert not (team.root / pins.pin_path("toy-points")).exists()
    assert not (team.stores / "datasets").exists()
    assert len(list((team.stores / "quarantine" / "toy-points").iterdir())) == 1


def test_a_version_that_breaks_the_contract_as_a_whole_is_not_pinned(team: Team) -> None:
    path = "data-contracts/toy-points.odcs.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace("mustBeGreaterThan: 0", "mustBeLessThan: 1000"))
    first = ingested(team, JANUARY)
    with pytest.raises(NotGood) as caught:
        ingested(team, FEBRUARY)
    (problem,) = caught.value.problems
    assert problem.path == "the new version of toy-points"
    assert problem.what == "rows: it has 1440 rows, the number of rows is less than 1000"
    assert pins.read_pin(team.repo, "toy-points").digest == first


def test_a_new_contract_version_pins_the_same_content_anew(team: Team) -> None:
    first = ingested(team, JANUARY)
    path = "data-contracts/toy-points.odcs.yaml"
    text = (team.root / path).read_text()
    team.write(path, text.replace("version: 1.0.0", "version: 1.1.0"))
    done = ingest(team.repo, "toy-points", [team.root / JANUARY])
    assert done.changed
    assert (done.new.digest, done.new.contract) == (first, "1.1.0")


def test_new_columns_of_the_contract_are_missing_in_the_older_rows(team: Team) -> None:
    ingested(team, JANUARY)
    path = "data-contracts/toy-points.odcs.yaml"
    text = (team.root / path).read_text()
    more = "      - {name: note, logicalType: string}\n    quality:\n"
    team.write(
        path, text.replace("    quality:\n      - {metric: rowC", more + "      - {metric: rowC")
    )
    step = 'COLUMNS = ("moment",)\n\n\ndef ingest(raw):\n    return raw.assign(note="new")\n'
    team.write("data-contracts/toy-points/ingest.py", step)
    done = ingest(team.repo, "toy-points", [team.root / FEBRUARY])
    rows = table.load(pins.fetch(team.repo, done.new))
    assert rows["note"].isna().sum() == 744
    assert (rows["note"] == "new").sum() == 696


@pytest.mark.slow
def test_machines_read_what_was_done(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    assert run(["data", "ingest", "toy-points", str(JANUARY)]) == Exit.DONE
    capsys.readouterr()
    assert run(["data", "ingest", "toy-points", str(FEBRUARY), "--json"]) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["replaced"], told["rows"]) == (696, 0, 1440)
    assert told["drift"]["y"] > 0.1
    assert run(["data", "validate", "toy-points", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["passed"] is True


@pytest.mark.parametrize("name", [str(JANUARY), "data-contracts/toy-points/raw/new one.csv"])
def test_the_lines_it_prints_commit_the_pin_and_a_raw_file_that_is_new(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(team.root)
    team.write(name, (team.root / JANUARY).read_text())
    run(["data", "ingest", "toy-points", name])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for line in [line for line in lines if line.startswith("git ")]:
        subprocess.run(["sh", "-c", line], cwd=team.root, check=True, capture_output=True)
    assert team.repo.git.uncommitted() == []


# Imports first, so that the kill falls into the work and not into seconds of importing.
CHILD = """
import sys
import great_expectations, dvc.repo, pyarrow.parquet, scipy.stats
import mlops.commands.data
from mlops.cli import run
print("ready", flush=True)
sys.exit(run(["data", "ingest", "toy-points", sys.argv[1]]))
"""


def late_in_february(team: Team) -> None:
    """A contract that drops late rows, and a delivery with one."""
    path = "data-contracts/toy-points.odcs.yaml"
    said = "{property: allowedLateness, value: 7d}, {property: lateRows, value: drop}"
    team.write(path, (team.root / path).read_text() + f"customProperties: [{said}]\n")
    text = (team.root / FEBRUARY).read_text()
    team.write(str(FEBRUARY), text + "2024-01-01T00:00:00,9.0,left,9.0\n")


def started(team: Team) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(FEBRUARY)],
        cwd=team.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_gives_the_undisturbed_version(
    tmp_path: Path,
) -> None:
    undisturbed = make_team(tmp_path / "undisturbed")
    late_in_february(undisturbed)
    first = ingested(undisturbed, JANUARY)
    child, begun = started(undisturbed), time.monotonic()
    assert child.wait(60) == 0
    duration = time.monotonic() - begun
    pinned = pins.read_pin(undisturbed.repo, "toy-points")
    second = pinned.digest
    moments = random.Random(7)
    for number in range(4):
        team = make_team(tmp_path / str(number))
        late_in_february(team)
        ingested(team, JANUARY)
        child = started(team)
        # Not a wait for anything: the moment of the kill is what is drawn. The last part, where
        # files are written, gets half of the draws.
        try:
            child.wait(duration * moments.uniform(0.7 if number % 2 else 0.0, 1.0))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait(60)
        pin = pins.read_pin(team.repo, "toy-points")
        assert pin.digest in (first, second)
        pins.fetch(team.repo, pin)
        assert ingested(team, FEBRUARY) == second
        assert pins.read_pin(team.repo, "toy-points") == pinned
        (kept,) = (team.stores / "dropped" / "toy-points").glob("*/late.csv")
        assert kept.read_text().splitlines()[1:] == ["2024-01-01T00:00:00,9.0,left,9.0"]
