"""Part `tests`: the tests of what changed are run, and their failures told."""

import dataclasses

import pytest

from mlops.checks.context import Share
from mlops.checks.tests import _dealt, run
from tests.checks.contexts import context_of, told
from tests.team import Team

TEST = "models/toy-line/tests/test_it.py"


def test_a_change_that_no_test_reads_runs_none(team: Team) -> None:
    team.write("README.md", "words\n")
    found = run(context_of(team, "tests"))
    assert found.outcome == "good"
    assert found.summary.startswith("no test is there")


@pytest.mark.slow
def test_failing_tests_of_an_affected_model_are_told_with_their_last_lines(team: Team) -> None:
    team.write(TEST, "def test_one():\n    pass\n\n\ndef test_two():\n    assert 1 + 1 == 3\n")
    team.write("models/toy-line/features.py", "CHANGED = 1\n")
    found = run(context_of(team, "tests"))
    assert found.outcome == "not good"
    assert found.summary == "2 tests run, 1 failed"
    assert "test_two: " in told(found)
    assert "assert (1 + 1) == 3" in told(found)


@pytest.mark.slow
def test_tests_that_cannot_be_imported_are_told(team: Team) -> None:
    team.write(TEST, "import nothing_of_that_name\n")
    team.write("models/toy-line/features.py", "CHANGED = 1\n")
    found = run(context_of(team, "tests"))
    assert found.outcome == "not good"
    assert "nothing_of_that_name" in told(found)


def test_each_test_file_is_in_exactly_one_shard(team: Team) -> None:
    names = [f"models/toy-line/tests/test_{number}.py" for number in range(7)]
    for name in names:
        team.write(name, "x = 1\n" * len(name))
    context = context_of(team, "tests")
    shards = [
        _dealt(dataclasses.replace(context, share=Share("tests", (), shard, 3)), ["models"])
        for shard in (1, 2, 3)
    ]
    assert sorted(name for shard in shards for name in shard) == names
