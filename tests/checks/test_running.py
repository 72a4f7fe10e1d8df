"""Whatever happens in a part becomes a result, written whole."""

from pathlib import Path

import pytest

from mlops.checks import policy
from mlops.checks.running import run_part, write
from mlops.errors import Exit, MlopsError, NotGood, NotHere, Problem, bad_input
from mlops.specs.base import parse
from mlops.specs.result import Result
from tests.checks.contexts import context_of, told
from tests.team import Team

WRONG = Problem("one", "is wrong", "correct it")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (bad_input("one", "is wrong", "correct it"), "not good"),
        (NotGood(WRONG), "not good"),
        (NotHere(WRONG), "not evaluated"),
    ],
)
def test_an_error_of_a_part_is_its_result(
    team: Team, monkeypatch: pytest.MonkeyPatch, error: MlopsError, outcome: str
) -> None:
    def fails(_: object) -> Result:
        raise error

    monkeypatch.setattr(policy, "run", fails)
    found = run_part(context_of(team, "policy"))
    assert (found.outcome, told(found)) == (outcome, "one: is wrong; correct it\n")


def test_a_fault_of_the_tool_blocks_and_is_told(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "run", lambda _: 1 / 0)
    found = run_part(context_of(team, "policy"))
    assert found.outcome == "not evaluated"
    assert "unexpected ZeroDivisionError: division by zero" in told(found)


def test_a_result_is_written_under_the_name_of_its_share(team: Team, tmp_path: Path) -> None:
    found = run_part(context_of(team, "policy"))
    path = write(found, tmp_path / "results")
    assert path.name == "policy-1-of-1.json"
    assert parse(path.read_bytes(), path.name, Result) == found


def test_a_part_alone_writes_its_file_and_says_so_by_its_exit_code(
    team: Team, tmp_path: Path
) -> None:
    team.write("infra/other.yaml", "a:   1\n")
    team.commit("Wrong", push=False)
    said = team.mlops("check", "--part", "policy", "--out", str(tmp_path / "out"))
    assert said.returncode == Exit.NOT_GOOD
    assert "infra/other.yaml:1: yamllint: too many spaces" in said.stderr
    assert (tmp_path / "out" / "policy-1-of-1.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--part", "policies"), "--part policies: is not a part of the checks"),
        (("--part", "policy", "--shard", "2/2"), "--shard 2/2: is not a share of policy"),
        (("--shard", "1/1"), "--shard: stands without --part; name the part too\n"),
        (("--base", "nowhere"), "nowhere: is not a commit of this repository"),
    ],
)
def test_a_wrong_call_ends_with_2(team: Team, arguments: tuple[str, ...], said: str) -> None:
    team.write("infra/other.yaml", "a: 1\n")
    done = team.mlops("check", *arguments)
    assert done.returncode == Exit.BAD_INPUT
    assert done.stderr.startswith(said)
