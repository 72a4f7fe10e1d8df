"""A version as a file: verified, and no other file is replaced."""

import pytest

from mlops.cli import run
from mlops.data import table
from mlops.errors import Exit
from tests.team import Team
from tests.versions.conftest import short


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
