"""mlops plan, as a person and as a job types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops.checks.planning import planned
from mlops.commands.plan import plan
from mlops.errors import BadInput
from tests.team import Team


def test_a_person_reads_what_is_reached_and_checked(team: Team) -> None:
    team.write("models/toy-line/train.py", "new = 1\n")
    said = team.mlops("plan")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines() == [
        "1 file differs from origin/main",
        "  datasets     -",
        "  models       toy-line",
        "  services     toy",
        "  environments -",
        "  code         yes",
        "  checks       code, tests, models, policy",
    ]


def test_a_first_commit_is_said_to_be_one(team: Team) -> None:
    said = team.mlops("plan", "--base", "HEAD~1")
    assert said.stdout.splitlines()[0].endswith(" differ from the first commit")
    assert said.stdout.splitlines()[-1] == (
        "  checks       code, tests 1-4, contracts, models, environments, policy"
    )


def test_machines_get_the_shares_too(team: Team) -> None:
    team.write("data-contracts/toy-points/ingest.py", "new = 1\n")
    told = json.loads(team.mlops("plan", "--json").stdout)
    assert told["base"] == told["head"] == team.git("rev-parse", "HEAD")
    assert told["changed"] == ["data-contracts/toy-points/ingest.py"]
    assert told["models"] == ["toy-line"]
    shares = {share["part"]: share["names"] for share in told["shares"]}
    assert (shares["contracts"], shares["models"]) == (["toy-points"], ["toy-line"])


def test_a_job_gets_outputs_without_a_name_from_the_repository(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "output"
    output.write_text("kept=1\n")
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    team.write("models/toy-line/a\nany=false", "x")
    team.commit("Hostile", push=False)
    team.write("infra/base/deployment.yaml", "uncommitted")
    assert plan(team.repo, base="HEAD~1", github=True) == 0
    kept, matrix, last = output.read_text().splitlines()
    assert (kept, last) == ("kept=1", "any=true")
    assert json.loads(matrix.removeprefix("matrix=")) == {
        "include": [
            {"part": "tests", "shard": 1, "of": 1},
            {"part": "models", "shard": 1, "of": 1},
            {"part": "policy", "shard": 1, "of": 1},
        ]
    }


def test_texts_alone_give_an_empty_matrix(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    team.write("README.md", "x")
    team.commit("Text", push=False)
    plan(team.repo, base="HEAD~1", github=True)
    assert (tmp_path / "output").read_text() == 'matrix={"include":[]}\nany=false\n'


def test_outputs_outside_a_job_are_refused(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    with pytest.raises(BadInput) as refused:
        plan(team.repo, github=True)
    assert str(refused.value) == (
        "$GITHUB_OUTPUT: is not set; leave --github out, it is for jobs of CI"
    )


def test_a_base_that_is_unknown_ends_with_2_and_one_line(team: Team) -> None:
    said = team.mlops("plan", "--base", "nowhere")
    assert said.returncode == 2
    assert said.stderr == (
        "nowhere: is not a commit of this repository; git fetch, or correct the name\n"
    )


def test_hostile_names_do_nothing_to_a_terminal_or_to_json(team: Team) -> None:
    folder = os.path.join(os.fsencode(team.root), b"models/\x1b[31m\xff")  # noqa: PTH118 - a name in bytes
    os.makedirs(folder)  # noqa: PTH103 - a name in bytes
    Path(os.fsdecode(folder), "model.yaml").write_text("x")
    said = team.mlops("plan")
    assert said.returncode == 0
    assert "'\\x1b[31m\\udcff'" in said.stdout
    assert json.loads(team.mlops("plan", "--json").stdout)["models"] == ["\x1b[31m\udcff"]


@pytest.mark.slow
def test_a_diff_of_10_000_files_is_planned_at_once(team: Team) -> None:
    base = team.git("rev-parse", "HEAD")
    lines = "".join(
        f"M 100644 inline {top}/n{n:05d}/{file}\ndata 1\nx\n"
        for n in range(2_000)
        for top, file in (
            ("models", "model.yaml"),
            ("models", "features.py"),
            ("apps", "service.yaml"),
            ("data-contracts", "x.csv"),
            ("environments/dev", "settings.yaml"),
        )
    )
    head = "commit refs/heads/main\ncommitter A Person <person@example.com> 1 +0000\ndata 0\n"
    git = ["git", "fast-import", "--quiet"]
    stdin = f"{head}from {base}\n{lines}"
    subprocess.run(git, cwd=team.root, input=stdin.encode(), check=True)
    team.git("reset", "--quiet", "--hard")
    found = planned(team.repo, base)
    assert len(found.changed) == 10_000
    assert len(found.affected.models) == 2_000
    assert len(found.shares) <= 200
    asked = [sys.executable, "-m", "mlops", "plan", "--base", base]
    said = subprocess.run(asked, cwd=team.root, capture_output=True, text=True, check=True)
    assert "and 1988 more" in said.stdout
