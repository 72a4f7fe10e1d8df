"""Part `code`: lint, format and types of what changed, told by file and line."""

from dataclasses import replace

from mlops.checks.code import run
from mlops.checks.context import Share
from mlops.checks.found import unreadable
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


def test_a_binary_file_is_told_once_and_its_folder_is_not_typed(team: Team) -> None:
    (team.root / FEATURES).write_bytes(b"\xff\x00")
    found = run(context_of(team, "code"))
    assert unreadable([found])
    assert told(found) == (
        f"{FEATURES}: is binary (byte 0 is not UTF-8 text) where text is expected; "
        "restore the file, or name it for what it is\n"
    )


def test_each_shard_types_folders_of_its_own_and_one_lints(team: Team) -> None:
    for name in ("models/one", "models/two"):
        team.write(f"{name}/train.py", 'import os\n\nLIMIT: int = "ten"\n')
    context = context_of(team, "code")
    shards = [replace(context, share=Share("code", shard=n, of=2)) for n in (1, 2)]
    first, second = (told(run(each)) for each in shards)
    assert first.count("ruff: F401") == 2
    assert "models/one/train.py:3: mypy" in first
    assert second.splitlines() == [line for line in second.splitlines() if "models/two" in line]
    assert "models/two/train.py:3: mypy" in second


def test_a_name_that_looks_like_an_option_stays_a_name(team: Team) -> None:
    team.write("--fix.py", "import os\n")
    found = run(context_of(team, "code"))
    assert "--fix.py:1: ruff: F401" in told(found)


def test_what_is_removed_is_not_looked_at(team: Team) -> None:
    (team.root / FEATURES).unlink()
    (team.root / "models/toy-line/train.py").unlink(missing_ok=True)
    assert run(context_of(team, "code")).outcome == "good"
