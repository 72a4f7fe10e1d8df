"""Part `code`: lint, format and types of what changed, told by file and line."""

from mlops.checks.code import run
from tests.checks.contexts import context_of, told
from tests.team import Team

FEATURES = "models/toy-line/features.py"


def test_a_clean_change_is_good(team: Team) -> None:
    path = team.root / FEATURES
    path.write_text(path.read_text() + "\n\nMORE: int = 1\n")
    found = run(context_of(team, "code"))
    assert (told(found), found.outcome) == ("", "good")
    assert found.summary == "lint, format and types of 1 Python file"


def test_each_tool_tells_what_is_wrong_with_a_model_by_its_line(team: Team) -> None:
    team.write(FEATURES, 'import os\n\nLIMIT: int = "ten"\nother = [1,2]\n')
    said = told(run(context_of(team, "code")))
    assert f"{FEATURES}:1: ruff: F401 `os` imported but unused" in said
    assert f"{FEATURES}:4: ruff: File would be reformatted; run `ruff format` on it" in said
    assert f"{FEATURES}:3: mypy: Incompatible types in assignment" in said


def test_a_file_that_is_no_python_is_told_with_its_line(team: Team) -> None:
    team.write(FEATURES, "def broken(:\n")
    found = run(context_of(team, "code"))
    assert found.outcome == "not good"
    assert f"{FEATURES}:1: ruff: invalid-syntax" in told(found)


def test_a_name_that_looks_like_an_option_stays_a_name(team: Team) -> None:
    team.write("--fix.py", "import os\n")
    found = run(context_of(team, "code"))
    assert "--fix.py:1: ruff: F401" in told(found)


def test_what_is_removed_is_not_looked_at(team: Team) -> None:
    (team.root / FEATURES).unlink()
    (team.root / "models/toy-line/train.py").unlink(missing_ok=True)
    assert run(context_of(team, "code")).outcome == "good"
