"""Steps: what they tell of what they read and wrote, by OpenLineage, whatever happens to them."""

import copy
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops import digests
from mlops.cli import run
from mlops.data.ingest import ingest
from mlops.errors import Exit, NotGood, bad_input
from mlops.files import read_whole, write_whole
from mlops.lineage import told
from mlops.lineage.kept import Kept
from mlops.lineage.step import recorded, recording
from mlops.lineage.told import Thing
from mlops.repository import Repository
from tests.lineage import standard
from tests.lineage.marquez import Marquez, running
from tests.lineage.named import events
from tests.team import ROOT, Team

JANUARY = "data-contracts/toy-points/raw/2024-01.csv"
BROKEN = ROOT / "tests" / "fixtures" / "invalid" / "data-outliers" / "batch.csv"


def names(datasets: list[dict[str, Any]]) -> list[str]:
    return sorted(one["name"] for one in datasets)


def version(dataset: dict[str, Any]) -> str:
    found: str = dataset["facets"]["version"]["datasetVersion"]
    return found


def by_name(datasets: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in datasets if one["name"] == name)


def test_an_ingest_names_its_raw_file_contract_code_and_the_version_by_content(team: Team) -> None:
    done = ingest(team.repo, "toy-points", [team.root / JANUARY])
    start, end = events(team)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"]
    assert end["job"]["name"] == "data.ingest.toy-points"
    assert end["job"]["facets"]["sourceCodeLocation"]["version"] == team.git("rev-parse", "HEAD")
    assert names(end["inputs"]) == [
        "file/data-contracts/toy-points.odcs.yaml",
        "file/data-contracts/toy-points/ingest.py",
        "file/mlops.toml",
        "file/requirements/data.txt",
        f"raw/{JANUARY}",
    ]
    raw = by_name(end["inputs"], f"raw/{JANUARY}")
    assert version(raw) == digests.of_file(team.root / JANUARY)
    assert all(one["success"] for one in raw["inputFacets"]["dataQualityAssertions"]["assertions"])
    rows = by_name(end["outputs"], "dataset/toy-points")
    assert version(rows) == done.new.digest
    assert rows["outputFacets"]["outputStatistics"]["rowCount"] == done.new.rows
    columns = [one["name"] for one in rows["facets"]["schema"]["fields"]]
    assert columns == ["moment", "x", "side", "y"]
    places = [one["name"] for one in rows["facets"]["symlinks"]["identifiers"]]
    assert f"<stores>/datasets/{done.new.digest.removeprefix('sha256:')}.parquet" in places


def test_every_event_is_one_by_the_standard(team: Team) -> None:
    ingest(team.repo, "toy-points", [team.root / JANUARY])
    (team.root / "batch.csv").write_bytes(BROKEN.read_bytes())
    with pytest.raises(NotGood):
        ingest(team.repo, "toy-points", [team.root / "batch.csv"])
    with recording(team.repo, "outer", "x"), recording(team.repo, "inner", "x"):
        told.wrote(team.root / "model", "sha256:0", Thing("model", "toy-line", label="1"))
    found = events(team)
    assert len(found) == 8
    for event in found:
        standard.check(event)
    facets = {name for event in found for one in event["inputs"] for name in one["inputFacets"]}
    assert facets == {"dataQualityAssertions"}


SPOILED: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("no run", lambda event: event.pop("run")),
    ("run is no UUID", lambda event: event["run"].update(runId="1")),
    ("no time", lambda event: event.pop("eventTime")),
    ("time is no moment", lambda event: event.update(eventTime="yesterday")),
    ("another state", lambda event: event.update(eventType="DONE")),
    ("unknown key", lambda event: event["job"].update(owner="me")),
    ("facet of another version", lambda event: facet(event).update(_schemaURL="x")),
    ("facet without what it is for", lambda event: facet(event).pop("datasetVersion")),
    ("facet of another type", lambda event: facet(event).update(datasetVersion=1)),
    ("facet in the wrong place", lambda event: event["run"]["facets"].update(version=facet(event))),
]


def facet(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["inputs"][0]["facets"]["version"]
    return found


@pytest.mark.parametrize(
    "spoil", [spoil for _, spoil in SPOILED], ids=[name for name, _ in SPOILED]
)
def test_what_is_not_by_the_standard_is_refused_by_its_judge(
    team: Team, spoil: Callable[[dict[str, Any]], object]
) -> None:
    with recording(team.repo, "check", "x"):
        pass
    event = events(team)[-1]
    standard.check(event)
    spoiled = copy.deepcopy(event)
    spoil(spoiled)
    with pytest.raises(Exception):  # noqa: B017, PT011 - cattrs, attrs and we have errors each
        standard.check(spoiled)


def test_a_step_that_fails_ends_with_its_reason_and_names_what_it_kept(team: Team) -> None:
    (team.root / "batch.csv").write_bytes(BROKEN.read_bytes())
    with pytest.raises(NotGood):
        ingest(team.repo, "toy-points", [team.root / "batch.csv"])
    end = events(team)[-1]
    assert end["eventType"] == "FAIL"
    assert "outliers" in end["run"]["facets"]["errorMessage"]["message"]
    assert version(by_name(end["outputs"], "batch/toy-points")) == digests.of_file(BROKEN)
    rules = by_name(end["inputs"], "raw/batch.csv")["inputFacets"]["dataQualityAssertions"]
    assert not all(one["success"] for one in rules["assertions"])


def test_an_exit_code_other_than_0_is_a_failure(team: Team) -> None:
    @recorded("check")
    def checked(repo: Repository, subject: str, /) -> int:
        return Exit.NOT_GOOD

    assert checked(team.repo, "x") == Exit.NOT_GOOD
    end = events(team)[-1]
    assert (end["eventType"], end["job"]["name"]) == ("FAIL", "check.x")
    assert end["run"]["facets"]["errorMessage"]["message"] == "exit code 1"


def test_what_is_interrupted_is_aborted(team: Team) -> None:
    with pytest.raises(KeyboardInterrupt), recording(team.repo, "train", "x"):
        raise KeyboardInterrupt
    assert events(team)[-1]["eventType"] == "ABORT"


def test_a_step_under_way_has_its_start_alone(team: Team) -> None:
    with recording(team.repo, "train", "x"):
        assert [event["eventType"] for event in events(team)] == ["START"]


def test_a_step_in_a_step_has_a_parent_and_what_it_wrote_is_read_by_that(team: Team) -> None:
    with recording(team.repo, "release", "toy"), recording(team.repo, "build", "toy"):
        told.wrote(team.stores / "bentos", "sha256:1", Thing("bento", "toy"))
    ends = {one["job"]["name"]: one for one in events(team) if one["eventType"] == "COMPLETE"}
    build, release = ends["build.toy"], ends["release.toy"]
    assert build["run"]["facets"]["parent"]["run"]["runId"] == release["run"]["runId"]
    assert names(build["outputs"]) == ["bento/toy"]
    assert "bento/toy" in names(release["inputs"])
    assert release["outputs"] == []


def test_a_step_within_itself_is_one_run(team: Team) -> None:
    with recording(team.repo, "train", "x"), recording(team.repo, "train", "x"):
        pass
    assert len(events(team)) == 2


def test_own_writes_are_no_inputs_copies_no_outputs_and_what_went_was_never_there(
    team: Team,
) -> None:
    rows = Thing("dataset", "toy-points")
    with recording(team.repo, "work", "x"):
        write_whole(team.root / "mine.txt", "mine")
        read_whole(team.root / "mine.txt")
        write_whole(team.root / "passing.txt", "x")
        (team.root / "passing.txt").unlink()
        told.read(team.root / "from", "sha256:2", rows)
        told.wrote(team.root / "to", "sha256:2", rows)
    end = events(team)[-1]
    assert names(end["inputs"]) == ["dataset/toy-points", "file/mlops.toml"]
    assert names(end["outputs"]) == ["file/mine.txt"]
    copied = by_name(end["inputs"], "dataset/toy-points")["facets"]["symlinks"]["identifiers"]
    assert [one["name"] for one in copied] == ["from", "to"]


def test_what_is_read_of_a_commit_is_named_by_path_and_content(team: Team) -> None:
    layout = team.repo.commit("HEAD")
    committed = (team.root / "mlops.toml").read_bytes()
    team.write("mlops.toml", committed.decode() + "\n# more\n")
    with recording(team.repo, "work", "x"):
        layout.tree.read("mlops.toml")
    end = events(team)[-1]
    assert {version(one) for one in end["inputs"] if one["name"] == "file/mlops.toml"} == {
        digests.of_bytes(committed),
        digests.of_file(team.root / "mlops.toml"),
    }


def test_a_full_disk_costs_the_events_and_not_the_step(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    (team.stores).mkdir()
    (team.stores / "lineage").write_text("a file where the folder should be")
    with recording(team.repo, "work", "x"):
        write_whole(team.root / "made.txt", "x")
    assert (team.root / "made.txt").read_text() == "x"
    assert capsys.readouterr().err.startswith(f"lineage: {team.stores}/lineage/")


@pytest.fixture
def marquez(monkeypatch: pytest.MonkeyPatch) -> Iterator[Marquez]:
    for name in ("URL", "ENDPOINT", "API_KEY", "DISABLED"):
        monkeypatch.delenv(f"OPENLINEAGE_{name}", raising=False)
    with running() as server:
        yield server


def test_events_are_posted_where_the_standards_variables_say(
    team: Team, marquez: Marquez, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", f"{marquez.url}/")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "key-1")
    with recording(team.repo, "train", "x"):
        pass
    assert marquez.states == ["START", "COMPLETE"]
    assert {place[:2] for place in marquez.taken} == {("/api/v1/lineage", "Bearer key-1")}
    assert marquez.taken[1][2] == events(team)[1]
    assert Kept(team.stores).unsent() == []


def test_mlops_toml_may_name_the_backend_and_a_variable_switches_it_off(
    team: Team, marquez: Marquez, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", f'{toml}\n[lineage]\nurl = "{marquez.url}"\n')
    with recording(team.repo, "train", "x"):
        pass
    assert marquez.states == ["START", "COMPLETE"]
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    with recording(team.repo, "train", "x"):
        pass
    assert len(marquez.taken) == 2


@pytest.mark.parametrize("status", [401, 500])
def test_what_is_not_taken_is_told_and_sent_with_a_later_step(
    team: Team,
    marquez: Marquez,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", marquez.url)
    marquez.status = status
    with recording(team.repo, "train", "x"):
        pass
    assert capsys.readouterr().err == (
        f"lineage: {marquez.url}/api/v1/lineage: did not take lineage events ({status}); "
        "the events stay in the stores and are sent after a later step\n"
    )
    marquez.status = 201
    with recording(team.repo, "score", "x"):
        pass
    assert sorted(event["job"]["name"] for _, _, event in marquez.taken) == [
        *["score.x"] * 2,
        *["train.x"] * 2,
    ]


def test_a_backend_that_is_not_there_is_told_and_fails_nothing(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9")
    with recording(team.repo, "train", "x"):
        pass
    assert "127.0.0.1:9/api/v1/lineage: does not answer (ConnectionRefused" in (
        capsys.readouterr().err
    )
    assert len(Kept(team.stores).unsent()) == 1


def test_events_that_are_refused_for_what_they_are_hold_up_no_others(
    team: Team,
    marquez: Marquez,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", marquez.url)
    marquez.status = 422
    with recording(team.repo, "train", "x"):
        pass
    assert "refuses the events of" in capsys.readouterr().err
    assert Kept(team.stores).unsent() == []


def test_an_address_with_a_password_is_refused(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = (team.root / "mlops.toml").read_text()
    address = "http://me:word@host"  # pragma: allowlist secret
    team.write("mlops.toml", f'{toml}\n[lineage]\nurl = "{address}"\n')
    with pytest.raises(type(bad_input("", "", ""))) as caught:
        _ = team.repo.project
    assert "`lineage.url` is" in str(caught.value)
    assert "word" not in str(caught.value)


def test_steps_at_once_each_have_a_file(team: Team) -> None:
    def work(number: int) -> None:
        with recording(team.repo, "work", f"n{number}"):
            write_whole(team.root / f"{number}.txt", str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ends = [one for one in events(team) if one["eventType"] == "COMPLETE"]
    assert sorted(names(one["outputs"])[0] for one in ends) == [f"file/{n}.txt" for n in range(8)]
    assert all(len(one["outputs"]) == 1 for one in ends)


def test_a_command_that_only_looks_is_no_step(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    assert run(["status"]) == Exit.DONE
    assert events(team) == []
    assert not Path(team.stores / "lineage").exists()
