"""mlops due tells which services a merge has to bring out."""

import json
import os
import subprocess
import sys
from pathlib import Path

from mlops.data import pin as pins
from tests.environments.shelf import shelf_of
from tests.team import Team

FEATURES = "models/toy-line/features.py"


def due(team: Team, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command with environment variables of a job."""
    return subprocess.run(
        [sys.executable, "-m", "mlops", "due", *args],
        cwd=team.root, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, env={**os.environ, **environment},
    )  # fmt: skip


def shared(team: Team, *, pinned: bool = True) -> None:
    """Stores in a folder that every machine sees, and a version of the data that is pinned."""
    if pinned:
        pin = pins.pin_of("toy-points", b"rows", 1, "1.0.0")
        team.write(pins.pin_path("toy-points"), pins.to_dvc(pin))
    text = (team.root / "mlops.toml").read_text().replace('"../stores"', f'"{team.stores}"')
    team.write("mlops.toml", text)
    team.commit("Share the stores")


def test_a_service_whose_models_change_is_due(team: Team, tmp_path: Path) -> None:
    shared(team)
    team.write(FEATURES, (team.root / FEATURES).read_text() + "\nMORE = 1\n")
    team.commit("Change the features")
    output = tmp_path / "output"
    done = due(team, "--base", "HEAD~1", "--github", GITHUB_OUTPUT=str(output))
    assert (done.returncode, done.stdout) == (0, "toy\n"), done.stderr
    services, anything, *others = output.read_text().splitlines()
    assert json.loads(services.removeprefix("services=")) == {"include": [{"service": "toy"}]}
    assert anything == "any=true"
    assert others == ['promotions={"include": []}', "promotable=false", "stores=true"]


def test_a_service_without_a_release_is_due_until_it_has_one(team: Team) -> None:
    shared(team)
    assert due(team).stdout == "toy\n"
    shelf_of(team).put(1, "dev")
    assert due(team).stdout == "Nothing is due.\n"


def test_a_service_whose_data_was_never_ingested_is_not_due_and_waits_in_one_line(
    team: Team,
) -> None:
    shared(team, pinned=False)
    found = due(team)
    assert (found.returncode, found.stdout) == (0, "Nothing is due.\n")
    assert found.stderr == (
        "toy-line waits for data: no version of toy-points is pinned yet; "
        "mlops data ingest toy-points FILE...\n"
    )


def test_what_an_earlier_push_changed_stays_due_until_it_is_released(team: Team) -> None:
    shared(team)
    shelf_of(team).put(1, "dev")
    team.write(FEATURES, (team.root / FEATURES).read_text() + "\nMORE = 1\n")
    team.commit("Change the features")
    team.write("README.md", "words\n")
    team.commit("Words")
    assert due(team).stdout == "toy\n"
    shelf_of(team).put(2, "dev")
    assert due(team).stdout == "Nothing is due.\n"


def test_a_release_that_was_taken_back_is_not_due_again_until_something_changes(
    team: Team,
) -> None:
    shared(team)
    shelf_of(team).put(1, "dev")
    team.write(FEATURES, (team.root / FEATURES).read_text() + "\nMORE = 1\n")
    team.commit("Change the features")
    shelf = shelf_of(team)
    shelf.put(2, "dev")
    shelf.revert()
    assert due(team).stdout == "Nothing is due.\n"
    team.write(FEATURES, (team.root / FEATURES).read_text() + "\nMORE = 2\n")
    team.commit("Correct the features")
    assert due(team).stdout == "toy\n"


def test_words_make_nothing_due(team: Team) -> None:
    shared(team)
    team.write("README.md", "words\n")
    team.commit("Words")
    assert due(team, "--base", "HEAD~1").stdout == "Nothing is due.\n"


def test_a_service_that_the_first_environment_does_not_serve_is_not_due(team: Team) -> None:
    shared(team)
    team.git("rm", "--quiet", "-r", "environments/dev/toy")
    team.write(FEATURES, (team.root / FEATURES).read_text() + "\nMORE = 1\n")
    team.commit("Change the features, serve nothing")
    assert due(team, "--base", "HEAD~1").stdout == "Nothing is due.\n"


def test_without_stores_nothing_is_due_and_the_summary_names_init(
    team: Team, tmp_path: Path
) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary.md"
    done = due(
        team, "--github", GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary)
    )  # fmt: skip
    assert done.returncode == 0
    nothing = '{"include": []}'
    assert output.read_text() == (
        f"services={nothing}\nany=false\npromotions={nothing}\npromotable=false\nstores=false\n"
    )
    assert "mlops init --registry URL --data URL" in summary.read_text()
    assert "mlops init" in done.stdout


def test_a_base_that_is_not_here_is_told(team: Team) -> None:
    shared(team)
    done = due(team, "--base", "f" * 40)
    assert done.returncode == 2
    assert done.stderr.startswith("f" * 40 + ": is not a commit of this repository")
