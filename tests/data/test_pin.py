"""Pins are DVC files; content is fetched from the DVC remote and verified."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlops.data import pin as pins
from mlops.errors import BadInput
from tests.team import Team

CONTENT = b"the bytes of a version"


def published(team: Team, content: bytes = CONTENT) -> pins.Pin:
    pin = pins.pin_of("toy-points", content, rows=3, contract="1.0.0")
    pins.publish(team.repo, pin, content)
    return pin


def test_a_published_pin_is_read_back_and_its_content_fetched(team: Team) -> None:
    pin = published(team)
    assert pins.read_pin(team.repo, "toy-points") == pin
    assert pins.fetch(team.repo, pin).read_bytes() == CONTENT


def test_the_content_comes_from_the_dvc_remote_when_the_clone_has_none(team: Team) -> None:
    pin = published(team)
    pins.stored(team.repo, pin).unlink()
    assert pins.fetch(team.repo, pin).read_bytes() == CONTENT


def test_a_commit_pins_what_it_pinned_whatever_the_work_tree_says(team: Team) -> None:
    pin = published(team)
    commit = team.commit("Pin")
    published(team, b"newer")
    assert pins.read_pin(team.repo.commit(commit), "toy-points") == pin


def test_publishing_leaves_the_work_tree_clean_but_for_the_pin(team: Team) -> None:
    published(team)
    assert team.repo.git.uncommitted() == ["data-contracts/toy-points.dvc"]


def test_an_altered_object_of_the_remote_is_refused_and_not_stored(team: Team) -> None:
    pin = published(team)
    pins.stored(team.repo, pin).unlink()
    altered = team.stores / "dvc" / "files" / "md5" / pin.md5[:2] / pin.md5[2:]
    altered.chmod(0o644)
    altered.write_bytes(b"altered")
    with pytest.raises(BadInput, match="restore the remote's object, or correct the pin"):
        pins.fetch(team.repo, pin)
    assert not pins.stored(team.repo, pin).exists()


def test_an_altered_stored_file_is_written_anew_by_the_next_ingest(team: Team) -> None:
    pin = published(team)
    pins.stored(team.repo, pin).write_bytes(b"altered")
    pins.publish(team.repo, pin, CONTENT)
    assert pins.fetch(team.repo, pin).read_bytes() == CONTENT


def test_stored_content_that_is_another_is_told_never_used_and_fetched_again(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = published(team)
    stored = pins.stored(team.repo, pin)
    stored.write_bytes(CONTENT[:-1] + b"x")  # a disk that rots
    assert pins.fetch(team.repo, pin).read_bytes() == CONTENT
    assert stored.read_bytes() == CONTENT
    assert "it is not used but fetched again" in capsys.readouterr().err


def test_a_remote_that_cannot_be_used_leaves_the_pin_as_it_was(team: Team) -> None:
    pin = published(team)
    team.stores.joinpath("blocked").write_text("a file where the remote's folder should be")
    team.write(
        "mlops.toml",
        (team.root / "mlops.toml").read_text() + 'data = "../stores/blocked"\n',
    )
    with pytest.raises(BadInput) as caught:
        published(team, b"newer")
    (problem,) = caught.value.problems
    assert problem.path == "../stores/blocked"
    assert problem.what.startswith("cannot be used as DVC remote (")
    assert problem.fix == "correct it, or `data` below [stores] in mlops.toml"
    assert pins.read_pin(team.repo, "toy-points") == pin


def test_a_clone_without_a_dvc_folder_can_publish_and_fetch(team: Team) -> None:
    for file in sorted((team.root / ".dvc").rglob("*"), reverse=True):
        file.unlink()
    (team.root / ".dvc").rmdir()
    pin = published(team)
    pins.stored(team.repo, pin).unlink()
    assert pins.fetch(team.repo, pin).read_bytes() == CONTENT
    assert not (team.root / ".dvc").exists()


def test_a_remote_that_a_person_set_up_by_hand_is_left_as_it_is(team: Team) -> None:
    own = "[core]\n    remote = mine\n['remote \"mine\"']\n    url = s3://example/mine\n"
    team.write(".dvc/config.local", own)
    published(team)
    kept = (team.root / ".dvc" / "config.local").read_text()
    assert "remote = mine" in kept
    assert "s3://example/mine" in kept


@pytest.mark.slow
def test_dvc_by_hand_reads_the_pin_and_pulls_the_table(team: Team, tmp_path: Path) -> None:
    pin = published(team)

    def dvc(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *args],
            cwd=team.root,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "DVC_SITE_CACHE_DIR": str(tmp_path / "site")},
        )
        return done.stdout

    dvc("pull")
    assert (team.root / "data-contracts" / "toy-points" / "table.parquet").read_bytes() == CONTENT
    assert "up to date" in dvc("status")
    assert team.repo.git.uncommitted() == ["data-contracts/toy-points.dvc"]
    written = yaml.safe_load((team.root / "data-contracts" / "toy-points.dvc").read_text())
    assert written["outs"][0]["md5"] == pin.md5
