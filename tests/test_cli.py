"""The command line: help, exit codes, the error form."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlops.cli import COMMANDS, cli, run
from tests.team import Team


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    shown = CliRunner().invoke(cli, [verb, "--help"])
    assert shown.exit_code == 0
    assert f"Example: mlops {verb}" in shown.output


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from mlops.cli import run; run(['--help']);"
        "heavy = {'pandas', 'numpy', 'mlflow', 'great_expectations', 'bentoml', 'dvc', 'lightgbm'};"
        "sys.exit(sorted(heavy & set(sys.modules)).__repr__() if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_unknown_verb_is_the_callers_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy"]) == 2
    assert "No such command 'deploy'" in capsys.readouterr().err


def test_outside_a_clone_the_command_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlops", "plan"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == f"{tmp_path}: no mlops.toml here or above; run this in a clone of the template\n"
    )


def test_plan_names_what_a_change_reaches(team: Team) -> None:
    team.write(
        "models/toy-line/train.py", (team.root / "models/toy-line/train.py").read_text() + "\n"
    )
    done = team.mlops("plan", "--json")
    assert done.returncode == 0
    assert '"models": ["toy-line"], "services": ["toy"]' in done.stdout
