"""Two commands never change one clone at once."""

import os
from pathlib import Path

import pytest

from mlops.errors import BadInput
from mlops.lock import only_one
from tests.team import Team


def test_the_second_command_is_refused_and_told_who_holds_the_clone(team: Team) -> None:
    with team.repo.exclusive("mlops release"):
        done = team.mlops("promote", "toy", "--to", "staging")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"{team.root / '.git' / 'mlops.lock'}: is held by `mlops release` (process {os.getpid()}); "
        "wait until that has ended, then run this again"
    )


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), only_one(tmp_path, "mlops a"):
        raise RuntimeError
    with only_one(tmp_path, "mlops b"):
        pass


def test_inside_the_lock_the_same_folder_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path, "mlops a"), pytest.raises(BadInput), only_one(tmp_path, "mlops b"):
        pass
