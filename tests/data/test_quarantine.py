"""Quarantined batches: looked at, and decided exactly once."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops import digests
from mlops.cli import run
from mlops.data import pin as pins
from mlops.data import quarantine_decisions as decisions
from mlops.data import table
from mlops.data.ingest import ingest
from mlops.data.quarantine import Batch, batches, find, quarantine
from mlops.errors import BadInput, Exit, MlopsError, NotGood
from tests.team import ROOT, Team, make_team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
BROKEN = INVALID / "data-outliers" / "batch.csv"
CONTRACT = "data-contracts/toy-points.odcs.yaml"
JANUARY = "data-contracts/toy-points/raw/2024-01.csv"
NOW = datetime(2024, 3, 5, 9, 30, tzinfo=UTC)
ROWS = 8


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(team.root)
    return team


def kept(team: Team) -> Batch:
    """A broken batch in quarantine."""
    shutil.copy(BROKEN, team.root / "batch.csv")
    with pytest.raises(NotGood):
        ingest(team.repo, "toy-points", [team.root / "batch.csv"])
    return find(team.repo, "toy-points", digests.of_file(BROKEN))


def corrected(team: Team) -> Path:
    """The batch as it should have been."""
    text = (
        BROKEN.read_text().replace("-4", "4").replace("1000,", "10,").replace("11,left", "1,left")
    )
    team.write("corrected.csv", text.replace("10.5", "1.5").replace("middle", "left"))
    return team.root / "corrected.csv"


def widen(team: Team) -> None:
    """Let the contract allow what the batch holds."""
    text = (team.root / CONTRACT).read_text().replace("maximum: 10}", "maximum: 1000}")
    text = text.replace("{minimum: 0,", "{minimum: -10,").replace(
        "[left, right]", "[left, right, middle]"
    )
    team.write(CONTRACT, text)


def message(reason: str) -> str:
    return (INVALID / f"data-quarantine-{reason}" / "message.txt").read_text()


def pinned_rows(team: Team) -> int:
    if not (team.root / pins.pin_path("toy-points")).is_file():
        return 0
    return len(table.load(pins.fetch(team.repo, pins.read_pin(team.repo, "toy-points"))))


def test_the_list_says_what_was_kept_aside_when_and_whom_to_ask(
    here: Team, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    batch = kept(here)
    assert run(["data", "quarantine", "list"]) == Exit.DONE
    said = capsys.readouterr().out
    for part in (batch.name, "8", "2 (outliers)", "waiting", "Toys (toys@example.com)"):
        assert part in said
    assert run(["data", "quarantine", "list", "toy-points", "--json"]) == Exit.DONE
    (told,) = json.loads(capsys.readouterr().out)["batches"]
    assert (told["batch"], told["state"], told["rows"]) == (batch.reason.digest, "waiting", ROWS)
    assert [text.split(" of 8")[0] for text in told["broken"]] == ["outliers: 4", "outliers: 1"]
    assert told["contact"]["owner"] == "toys@example.com"


def test_an_empty_quarantine_is_told(here: Team, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "quarantine", "list", "toy-points"]) == Exit.DONE
    assert capsys.readouterr().out == "no batch of toy-points is in quarantine\n"


def test_a_batch_is_shown_beside_the_pinned_version(
    here: Team, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ingest(here.repo, "toy-points", [here.root / JANUARY])
    batch = kept(here)
    assert run(["data", "quarantine", "show", "toy-points", batch.name[:4]]) == Exit.DONE
    said = capsys.readouterr().out
    assert "row 5: 1000.0" in said
    assert f"mlops data quarantine repair toy-points {batch.name}" in said
    assert run(["data", "quarantine", "show", "toy-points", batch.name, "--json"]) == Exit.DONE
    columns = json.loads(capsys.readouterr().out)["columns"]
    assert columns["x"]["batch"]["quantiles"][-1] == "1000"
    assert float(columns["x"]["pinned"]["quantiles"][-1]) <= 10
    assert ["middle", 1] in columns["side"]["batch"]["top"]
    assert columns["y"]["pinned"]["rows"] == 744


def test_a_corrected_file_takes_the_place_of_its_batch(here: Team) -> None:
    batch, file = kept(here), corrected(here)
    called = ["data", "quarantine", "repair", "toy-points", batch.name, str(file)]
    assert run([*called, "--reason", "the sensor was out"]) == Exit.DONE
    decided = find(here.repo, "toy-points", batch.name).decision
    assert decided
    assert (decided.outcome, decided.by) == ("repaired", "A Person <person@example.com>")
    assert decided.reason == "the sensor was out"
    assert decided.version == pins.read_pin(here.repo, "toy-points").digest
    assert decided.file_digest == digests.of_file(file)
    assert pinned_rows(here) == ROWS


def test_a_file_that_is_still_broken_repairs_nothing(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = kept(here)
    here.write("again.csv", BROKEN.read_text().replace("1000", "10").replace("-4", "4"))
    called = ["data", "quarantine", "repair", "toy-points", batch.name, "again.csv"]
    assert run(called) == Exit.NOT_GOOD
    assert capsys.readouterr().err == message("still-broken")
    assert [each.state for each in batches(here.repo, "toy-points")] == ["waiting"]
    assert pinned_rows(here) == 0


def test_a_batch_is_released_only_once_the_contract_allows_it(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = kept(here)
    called = ["data", "quarantine", "release", "toy-points", batch.name, "--reason", "it was right"]
    assert run(called) == Exit.NOT_GOOD
    assert "outliers: 4 of 8 values of `x`" in capsys.readouterr().err
    assert find(here.repo, "toy-points", batch.name).state == "waiting"
    widen(here)
    assert run(called) == Exit.DONE
    assert find(here.repo, "toy-points", batch.name).state == "released"
    assert pinned_rows(here) == ROWS


def test_a_released_batch_that_lies_in_git_is_named_by_the_pin(here: Team) -> None:
    batch = kept(here)
    own = "data-contracts/toy-points/raw/2024-03.csv"
    shutil.copy(BROKEN, here.root / own)
    widen(here)
    decisions.release(here.repo, "toy-points", batch.name, reason="right")
    assert [file.path for file in pins.read_pin(here.repo, "toy-points").raw] == [own]


def test_a_dropped_batch_leaves_its_record_and_no_rows(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = kept(here)
    called = ["data", "quarantine", "drop", "toy-points", batch.name, "--reason", "a test"]
    assert run(called) == Exit.DONE
    assert not batch.file.exists()
    assert find(here.repo, "toy-points", batch.name).state == "dropped"
    capsys.readouterr()
    assert run(["data", "quarantine", "show", "toy-points", batch.name]) == Exit.DONE
    assert "its rows are not there any more" in capsys.readouterr().out


@pytest.mark.parametrize("action", ["repair", "release", "drop"])
def test_a_decided_batch_is_refused_with_what_was_decided(
    here: Team, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = kept(here)
    decisions.drop(here.repo, "toy-points", batch.name, reason="nobody needs it", now=NOW)
    before = (batch.folder / "decision.json").read_bytes()
    more = [str(corrected(here))] if action == "repair" else ["--reason", "second thoughts"]
    assert run(["data", "quarantine", action, "toy-points", batch.name, *more]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == message("decided")
    assert (batch.folder / "decision.json").read_bytes() == before


def test_a_decided_batch_that_comes_again_stays_decided(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = kept(here)
    decisions.drop(here.repo, "toy-points", batch.name, reason="nobody needs it", now=NOW)
    assert run(["data", "ingest", "toy-points", "batch.csv"]) == Exit.NOT_GOOD
    assert capsys.readouterr().err == message("comes-again")
    assert not batch.file.exists()


@pytest.mark.parametrize(
    ("reason", "dataset", "name"),
    [
        ("unknown-batch", "toy-points", "ffff"),
        ("unknown-batch-by-path", "toy-points", "../toy-points"),
        ("unknown-dataset", "../toy-points", "cf37"),
    ],
)
def test_a_batch_that_is_not_there_is_told_with_those_that_are(
    here: Team, reason: str, dataset: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(here)
    called = ["data", "quarantine", "drop", dataset, name, "--reason", "x"]
    assert run(called) == Exit.BAD_INPUT
    assert capsys.readouterr().err == message(reason)


def test_a_name_that_fits_two_batches_is_refused(here: Team) -> None:
    batch = kept(here)
    # Two digests with one beginning are not found by trying: the folder is copied under another.
    other = batch.reason.digest[:-1] + ("0" if batch.reason.digest[-1] != "0" else "1")
    copied = quarantine(here.repo, "toy-points") / "other"
    shutil.copytree(batch.folder, copied)
    text = (copied / "reason.json").read_text().replace(batch.reason.digest, other)
    (copied / "reason.json").write_text(text)
    with pytest.raises(BadInput, match="2 batches begin with"):
        find(here.repo, "toy-points", batch.name)
    assert find(here.repo, "toy-points", batch.reason.digest).folder == batch.folder


@pytest.mark.parametrize("reason", ["batch-itself", "empty-reason", "without-rows"])
def test_a_call_that_makes_no_sense_is_told(
    here: Team, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = kept(here)
    calls = {
        "batch-itself": ["repair", "toy-points", batch.name, "batch.csv"],
        "empty-reason": ["drop", "toy-points", batch.name, "--reason", " "],
        "without-rows": ["release", "toy-points", batch.name, "--reason", "right"],
    }
    if reason == "without-rows":
        batch.file.unlink()
    assert run(["data", "quarantine", *calls[reason]]) == Exit.BAD_INPUT
    assert capsys.readouterr().err == message(reason)
    assert find(here.repo, "toy-points", batch.name).state == "waiting"


def test_a_record_that_was_edited_is_told_with_its_path(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = kept(here)
    decisions.drop(here.repo, "toy-points", batch.name, reason="x", now=NOW)
    file = batch.folder / "decision.json"
    file.write_text(file.read_text().replace('"outcome"', '"result"'))
    assert run(["data", "quarantine", "list"]) == Exit.BAD_INPUT
    said = capsys.readouterr().err.replace(str(batch.folder), "FOLDER")
    assert said == message("record-edited")


@pytest.mark.parametrize("name", ["reason.json", "decision.json", "mlops.lock"])
def test_a_batch_named_as_a_record_is_kept_beside_it(here: Team, name: str) -> None:
    shutil.copy(BROKEN, here.root / name)
    with pytest.raises(NotGood):
        ingest(here.repo, "toy-points", [here.root / name])
    batch = find(here.repo, "toy-points", digests.of_file(BROKEN))
    assert batch.file.read_bytes() == BROKEN.read_bytes()
    assert batch.state == "waiting"


def test_what_was_left_when_it_was_killed_is_done_by_the_same_command(here: Team) -> None:
    batch, file = kept(here), corrected(here)
    # Killed after the rows went in and before the record.
    version = ingest(here.repo, "toy-points", [file]).new.digest
    decision, done = decisions.repair(here.repo, "toy-points", batch.name, file, reason="again")
    assert not done.changed
    assert decision.version == version


def test_a_drop_that_was_killed_is_done_by_the_same_command(here: Team) -> None:
    batch = kept(here)
    batch.file.unlink()
    assert decisions.drop(here.repo, "toy-points", batch.name, reason="again").outcome == "dropped"


@pytest.mark.slow
def test_two_decisions_at_once_are_one(team: Team) -> None:
    batch, file = kept(team), corrected(team)
    command = (sys.executable, "-m", "mlops", "data", "quarantine")
    calls = [
        (*command, "drop", "toy-points", batch.name, "--reason", "not needed"),
        (*command, "repair", "toy-points", batch.name, str(file)),
        (*command, "drop", "toy-points", batch.name, "--reason", "not needed"),
    ]
    started = [subprocess.Popen(call, cwd=team.root, stderr=subprocess.PIPE) for call in calls]
    ends = [process.communicate(timeout=120) and process.returncode for process in started]
    assert sorted(ends) == [Exit.DONE, Exit.BAD_INPUT, Exit.BAD_INPUT]
    decided = find(team.repo, "toy-points", batch.name).decision
    assert decided
    assert pinned_rows(team) == (ROWS if decided.outcome == "repaired" else 0)


# Imports first, so that the kill falls into the work and not into seconds of importing.
CHILD = """
import sys
import great_expectations, dvc.repo, pyarrow.parquet
import mlops.data.quarantine_decisions
from mlops.cli import run
print("ready", flush=True)
sys.exit(run(["data", "quarantine", "repair", "toy-points", *sys.argv[1:]]))
"""


def repairing(team: Team, limit: float) -> float:
    """Seconds that a repair in a process of its own took; after `limit` seconds it is killed."""
    batch, file = kept(team), corrected(team)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, batch.name, str(file)],
        cwd=team.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    begun = time.monotonic()
    try:
        child.wait(limit)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait(60)
    return time.monotonic() - begun


@pytest.mark.slow
def test_killed_at_any_moment_a_repair_is_done_by_the_same_command(tmp_path: Path) -> None:
    moments = random.Random(7)
    undisturbed = make_team(tmp_path / "undisturbed")
    duration = repairing(undisturbed, 120)
    version = pins.read_pin(undisturbed.repo, "toy-points").digest
    for number in range(3):
        team = make_team(tmp_path / str(number))
        # The last part, where rows go in and the record is written, gets most of the draws.
        repairing(team, duration * moments.uniform(0.7 if number else 0.0, 1.0))
        (batch,) = batches(team.repo, "toy-points")
        if batch.decision is None:
            file = team.root / "corrected.csv"
            decisions.repair(team.repo, "toy-points", batch.name, file, reason="again")
        assert pins.read_pin(team.repo, "toy-points").digest == version
        assert batches(team.repo, "toy-points")[0].state == "repaired"


ACTIONS = st.lists(
    st.sampled_from(["repair", "repair badly", "release", "drop", "ingest again", "widen"]),
    min_size=1, max_size=5,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIONS)
def test_any_sequence_of_actions_ends_in_at_most_one_decision_that_never_changes(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    team = make_team(tmp_path_factory.mktemp("sequence"))
    batch, file = kept(team), corrected(team)
    record = batch.folder / "decision.json"
    written: list[bytes] = []
    for action in actions:
        with suppress(MlopsError):
            _act(team, batch, file, action)
        if record.exists() and record.read_bytes() not in written:
            written.append(record.read_bytes())
    (left,) = batches(team.repo, "toy-points")
    assert len(written) == (left.decision is not None)
    assert left.decision is not None or not {"repair", "drop"}.intersection(actions)
    if left.state == "waiting":
        assert left.file.read_bytes() == BROKEN.read_bytes()
    if left.state in ("repaired", "released"):
        assert pinned_rows(team) == ROWS
    assert left.file.exists() == (left.state != "dropped")


def _act(team: Team, batch: Batch, file: Path, action: str) -> None:
    repo, name = team.repo, batch.name
    if action == "repair":
        decisions.repair(repo, "toy-points", name, file, reason="corrected")
    elif action == "repair badly":
        team.write("bad.csv", BROKEN.read_text().replace("1000", "2000"))
        decisions.repair(repo, "toy-points", name, team.root / "bad.csv", reason="corrected")
    elif action == "release":
        decisions.release(repo, "toy-points", name, reason="right")
    elif action == "drop":
        decisions.drop(repo, "toy-points", name, reason="not needed")
    elif action == "ingest again":
        ingest(repo, "toy-points", [team.root / "batch.csv"])
    else:
        widen(team)
