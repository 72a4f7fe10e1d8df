"""Datasets held to their service levels: fresh, complete, valid, or since when not."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from mlops.cli import run
from mlops.data import pin as pins
from mlops.data import quarantine_decisions as decisions
from mlops.data.ingest import ingest
from mlops.data.quarantine import REASON, batches
from mlops.errors import Exit, NotGood
from mlops.service_levels.assessment import assess
from mlops.service_levels.exposition import INFO, LOOKED, METRICS, exposition
from mlops.service_levels.status import Figures, Status
from tests.team import ROOT, Team, free_port

RAW = "data-contracts/toy-points/raw"
JANUARY, FEBRUARY = f"{RAW}/2024-01.csv", f"{RAW}/2024-02.csv"
CONTRACT = "data-contracts/toy-points.odcs.yaml"
BROKEN = ROOT / "tests" / "fixtures" / "invalid" / "data-outliers" / "batch.csv"
LEVELS = """\
support: [{channel: toys, url: "https://example.com/toys", scope: issues}]
slaProperties:
  - {property: frequency, value: 1, unit: month}
  - {property: latency, value: 3, unit: d, element: points.moment}
  - {property: retention, value: 5, unit: y}
"""
IN_TIME, LATE = "2024-04-03T23:59", "2024-04-04T00:01"
CONTACTS = "Toys (toys@example.com), toys https://example.com/toys"


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A clone whose dataset has January and February, committed, and service levels."""
    monkeypatch.chdir(team.root)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2024-03-02T00:00:00Z")
    promise(team, LEVELS)
    ingest(team.repo, "toy-points", [team.root / JANUARY, team.root / FEBRUARY])
    team.commit("toy-points: two months")
    return team


def promise(team: Team, levels: str) -> None:
    text = (team.root / CONTRACT).read_text().partition("support:")[0]
    team.write(CONTRACT, text + levels)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def looked(team: Team, now: str = IN_TIME) -> Status:
    return assess(team.repo, "toy-points", now=at(now))


def verdicts(status: Status) -> tuple[str, ...]:
    return tuple(aspect.verdict for aspect in status.aspects.values())


def quarantined(team: Team, kept: str = "2024-03-15") -> str:
    """Name of a broken batch that was kept aside on a day."""
    shutil.copy(BROKEN, team.root / "batch.csv")
    with pytest.raises(NotGood):
        ingest(team.repo, "toy-points", [team.root / "batch.csv"])
    (batch,) = batches(team.repo, "toy-points")
    file = batch.folder / REASON
    file.write_text(file.read_text().replace(batch.reason.at, f"{kept}T00:00:00+00:00"))
    return batch.name


def test_a_dataset_is_good_until_newer_rows_are_due_and_late_from_then_on(here: Team) -> None:
    good, late = looked(here, IN_TIME), looked(here, LATE)
    assert verdicts(good) == ("good", "good", "good")
    assert verdicts(late) == ("bad", "good", "good")
    assert late.fresh.since == at("2024-04-04T00:00")
    (breach,) = late.breaches
    assert str(breach) == (
        "toy-points: late since 2024-04-04 00:00 UTC: the newest row is of 2024-02-29 23:00 UTC, "
        "newer ones were due by then; `mlops data ingest toy-points FILE...` with what came since "
        f"(tell {CONTACTS})"
    )


def test_the_exit_code_says_whether_all_is_good(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "status", "--now", IN_TIME]) == Exit.DONE
    assert capsys.readouterr().err == ""
    assert run(["data", "status", "toy-points", "--now", f"{LATE}Z"]) == Exit.NOT_GOOD
    assert "late since 2024-04-04" in capsys.readouterr().err


def test_a_batch_that_waits_makes_it_incomplete_until_it_is_decided(here: Team) -> None:
    name = quarantined(here)
    waits = looked(here)
    assert waits.complete.verdict == "bad"
    assert waits.complete.detail == f"in quarantine {name}"
    assert waits.complete.since == batches(here.repo, "toy-points")[0].kept
    decisions.drop(here.repo, "toy-points", name, reason="not needed")
    assert looked(here, "2034-01-01").complete.verdict == "good"


def test_what_is_kept_aside_or_decided_later_was_not_so_on_an_earlier_day(here: Team) -> None:
    name = quarantined(here, "2024-03-20")
    assert looked(here, "2024-03-19").complete.verdict == "good"
    assert looked(here, "2024-03-19").figures.waiting == 0
    decisions.drop(here.repo, "toy-points", name, reason="not needed")
    assert looked(here, "2024-03-21").complete.verdict == "bad"
    assert looked(here, "2034-01-01").figures.waiting == 0


def test_a_month_without_rows_makes_it_incomplete(here: Team) -> None:
    lines = (here.root / FEBRUARY).read_text().splitlines()
    here.write(
        "may.csv", "\n".join([lines[0], *(row.replace("2024-02", "2024-05") for row in lines[1:])])
    )
    ingest(here.repo, "toy-points", [here.root / "may.csv"])
    found = looked(here, "2024-06-01")
    assert found.complete.detail.startswith("no rows of the time from 2024-03-01 00:00 UTC")
    assert found.complete.since == at("2024-04-04T00:00")
    assert found.fresh.verdict == "good"


def test_a_contract_that_is_narrowed_makes_the_pinned_version_invalid(here: Team) -> None:
    text = (here.root / CONTRACT).read_text().replace("maximum: 100}", "maximum: 20}")
    here.write(CONTRACT, text)
    assert looked(here).valid.since is None  # nobody committed it yet
    here.commit("Narrower")
    found = looked(here)
    assert found.valid.verdict == "bad"
    assert found.valid.since == at("2024-03-02T00:00")
    assert "values of `y` are not at least -10 and at most 20" in found.valid.detail


def test_a_version_that_cannot_be_had_any_more_is_told_within_the_retention(here: Team) -> None:
    pin = here.root / pins.pin_path("toy-points")
    first = pins.read_pin(here.repo, "toy-points")
    # As it is when raw files do not lie in Git: the stores alone have it.
    pin.write_text(pins.to_dvc(first.model_copy(update={"raw": ()})))
    here.commit("Raw files elsewhere")
    assert looked(here).complete.verdict == "good"
    pin.write_text(
        pins.to_dvc(
            first.model_copy(update={"digest": "sha256:" + "0" * 64, "md5": "0" * 32, "raw": ()})
        )
    )
    here.commit("Another")
    pin.write_text(pins.to_dvc(first))
    here.commit("Back")
    found = looked(here)
    assert found.complete.detail == "lost 000000000000, to be kept for 5 years"
    assert looked(here, "2030-01-01").figures.lost == 0


def test_a_remote_that_does_not_answer_is_told_and_nothing_is_called_lost(here: Team) -> None:
    pin = pins.read_pin(here.repo, "toy-points")
    here.write(pins.pin_path("toy-points"), pins.to_dvc(pin.model_copy(update={"raw": ()})))
    text = (here.root / "mlops.toml").read_text()
    address = f"http://127.0.0.1:{free_port()}/dvc"
    here.write("mlops.toml", text.replace("[stores]", f'[stores]\ndata = "{address}"'))
    here.commit("Raw files and versions elsewhere")
    pins.stored(here.repo, pin).unlink()
    found = looked(here)
    assert verdicts(found) == ("unknown", "unknown", "good")
    assert (found.figures.lost, found.figures.gaps) == (None, None)
    assert {problem.path for problem in found.problems} == {address}
    assert "cannot be used as DVC remote" in found.problems[0].what


def test_after_the_end_of_support_nothing_new_is_asked_and_all_else_is(here: Team) -> None:
    promise(here, LEVELS + '  - {property: endOfSupport, value: "2024-04-01"}\n')
    quarantined(here)
    found = looked(here, LATE)
    assert verdicts(found) == ("not asked", "bad", "good")
    assert found.phase == "ended"
    assert found.fresh.detail == (
        "support has ended, nothing new is promised since 2024-04-01 00:00 UTC"
    )


@pytest.mark.parametrize("retired", ["endOfLife", "status"])
def test_of_a_retired_dataset_nothing_is_asked(here: Team, retired: str) -> None:
    if retired == "status":
        text = (here.root / CONTRACT).read_text()
        here.write(CONTRACT, text.replace("status: active", "status: retired"))
    else:
        promise(here, LEVELS + '  - {property: endOfLife, value: "2024-04-01"}\n')
    quarantined(here)
    assert verdicts(looked(here, LATE)) == ("not asked",) * 3


def test_without_service_levels_it_is_valid_and_never_late(here: Team) -> None:
    promise(here, "")
    assert verdicts(looked(here, "2034-01-01")) == ("not asked", "good", "good")


def test_without_a_version_it_is_late_once_it_was_promised(here: Team) -> None:
    (here.root / pins.pin_path("toy-points")).unlink()
    assert verdicts(looked(here)) == ("not asked", "good", "not asked")
    promise(here, LEVELS + '  - {property: generalAvailability, value: "2024-03-15"}\n')
    assert looked(here, "2024-03-01").phase == "planned"
    found = looked(here)
    assert (found.fresh.verdict, found.fresh.since) == ("bad", at("2024-03-15"))


def test_without_a_column_of_moments_the_commit_of_the_pin_counts(here: Team) -> None:
    text = (here.root / CONTRACT).read_text().replace(", element: points.moment", "")
    text = text.replace("        primaryKey: true\n        primaryKeyPosition: 1\n", "", 1)
    text = text.replace("      - name: x\n", "      - name: x\n        primaryKey: true\n", 1)
    here.write(CONTRACT, text)
    here.commit("Another key")
    assert looked(here).figures.newest == at("2024-03-02T00:00")


def test_what_cannot_be_looked_at_is_told_and_not_made_up(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = here.root / pins.pin_path("toy-points")
    pin.write_text(pin.read_text().replace("sha256", "sha265"))
    assert run(["data", "status", "--now", IN_TIME, "--metrics", "-"]) == Exit.BAD_INPUT
    told = capsys.readouterr()
    assert "data-contracts/toy-points.dvc: key is missing `meta.sha256`" in told.err
    assert "mlops_dataset_status_timestamp_seconds{" not in told.out
    assert 'mlops_dataset_quarantined_batches{dataset="toy-points"} 0' in told.out


def test_machines_read_the_same(here: Team, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "status", "--now", LATE, "--json"]) == Exit.NOT_GOOD
    told = json.loads(capsys.readouterr().out)
    (found,) = told["datasets"]
    assert told["now"] == "2024-04-04T00:01:00+00:00"
    assert found["fresh"]["verdict"] == "bad"
    assert found["due"] == "2024-04-04T00:00:00+00:00"
    assert found["contact"]["channel"] == "toys"


def test_the_file_of_metrics_is_written_whole_and_can_be_read(here: Team, tmp_path: Path) -> None:
    file = tmp_path / "metrics" / "datasets.prom"
    assert run(["data", "status", "--now", LATE, "--metrics", str(file)]) == Exit.NOT_GOOD
    families = {each.name: each for each in text_string_to_metric_families(file.read_text())}
    (due,) = families["mlops_dataset_due_timestamp_seconds"].samples
    assert (due.labels, due.value) == ({"dataset": "toy-points"}, at("2024-04-04").timestamp())
    assert [path.name for path in file.parent.iterdir()] == ["datasets.prom"]


@given(st.text(), st.text(min_size=1), st.integers(0, 2**53), st.integers(0, 2**53))
def test_any_text_and_figure_is_read_as_it_was_written(
    dataset: str, version: str, rows: int, broken: int
) -> None:
    status = Status(dataset, contract=version, figures=Figures(rows=rows, broken=broken))
    text = exposition([status], at("2024-01-01"))
    families = {each.name: each.samples for each in text_string_to_metric_families(text)}
    assert families["mlops_dataset_info"][0].labels["dataset"] == dataset
    assert families["mlops_dataset_info"][0].labels["contract"] == version
    assert families["mlops_dataset_rows"][0].value == float(rows)
    assert families["mlops_dataset_broken_rules"][0].value == float(broken)
    assert families["mlops_dataset_due_timestamp_seconds"] == []


def test_each_metric_is_documented() -> None:
    page = (ROOT / "docs" / "data-operations.md").read_text()
    names = [*METRICS, INFO, LOOKED]
    assert [name for name in names if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--now", "today"], "'today' does not match the formats"),
        (["--json", "--metrics", "-"], "both write to standard output; take one"),
    ],
)
def test_a_call_that_makes_no_sense_is_told(
    here: Team, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["data", "status", *arguments]) == Exit.BAD_INPUT
    assert said in capsys.readouterr().err
