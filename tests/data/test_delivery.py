"""Late and duplicate rows become what the contract says, and nothing of them is lost silently."""

import json
import shutil
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops import digests
from mlops.cli import run
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.contract import Contract
from mlops.data.delivery import State, put_in, receive, single
from mlops.data.delivery_policy import policy_of
from mlops.data.ingest import Ingested, ingest
from mlops.data.typed import read
from mlops.errors import Exit, NotGood
from mlops.files import dump_yaml, load_yaml
from mlops.specs.base import validated
from tests.data.test_validation import column, contract_of
from tests.team import Team

CONTRACT = "data-contracts/toy-points.odcs.yaml"
RAW = "data-contracts/toy-points/raw"
HEAD = "moment,x,side,y\n"
FIRST = HEAD + "2024-01-01,1,left,2\n2024-01-20,1,left,2\n"


def say(team: Team, **said: str) -> None:
    value = load_yaml((team.root / CONTRACT).read_bytes(), CONTRACT)
    value["customProperties"] = [{"property": key, "value": each} for key, each in said.items()]
    team.write(CONTRACT, dump_yaml(value))


def take(team: Team, name: str, text: str) -> Ingested:
    path = f"{RAW}/{name}.csv"
    team.write(path, text)
    return ingest(team.repo, "toy-points", [team.root / path])


def rows_of(team: Team, done: Ingested) -> list[tuple[str, float]]:
    rows = table.load(pins.fetch(team.repo, done.new))
    return [(f"{moment:%m-%d}", x) for moment, x in zip(rows["moment"], rows["x"], strict=True)]


def test_the_last_or_the_first_row_of_a_key_is_kept_within_and_across_deliveries(
    team: Team,
) -> None:
    again = HEAD + "2024-01-02,3,left,2\n2024-01-01,4,left,2\n2024-01-02,5,left,2\n"
    say(team, deduplication="keepLast")
    take(team, "one", FIRST)
    last = take(team, "two", again)
    assert rows_of(team, last) == [("01-01", 4), ("01-02", 5), ("01-20", 1)]
    say(team, deduplication="keepFirst")
    (team.root / pins.pin_path("toy-points")).unlink()
    take(team, "one", FIRST)
    first = take(team, "two", again)
    assert rows_of(team, first) == [("01-01", 1), ("01-02", 3), ("01-20", 1)]
    (told,) = first.dropped
    assert (told.late, told.duplicates) == (0, 2)
    kept = team.repo.root / told.kept / "duplicates.csv"
    assert kept.read_text() == HEAD + "2024-01-01,4,left,2\n2024-01-02,5,left,2\n"


def test_other_values_for_a_key_that_is_there_are_refused_and_the_same_are_not(
    team: Team,
) -> None:
    say(team, deduplication="refuse")
    take(team, "one", FIRST)
    assert take(team, "same", FIRST + "2024-01-21,1,left,2\n").added == 1
    with pytest.raises(NotGood) as refused:
        take(team, "other", HEAD + "2024-01-01,9,left,2\n2024-01-22,1,left,2\n")
    assert refused.value.problems[0].what == (
        "duplicates: 1 of 2 rows have other values for a key (moment) that is in the version: "
        "refused (row 1: 2024-01-01 00:00:00)"
    )
    (folder,) = (team.stores / "quarantine" / "toy-points").iterdir()
    assert "have other values for a key" in (folder / "reason.md").read_text()


LATE = HEAD + "2024-01-05,3,left,2\n2024-01-13,3,left,2\n2024-02-01,3,left,2\n2024-01-01,1,left,2\n"


def test_late_rows_are_dropped_with_a_count_kept_and_told_in_the_log(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    say(team, allowedLateness="7d", lateRows="drop")
    take(team, "one", FIRST)
    team.commit("First")
    team.write(f"{RAW}/late.csv", LATE)
    assert run(["data", "validate", "toy-points", "--batch", f"{RAW}/late.csv"]) == Exit.DONE
    assert "lateness: 1 of 4 rows are late" in capsys.readouterr().err
    assert run(["data", "ingest", "toy-points", f"{RAW}/late.csv", "--json"]) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    kept = f"../stores/dropped/toy-points/{digests.short(digests.of_bytes(LATE.encode()))}"
    assert told["dropped"] == [
        {"file": f"{RAW}/late.csv", "late": 1, "duplicates": 0, "kept": kept}
    ]
    assert (told["added"], told["unchanged"]) == (2, 1)
    assert (team.root / kept / "late.csv").read_text() == HEAD + "2024-01-05,3,left,2\n"
    team.commit("Late")
    run(["data", "log", "toy-points"])
    assert "dropped 1 late and 0 duplicate rows" in capsys.readouterr().out
    assert run(["data", "ingest", "toy-points", f"{RAW}/one.csv"]) == Exit.DONE
    assert "one.csv: is in the version already, not taken again" in capsys.readouterr().out


def test_late_rows_are_refused_or_taken_and_told(team: Team) -> None:
    say(team, allowedLateness="7d", lateRows="refuse")
    take(team, "one", FIRST)
    with pytest.raises(NotGood) as refused:
        take(team, "late", LATE)
    said = (
        "lateness: 1 of 4 rows are late, `moment` is more than 7 days before the newest event, "
        "2024-01-20 00:00: {} (row 1: 2024-01-05 00:00:00)"
    )
    assert refused.value.problems[0].what == said.format("refused")
    say(team, allowedLateness="7d")
    done = take(team, "late", LATE)
    assert (done.added, done.dropped) == (3, ())
    assert [each.what for each in done.warnings] == ["warning: " + said.format("taken, and told")]


def test_a_version_of_which_rows_were_dropped_is_made_again_of_its_raw_files(team: Team) -> None:
    take(team, "early", HEAD + "2024-01-25,1,left,2\n2024-01-03,1,left,2\n")
    take(team, "before-the-policy", HEAD + "2024-01-03,2,left,2\n")
    say(team, deduplication="keepFirst", allowedLateness="7d", lateRows="drop")
    take(team, "both", HEAD + "2024-01-25,9,left,2\n2024-01-02,9,left,2\n2024-01-26,9,left,2\n")
    done = take(team, "late", HEAD + "2024-01-18,9,left,2\n2024-01-27,9,left,2\n")
    assert rows_of(team, done) == [("01-03", 2), ("01-25", 1), ("01-26", 9), ("01-27", 9)]
    shutil.rmtree(team.stores)
    assert digests.of_file(pins.fetch(team.repo, done.new)) == done.new.digest


def test_a_stream_says_that_it_is_not_held_to_what_is_of_deliveries(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from io import BytesIO

    from mlops.commands.data_stream import stream

    say(team, deduplication="refuse")
    stream(team.repo, "toy-points", BytesIO())
    assert "is refused; it is about a delivery" in capsys.readouterr().err


@dataclass
class Version:
    """A version by the rules of `ingest`, in memory: what holds of any number of deliveries."""

    contract: Contract
    state: State = field(default_factory=State)
    known: set[int] = field(default_factory=set)

    def take(self, number: int, rows: pd.DataFrame) -> None:
        policy = policy_of(self.contract)
        once = read(self.contract, single(self.contract, policy, rows).rows).rows
        if number in self.known or once.duplicated(list(self.contract.primary_key)).any():
            return
        received = receive(self.contract, policy, self.state, once)
        if all(each.passed or not each.rule.stops for each in received.outcomes):
            self.state = put_in(self.contract, policy, self.state, received.rows)
            self.known.add(number)

    @property
    def rows(self) -> Any:
        rows = self.state.rows
        return None if rows is None else rows.to_csv(index=False)


ROW = st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(0, 2))
DELIVERIES = st.lists(st.lists(ROW, min_size=1, max_size=4), min_size=1, max_size=6)
SAID = st.fixed_dictionaries(
    {"allowedLateness": st.sampled_from(["1d", "3d"]), "eventTime": st.just("at")},
    optional={
        "deduplication": st.sampled_from(["keepLast", "keepFirst", "refuse"]),
        "lateRows": st.sampled_from(["accept", "drop", "refuse"]),
    },
)


@pytest.mark.slow
@given(DELIVERIES, SAID, st.lists(st.integers(0, 5), max_size=12))
# What was too late stays so when the row of the newest event is given an earlier one.
@example(
    [[(0, 9, 0)], [(1, 5, 0)], [(0, 7, 1)]],
    {"allowedLateness": "3d", "eventTime": "at", "lateRows": "refuse"},
    [1],
)
def test_the_same_deliveries_again_in_any_order_leave_the_version_as_it_is(
    deliveries: list[list[tuple[int, int, int]]], said: dict[str, str], again: list[int]
) -> None:
    value = contract_of(column(), column(name="at", logicalType="timestamp")).model_dump(
        by_alias=True, exclude_none=True
    )
    properties = [{"property": key, "value": each} for key, each in said.items()]
    contract = validated(value | {"customProperties": properties}, "contract", Contract)
    frames = [
        pd.DataFrame(
            [(str(key), f"2024-01-0{day}", str(v)) for key, day, v in rows],
            range(1, len(rows) + 1),
            ["id", "at", "v"],
            dtype="str",
        )
        for rows in deliveries
    ]
    version = Version(contract)
    for number, frame in enumerate(frames):
        version.take(number, frame)
    rows, known = version.rows, set(version.known)
    for number in again:
        version.take(number % len(frames), frames[number % len(frames)])
    assert (version.rows, version.known) == (rows, known)
