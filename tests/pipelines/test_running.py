"""A pipeline on this machine: each step once, whatever happens in between."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops.cli import run
from mlops.data import pin as pins
from mlops.errors import Exit
from mlops.lock import only_one
from mlops.pipelines.batch import predictions_path
from mlops.pipelines.finished import folder_of
from tests.data.test_ingest import JANUARY
from tests.derived import add_ingested, add_whole, learn_from
from tests.search.toy import SEARCH, SPEC, add
from tests.team import Team, make_team

STEPS = [
    "ingest-toy-points",
    "validate-toy-points",
    "train-toy-line",
    "evaluate-toy-line",
    "score-toy-line",
]
WAITS = (
    "toy-line waits for data: no version of toy-points is pinned yet; "
    "mlops data ingest toy-points FILE...\n"
)
LINE = ("pipeline", "run", "toy-line", "--raw", str(JANUARY))


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(team.root)
    return team


@pytest.mark.slow
def test_what_finished_is_not_done_again_and_what_was_lost_is(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(LINE) == Exit.DONE
    first = capsys.readouterr().out
    assert [first.index(f"$ mlops {line}") for line in ("data ingest", "train", "score")]
    assert states(capsys) == dict.fromkeys(STEPS, "done before")

    predictions = predictions_path(here.repo, "toy-line")
    whole = predictions.read_bytes()
    predictions.write_bytes(whole[:-1])  # a disk that rots
    assert states(capsys) == {**dict.fromkeys(STEPS, "done before"), "score-toy-line": "done"}
    assert predictions.read_bytes() == whole

    (here.stores / "mlflow.db").unlink()  # a registry that is gone
    again = here.mlops(*LINE, "--json")
    assert told(again.stdout)["train-toy-line"] == "done", again.stderr
    assert told(here.mlops(*LINE, "--json").stdout) == dict.fromkeys(STEPS, "done before")


@pytest.mark.slow
def test_a_gate_that_is_not_met_ends_the_run_and_nothing_after_it_is_done(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "models/toy-line/model.yaml"
    here.write(path, (here.root / path).read_text().replace("max: 3.0", "max: 0.001"))
    assert states(capsys, Exit.NOT_GOOD) == {
        **dict.fromkeys(STEPS[:3], "done"),
        "evaluate-toy-line": "failed",
        "score-toy-line": "waits",
    }
    here.write(path, (here.root / path).read_text().replace("max: 0.001", "max: 3.0"))
    assert states(capsys) == {
        **dict.fromkeys(STEPS[:3], "done before"),
        **dict.fromkeys(STEPS[3:], "done"),
    }


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_ends_as_an_undisturbed_run(tmp_path: Path) -> None:
    undisturbed = make_team(tmp_path / "undisturbed")
    assert undisturbed.mlops(*LINE).returncode == Exit.DONE
    killed = make_team(tmp_path / "killed")
    seed = random.SystemRandom().randrange(1_000_000)
    moments = random.Random(seed)
    for _ in range(4):
        kill_after(killed, moments.uniform(0.5, 9.0))
    done = killed.mlops(*LINE)
    assert done.returncode == Exit.DONE, f"seed {seed}: {done.stderr}"
    assert left(killed) == left(undisturbed), f"seed {seed}"


@pytest.mark.slow
def test_a_registry_that_is_away_stops_it_with_one_line_and_it_goes_on_after(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = (here.root / "mlops.toml").read_text()
    here.write("mlops.toml", toml + 'registry = "http://127.0.0.1:9/"\n')
    assert run([*LINE, "--json"]) == Exit.BAD_INPUT
    said = capsys.readouterr()
    assert told(said.out)["train-toy-line"] == "failed"
    assert said.err.splitlines()[-1].startswith(
        "http://127.0.0.1:9/: cannot be used as registry (MlflowException); check its address"
    )
    here.write("mlops.toml", toml)
    assert set(states(capsys).values()) == {"done before", "done"}


@pytest.mark.slow
def test_a_search_is_a_step_that_is_done_once_and_opens_its_pull_request_in_another(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    add(here, SPEC, SEARCH)
    here.commit("A search")
    assert run(LINE) == Exit.DONE
    line = ["pipeline", "run", "toy-line", "--tune", "--propose", "--json"]
    capsys.readouterr()
    assert run(line) == Exit.DONE
    done = {**dict.fromkeys(STEPS[1:], "done before"), "tune-toy-line": "done"}
    assert told(capsys.readouterr().out) == {**done, "suggest-toy-line": "done"}
    assert "tune/toy-line-" in here.git("ls-remote", "origin")
    assert run(line) == Exit.DONE
    assert set(told(capsys.readouterr().out).values()) == {"done before"}

    here.write(SPEC, (here.root / SPEC).read_text().replace("trials: 6", "trials: 7"))
    assert run(line) == Exit.DONE
    again = told(capsys.readouterr().out)
    assert [name for name, state in again.items() if state == "done"] == [
        *("tune-toy-line", "suggest-toy-line")
    ]


@pytest.mark.slow
def test_a_raw_file_of_one_of_two_sources_is_derived_learned_from_and_proposed_with_what_is_made(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    add_ingested(here, "toy-other")
    add_whole(here, "toy-whole", of=("toy-points", "toy-other"))
    learn_from(here, "toy-whole")
    assert run(["data", "ingest", "toy-other", str(JANUARY)]) == Exit.DONE
    here.commit("Made of two, one of them pinned")
    capsys.readouterr()
    assert run(["pipeline", "ready"]) == Exit.DONE
    assert WAITS in capsys.readouterr().err
    line = ["pipeline", "run", "toy-line", "--raw", f"toy-points={JANUARY}", "--propose", "--json"]
    assert run(line) == Exit.DONE
    steps = ["ingest-toy-points", "validate-toy-points", "propose-toy-whole", "derive-toy-whole"]
    steps += ["validate-toy-whole", "train-toy-line", "evaluate-toy-line", "score-toy-line"]
    assert told(capsys.readouterr().out) == dict.fromkeys(steps, "done")
    (branch,) = here.git("branch", "--remotes", "--list", "origin/data/*").split()
    proposed = here.git("diff", "--name-only", "HEAD", branch).splitlines()
    assert proposed == ["data-contracts/toy-points.dvc", "data-contracts/toy-whole.dvc"]
    for path in proposed:
        of_this_run = (here.root / path).read_text().strip()
        assert here.git("show", f"{branch}:{path}") == of_this_run
    assert run(line) == Exit.DONE
    assert set(told(capsys.readouterr().out).values()) == {"done before"}


def test_of_all_models_those_without_data_are_left_out_and_told(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["pipeline", "run"]) == Exit.DONE
    assert run(["pipeline", "ready", "--json"]) == Exit.DONE
    said = capsys.readouterr()
    assert said.out == "[]\n"
    assert said.err == 2 * WAITS


def test_two_runs_of_one_model_at_once_are_refused(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    with only_one(folder_of(here.repo, "toy-line"), "mlops pipeline run toy-line"):
        assert run(LINE) == Exit.BAD_INPUT
    assert "wait until that has ended, then run this again" in capsys.readouterr().err


def test_steps_that_wait_for_data_are_shown(here: Team, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pipeline", "show", "toy-line"]) == Exit.DONE
    assert capsys.readouterr().out.count("waits") == 4
    assert run(["pipeline", "run", "toy-line"]) == Exit.BAD_INPUT
    assert "mlops data ingest toy-points FILE..., then commit the pin" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--raw", "x.csv"], "--raw: stands with no MODEL or with several; name one model"),
        (
            ["toy-line", "--propose"],
            "--propose: stands without --raw or --tune; name what is to be ingested, or search",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    here: Team, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(["pipeline", "run", *arguments]) == Exit.BAD_INPUT
    assert capsys.readouterr().err.strip() == message


def states(capsys: pytest.CaptureFixture[str], code: Exit = Exit.DONE) -> dict[str, str]:
    capsys.readouterr()
    assert run([*LINE, "--json"]) == code
    return told(capsys.readouterr().out)


def told(printed: str) -> dict[str, str]:
    found = [json.loads(line) for line in printed.splitlines()]
    return {one["step"]: one["state"] for one in found}


def kill_after(team: Team, seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops", *LINE],
        cwd=team.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


def left(team: Team) -> tuple[str, str, bytes]:
    """What a run leaves: the version of the data, the model, the predictions."""
    from mlops.training.candidate import registered_before

    registered = registered_before(team.repo, "toy-line")
    assert registered is not None
    pinned = pins.read_pin(team.repo, "toy-points").digest
    return pinned, registered.digest, predictions_path(team.repo, "toy-line").read_bytes()
