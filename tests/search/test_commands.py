"""`mlops tune`, as people and machines call it."""

import json

import pytest

from mlops.cli import run
from mlops.errors import Exit
from mlops.lock import only_one
from tests.search.toy import SPEC, searching
from tests.team import Team
from tests.training.points import MODEL

pytestmark = pytest.mark.slow


@pytest.fixture
def here(team: Team, monkeypatch: pytest.MonkeyPatch) -> Team:
    monkeypatch.chdir(searching(team).root)
    return team


def test_it_says_what_was_found_and_what_to_type_next(here: Team) -> None:
    done = here.mlops("tune", MODEL)
    assert (done.returncode, done.stderr) == (0, "toy-line: 6 of 6 tries are known\n")
    assert "mae, window 2" in done.stdout
    assert "better on the windows (6 tried, the best is" in done.stdout
    assert done.stdout.endswith("Next: mlops tune toy-line --trials 6 --write\n")
    assert here.git("status", "--porcelain") == ""


def test_write_puts_what_is_better_into_model_yaml_and_the_next_search_knows_it(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (here.root / SPEC).read_text()
    assert run(["tune", MODEL, "--write", "--json"]) == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["better"], found["written"], found["trials"]) == (True, True, 6)
    params = here.repo.model(MODEL).training.params
    assert {name: params[name] for name in found["best"]["params"]} == found["best"]["params"]
    assert len((here.root / SPEC).read_text().splitlines()) == len(before.splitlines())

    assert run(["tune", MODEL, "--write"]) == Exit.DONE
    assert "Nothing better than what stands in model.yaml was found (6 tried)" in (
        capsys.readouterr().out
    )


def test_propose_opens_one_pull_request_however_often_it_is_asked(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["tune", MODEL, "--propose", "--json"]) == Exit.DONE
    first = json.loads(capsys.readouterr().out)
    assert run(["tune", MODEL, "--propose"]) == Exit.DONE
    assert "was there already, unchanged" in capsys.readouterr().out
    assert here.git("status", "--porcelain") == ""
    branch = first["branch"]
    assert branch.startswith("tune/toy-line-")
    here.git("fetch", "--quiet", "origin", branch)
    changed = here.git("diff", "--name-only", "origin/main", "FETCH_HEAD")
    assert changed == SPEC
    here.git("merge", "--quiet", "FETCH_HEAD")
    params = here.repo.model(MODEL).training.params
    assert params["rounds"] == first["best"]["params"]["rounds"]
    here.git("push", "--quiet", "origin", "HEAD:main")
    assert run(["tune", MODEL, "--propose", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["branch"] is None


def test_a_search_for_another_space_than_that_of_main_is_not_proposed(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    here.write(SPEC, (here.root / SPEC).read_text().replace("max: 60}", "max: 70}"))
    assert run(["tune", MODEL, "--propose"]) == Exit.BAD_INPUT
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"{SPEC}: `search.space` is another one on main; merge that, and search again"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--share", "3/2"], "--share: '3/2' is no part of a whole; write it as 1/4 to 4/4"),
        (["--share", "0/2"], "--share: '0/2' is no part of a whole; write it as 1/4 to 4/4"),
        (
            ["--share", "1/2", "--write"],
            "--share: makes a part of the tries only; leave out --write and --propose",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    here: Team, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(["tune", MODEL, *arguments]) == Exit.BAD_INPUT
    assert capsys.readouterr().err.strip() == message


def test_two_searches_of_one_model_in_one_clone_are_refused(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    with only_one(here.stores / "searches" / MODEL / "1-of-1", "mlops tune toy-line"):
        assert run(["tune", MODEL]) == Exit.BAD_INPUT
    assert "wait until that has ended, then run this again" in capsys.readouterr().err


def test_a_registry_that_is_away_is_told_in_one_line_and_the_search_goes_on_after(
    here: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = (here.root / "mlops.toml").read_text()
    here.write("mlops.toml", toml + 'registry = "http://127.0.0.1:9/"\n')
    assert run(["tune", MODEL]) == Exit.BAD_INPUT
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith(
            "http://127.0.0.1:9/: cannot be used as registry (MlflowException); check its address"
        )
    )
    here.write("mlops.toml", toml)
    assert run(["tune", MODEL, "--trials", "1"]) == Exit.DONE
