"""A dataset's versions in Git: listed, compared, taken out, gone back to."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlops.cli import run
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.contract import read_contract
from mlops.data.differences import DataDifference, Side, differences
from mlops.data.history import named, pair
from mlops.data.rollback import roll_back
from mlops.errors import BadInput, Exit, NotGood
from mlops.specs.release import DatasetPin
from tests.data.test_ingest import FEBRUARY, JANUARY, ingested
from tests.releases import Made, files_of, make_decision, release_of
from tests.team import Team

PATH = "data-contracts/toy-points.dvc"


@pytest.fixture
def versions(team: Team) -> tuple[Team, str, str]:
    """January, then January and February, each a commit: the clone and both digests."""
    found = []
    for file in (JANUARY, FEBRUARY):
        found.append(ingested(team, file))
        team.commit(f"Ingest {file.name}")
    return team, found[0], found[1]


def short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def test_a_version_is_named_by_a_digest_or_a_commit(versions: tuple[Team, str, str]) -> None:
    team, first, second = versions
    for text in (short(first), first, "HEAD~1", team.git("rev-parse", "HEAD~1")):
        assert named(team.repo, "toy-points", text).pin.digest == first
    assert named(team.repo, "toy-points", "main").pin.digest == second


@pytest.mark.parametrize("text", ["nothing", "--output=x", "0000000000", "HEAD~9"])
def test_what_names_no_version_is_refused(versions: tuple[Team, str, str], text: str) -> None:
    with pytest.raises(BadInput) as refused:
        named(versions[0].repo, "toy-points", text)
    assert str(refused.value.problems[0]) == (
        f"{PATH}: {text!r} is neither the beginning of a version's digest nor a commit; name one "
        "that `mlops data log toy-points` lists"
    )


def test_without_names_the_newest_change_is_compared(versions: tuple[Team, str, str]) -> None:
    team, first, second = versions
    before, after = pair(team.repo, "toy-points")
    assert (before.pin.digest, after.pin.digest) == (first, second)
    team.git("revert", "--no-edit", "HEAD")
    with pytest.raises(NotGood, match="no version was pinned before the one that is pinned now"):
        pair(team.repo, "toy-points")
    (team.root / PATH).write_bytes(named(team.repo, "toy-points", second).content)
    before, after = pair(team.repo, "toy-points")
    assert (before.pin.digest, after.pin.digest) == (first, second)
    assert after.name == f"{short(second)} (in the work tree, in no commit)"


def test_rows_are_counted_by_key_and_the_largest_changes_are_told(
    versions: tuple[Team, str, str], tmp_path: Path
) -> None:
    team, first, _ = versions
    rows = table.load(pins.fetch(team.repo, named(team.repo, "toy-points", first).pin))
    changed = rows.copy()
    changed["y"] += pd.Series({3: 100.0, 7: 1.0}).reindex(changed.index, fill_value=0.0)
    changed.loc[9, "x"] = None
    changed = changed.drop(index=[0, 1]).rename(columns={"side": "hand"})
    found = compared(team, tmp_path, rows, changed)
    assert (found.added, found.removed, found.changed) == (0, 2, 3)
    assert found.unchanged == len(rows) - 5
    columns = {one.name: one for one in found.columns}
    assert columns["y"].changed == 2
    assert [one.after - one.before for one in columns["y"].examples] == [100.0, 1.0]
    assert (columns["x"].missing_before, columns["x"].missing_after) == (0, 1)
    assert (columns["side"].after, columns["hand"].before) == (None, None)


def test_a_version_does_not_differ_from_itself(
    versions: tuple[Team, str, str], tmp_path: Path
) -> None:
    team, first, _ = versions
    rows = table.load(pins.fetch(team.repo, named(team.repo, "toy-points", first).pin))
    found = compared(team, tmp_path, rows, rows)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)
    assert not any(one.differs for one in found.columns)


def compared(team: Team, folder: Path, old: pd.DataFrame, new: pd.DataFrame) -> DataDifference:
    paths = [folder / "old.parquet", folder / "new.parquet"]
    for frame, path in zip((old, new), paths, strict=True):
        frame.to_parquet(path)
    key = read_contract(team.repo, "toy-points").primary_key
    one, other = (Side(path.name, path) for path in paths)
    found = differences(one, other, key, folder / "spill")
    assert list((folder / "spill").iterdir()) == []
    return found


def test_a_rollback_pins_the_bytes_that_were_and_names_what_learned_and_where_it_serves(
    versions: tuple[Team, str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    team, first, second = versions
    monkeypatch.chdir(team.root)
    bytes_of_first = named(team.repo, "toy-points", first).content
    put(team, holding(team, 1, first), "dev", "staging", "prod")
    put(team, holding(team, 2, second), "dev", "staging")
    assert run(["data", "rollback", "toy-points"]) == Exit.DONE
    told = capsys.readouterr().out
    assert (team.root / PATH).read_bytes() == bytes_of_first
    assert team.git("status", "--porcelain") == f"M {PATH}"
    assert f"{short(second)}  toy-line 2 in toy release 2, serves dev, staging" in told
    assert "toy release 1" not in told
    for line in (
        "mlops rollback toy --env staging --to 1",
        "mlops rollback toy --env dev --to 1",
        "mlops retrain toy-line",
        f"git add {PATH}",
    ):
        assert f"  {line}\n" in told
    assert run(["data", "rollback", "toy-points"]) == Exit.DONE, "run again it says the same"
    assert capsys.readouterr().out == told
    team.commit("Back")
    assert run(["data", "rollback", "toy-points"]) == Exit.NOT_GOOD
    assert "no version was pinned before the one that is pinned now" in capsys.readouterr().err
    assert run(["data", "log", "toy-points", "--json"]) == Exit.DONE
    listed = json.loads(capsys.readouterr().out)["versions"]
    assert [each["digest"] for each in listed] == [first, second, first]
    assert listed[0]["back"]
    assert [each["release"] for each in listed[1]["releases"]] == [2]


def test_a_pin_that_is_in_no_commit_is_not_overwritten(versions: tuple[Team, str, str]) -> None:
    team, first, _ = versions
    (team.root / PATH).write_bytes((team.root / PATH).read_bytes() + b"# by hand\n")
    with pytest.raises(NotGood) as refused:
        roll_back(team.repo, "toy-points", short(first))
    assert str(refused.value.problems[0]) == (
        f"{PATH}: is not the one of HEAD; commit it, or take it back: git restore --source=HEAD "
        f"--staged --worktree {PATH}"
    )


def test_a_version_whose_content_nobody_has_is_not_gone_back_to(team: Team, tmp_path: Path) -> None:
    elsewhere = tmp_path / "january.csv"  # not in Git: it cannot be ingested again
    elsewhere.write_bytes((team.root / JANUARY).read_bytes())
    ingested(team, elsewhere)
    team.commit("January")
    first = pins.read_pin(team.repo, "toy-points")
    second = ingested(team, FEBRUARY)
    team.commit("February")
    pins.stored(team.repo, first).unlink()
    (team.stores / "dvc/files/md5" / first.md5[:2] / first.md5[2:]).unlink()
    with pytest.raises(BadInput, match="which is neither in"):
        roll_back(team.repo, "toy-points")
    assert pins.read_pin(team.repo, "toy-points").digest == second
    assert team.git("status", "--porcelain") == ""


def test_a_corrupted_cache_is_told_never_used_and_fetched_again(
    versions: tuple[Team, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    team, _, second = versions
    pin = pins.read_pin(team.repo, "toy-points")
    stored = pins.stored(team.repo, pin)
    whole = stored.read_bytes()
    stored.write_bytes(whole[:100] + b"x" + whole[101:])
    assert pins.fetch(team.repo, pin).read_bytes() == whole
    assert stored.read_bytes() == whole
    assert second == pin.digest
    assert "it is not used but fetched again" in capsys.readouterr().err


def test_a_version_is_taken_out_verified_and_replaces_no_other_file(
    versions: tuple[Team, str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    team, first, _ = versions
    monkeypatch.chdir(team.root)
    line = ["data", "checkout", "toy-points", short(first)]
    assert run([*line, "january.parquet"]) == Exit.DONE
    assert run([*line, "january.parquet"]) == Exit.DONE
    told = capsys.readouterr().out
    assert "written and verified" in told
    assert "is that version already" in told
    assert len(table.load(team.root / "january.parquet")) == 744
    team.write("mine.txt", "mine\n")
    assert run([*line, "mine.txt"]) == Exit.BAD_INPUT
    assert (team.root / "mine.txt").read_text() == "mine\n"
    said = capsys.readouterr().err
    assert said == "mine.txt: is there already, with other content; name a new file\n"
    assert team.git("status", "--porcelain") == "?? january.parquet\n?? mine.txt"


def holding(team: Team, number: int, digest: str) -> Made:
    """A release that learned from a version."""
    made = release_of(team, number)
    pin = DatasetPin(name="toy-points", digest=digest, contract="1.0.0")
    return replace(made, release=made.release.model_copy(update={"datasets": (pin,)}))


def put(team: Team, made: Made, *environments: str) -> None:
    for environment in environments:
        for path, content in files_of(made, environment, make_decision(made, environment)).items():
            team.write(path, content)
        team.commit(f"Put {made.release.release} into {environment}")
