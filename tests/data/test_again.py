"""A clone without stores makes a pinned version again from the raw files in Git."""

import shutil
from pathlib import Path

import pytest

from mlops import digests
from mlops.data import pin as pins
from mlops.data.ingest import ingest
from mlops.data.pin import Pin
from mlops.errors import NotHere
from mlops.repository import Repository
from tests.team import Team

RAW = "data-contracts/toy-points/raw"
JANUARY, FEBRUARY = f"{RAW}/2024-01.csv", f"{RAW}/2024-02.csv"
STEP = "data-contracts/toy-points/ingest.py"


def ingested(team: Team, *files: str) -> Pin:
    return ingest(team.repo, "toy-points", [team.root / file for file in files]).new


@pytest.fixture
def pinned(team: Team) -> Pin:
    """January, then February, each ingested by itself and committed; the stores are gone."""
    ingested(team, JANUARY)
    team.commit("January")
    pin = ingested(team, FEBRUARY)
    team.commit("February")
    shutil.rmtree(team.stores)
    return pin


def test_the_pin_records_the_raw_files_in_order(team: Team, pinned: Pin) -> None:
    assert [file.path for file in pinned.raw] == [JANUARY, FEBRUARY]
    assert pins.read_pin(team.repo, "toy-points") == pinned


def test_the_same_content_comes_out_of_the_raw_files(team: Team, pinned: Pin) -> None:
    path = pins.fetch(team.repo, pinned)
    assert digests.of_file(path) == pinned.digest
    assert not (team.stores / "dvc").exists()


def test_an_earlier_version_is_made_again_with_the_files_of_its_commit(
    team: Team, pinned: Pin
) -> None:
    january = pins.read_pin(team.repo.commit("HEAD~1"), "toy-points")
    team.write(STEP, "raise SystemError('another step')\n")
    (team.root / JANUARY).unlink()
    team.commit("Another step, and January is gone")
    for pin in (january, pinned):
        assert digests.of_file(pins.fetch(team.repo, pin)) == pin.digest


def test_what_does_not_give_the_pinned_digest_is_refused_and_not_stored(
    team: Team, pinned: Pin
) -> None:
    other = pinned.model_copy(update={"raw": pinned.raw[:1]})
    with pytest.raises(NotHere, match=r"nor can it be made again .* give sha256:") as caught:
        pins.fetch(team.repo, other)
    (problem,) = caught.value.problems
    assert problem.path == "data-contracts/toy-points.dvc"
    assert not pins.stored(team.repo, pinned).exists()


def test_a_raw_file_that_was_altered_is_not_used_but_the_one_in_git(
    team: Team, pinned: Pin
) -> None:
    text = (team.root / JANUARY).read_text()
    team.write(JANUARY, text.replace("left", "right"))
    assert digests.of_file(pins.fetch(team.repo, pinned)) == pinned.digest


def test_a_clone_whose_only_commit_altered_a_raw_file_says_which(team: Team, pinned: Pin) -> None:
    text = (team.root / JANUARY).read_text()
    team.write(JANUARY, text.replace("left", "right"))
    team.commit("Altered")
    shallow = team.root.parent / "shallow"
    team.git("clone", "--quiet", "--depth", "1", team.forge.as_uri(), str(shallow))
    with pytest.raises(NotHere, match=r"again from its raw files \(\S+ is not the file that was"):
        pins.fetch(Repository.at(shallow), pinned)


def test_files_from_elsewhere_or_ignored_by_git_are_not_recorded(
    team: Team, tmp_path: Path
) -> None:
    shutil.copy(team.root / JANUARY, tmp_path / "january.csv")
    outside = ingest(team.repo, "toy-points", [tmp_path / "january.csv"]).new
    assert outside.raw == ()
    assert ingested(team, FEBRUARY).raw == ()
    (team.root / pins.pin_path("toy-points")).unlink()
    team.write(".gitignore", "*.csv\n")
    team.git("rm", "--quiet", "--cached", "-r", RAW)
    assert ingested(team, JANUARY).raw == ()


def test_a_remote_that_may_not_be_read_is_told_as_not_here(team: Team) -> None:
    pin = pins.pin_of("toy-points", b"content", rows=1, contract="1.0.0")
    team.write("data-contracts/toy-points.dvc", pins.to_dvc(pin))
    settings = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", settings + 'data = "s3://somebody-elses/bucket"\n')
    with pytest.raises(NotHere) as caught:
        pins.fetch(team.repo, pin)
    (problem,) = caught.value.problems
    assert problem.path == "s3://somebody-elses/bucket"
