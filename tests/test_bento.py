"""A bento is its content: the same files give the same one, and nothing else passes for it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlops import digests
from mlops.bento import UNFINISHED, Artifact, Built, build, find, folder
from mlops.errors import BadInput
from mlops.sources import SERVING_CODE, tool_code
from tests.elsewhere import elsewhere
from tests.serving.toy import MODEL, Toy, make_toy, toy_artifact
from tests.team import ROOT, Team, make_team

pytestmark = pytest.mark.slow
BUILD = """
import sys
from pathlib import Path
from mlops.bento import Artifact, build
from mlops.repository import Repository
repo = Repository.at(Path(sys.argv[1]))
model = Artifact(sys.argv[2], Path(sys.argv[3]))
print(build(repo, repo.commit("HEAD"), "toy", {"toy-line": model}).digest)
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    place = tmp_path_factory.mktemp("toy")
    return make_toy(make_team(place), place)


def again(team: Team, model: Artifact) -> Built:
    return build(team.repo, team.repo.commit("HEAD"), "toy", {MODEL: model})


def building(
    team: Team, model: Artifact, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(team.root), model.digest, str(model.path)],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_same_files_give_the_same_bento_elsewhere_later_and_hashed_otherwise(
    toy: Toy, tmp_path: Path
) -> None:
    team = make_team(tmp_path / "a much longer name")
    shutil.copytree(toy.model.path, tmp_path / "model")
    process = building(
        team, Artifact(toy.model.digest, tmp_path / "model"), elsewhere(tmp_path, dates=True)
    )
    output, _ = process.communicate(timeout=60)
    assert output.strip() == toy.bento.digest


def test_a_bento_holds_no_commit_and_no_machine(toy: Toy) -> None:
    team = toy.team
    texts = [path.read_bytes() for path in toy.bento.path.rglob("*") if path.is_file()]
    for word in (team.git("rev-parse", "HEAD"), str(team.stores), "20" + "26-"):
        assert not any(word.encode() in text for text in texts), word


def test_a_commit_that_changes_nothing_of_it_gives_the_same_bento(toy: Toy, team: Team) -> None:
    team.write("README.md", "other words\n")
    team.write("apps/toy/tests/test_it.py", "")
    team.commit("Words")
    assert again(team, toy.model).digest == toy.bento.digest


def test_another_model_or_another_line_of_code_gives_another_bento(toy: Toy, team: Team) -> None:
    other = toy_artifact(team, team.stores / "other", rounds=41)
    assert again(team, other).digest != toy.bento.digest
    path = "apps/toy/service.py"
    team.write(path, (team.root / path).read_text() + "# a line\n")
    team.commit("A line")
    assert again(team, toy.model).digest != toy.bento.digest


def test_building_again_is_no_change(toy: Toy) -> None:
    before = {path: path.stat().st_mtime_ns for path in toy.bento.path.rglob("*")}
    repeated = again(toy.team, toy.model)
    assert (repeated.digest, repeated.path, repeated.new) == (
        toy.bento.digest,
        toy.bento.path,
        False,
    )
    assert {path: path.stat().st_mtime_ns for path in toy.bento.path.rglob("*")} == before


def test_it_is_found_by_its_digest_with_what_it_was_built_from(toy: Toy) -> None:
    path = find(toy.team.repo, "toy", toy.bento.digest)
    assert path == toy.bento.path
    assert digests.of_folder(path) == toy.bento.digest
    source = path / "src"
    assert digests.of_folder(source / "models" / MODEL / "artifact") == toy.model.digest
    features = f"models/{MODEL}/features.py"
    assert (source / features).read_bytes() == (toy.team.root / features).read_bytes()
    pinned = packages_of(ROOT / "requirements/serve.txt")
    assert packages_of(path / "env/python/requirements.txt")[: len(pinned)] == pinned


def packages_of(file: Path) -> list[str]:
    """Versions and hashes, in order."""
    words = file.read_text().split()
    return [word.rstrip(";") for word in words if word.startswith("--hash") or "==" in word]


def test_of_the_tool_it_holds_what_serves_and_nothing_else(toy: Toy) -> None:
    code = toy.bento.path / "src/mlops"
    held = {path.relative_to(code).as_posix() for path in code.rglob("*.py")}
    wanted = tool_code(SERVING_CODE)
    assert held == {name.removeprefix("mlops/") for name in wanted}
    assert not {"follow", "data", "cli.py"} & {name.split("/")[0] for name in held}


def test_bentoml_takes_it_for_one_of_its_own(toy: Toy, tmp_path: Path) -> None:
    imported = subprocess.run(
        [
            sys.executable,
            *("-B", "-c"),
            "import sys, bentoml; print(bentoml.import_bento(sys.argv[1], 'folder').tag)",
            str(toy.bento.path),
        ],
        env={**os.environ, "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert imported.stdout.strip().startswith("toy:")


def test_what_bentoml_leaves_beside_the_source_is_removed_not_run(toy: Toy) -> None:
    compiled = toy.bento.path / "src/__pycache__"
    compiled.mkdir()
    (compiled / "service.cpython-311.pyc").write_bytes(b"whatever")
    find(toy.team.repo, "toy", toy.bento.digest)
    assert not compiled.exists()


def test_a_bento_that_is_not_there_is_told(toy: Toy) -> None:
    digest = "sha256:" + "0" * 64
    with pytest.raises(BadInput) as caught:
        find(toy.team.repo, "toy", digest)
    assert str(caught.value) == (
        f"stores/bentos/toy/{'0' * 64}: is not in the store; "
        "run `mlops build toy` at its source commit"
    )


def test_a_bento_that_was_tampered_with_is_refused_and_building_replaces_it(
    toy: Toy, team: Team
) -> None:
    built = again(team, toy.model)
    service = built.path / "src/service.py"
    service.write_text(service.read_text() + "# harmless\n")
    with pytest.raises(BadInput) as caught:
        find(team.repo, "toy", built.digest)
    assert str(caught.value) == (
        f"stores/bentos/toy/{built.path.name}: content is {digests.of_folder(built.path)}; "
        "do not serve it; run `mlops build toy` at its source commit to replace it"
    )
    assert again(team, toy.model).new
    assert find(team.repo, "toy", built.digest) == built.path


def test_a_model_that_is_not_what_its_digest_says_is_not_built(toy: Toy, team: Team) -> None:
    wanted = "sha256:" + "0" * 64
    with pytest.raises(BadInput) as caught:
        again(team, Artifact(wanted, toy.model.path))
    assert str(caught.value) == (
        f"{toy.model.path}: content is {toy.model.digest}, the release pins {wanted}; "
        "fetch the artifact again; do not serve it"
    )


def test_a_service_that_does_not_load_is_told(toy: Toy, team: Team) -> None:
    team.write("apps/toy/service.py", "import pandas\n")
    team.commit("Needs pandas")
    with pytest.raises(BadInput) as caught:
        again(team, toy.model)
    (problem,) = caught.value.problems
    assert problem.path == "apps/toy/service.py"
    assert "No module named 'pandas'" in problem.what
    assert problem.fix == (
        "correct it; it may import what requirements/serve.txt holds and nothing else"
    )


@pytest.mark.parametrize(
    "line", ["rows = rows[:1]\n        ", "self.scoring.answered(rows)\n        "]
)
def test_a_route_that_does_more_than_scoring_is_refused(toy: Toy, team: Team, line: str) -> None:
    path = "apps/toy/service.py"
    text = (team.root / path).read_text()
    team.write(path, text.replace("return self.", f"{line}return self."))
    team.commit("More")
    with pytest.raises(BadInput) as caught:
        again(team, toy.model)
    (problem,) = caught.value.problems
    assert str(problem) == (
        f"{path}:19: `predict` does more than scoring, and what answers /predict leaves it out; "
        "do it in the function that Scoring gets, and leave `return self.scoring.answered(rows)`"
    )


def test_two_builds_at_once_give_one_bento(toy: Toy, team: Team) -> None:
    both = [building(team, toy.model) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0].strip() for process in both]
    assert outputs == [toy.bento.digest] * 2
    assert stored(team) == [toy.bento.path.name]


def test_a_killed_build_leaves_nothing_that_passes_for_a_bento(toy: Toy, team: Team) -> None:
    process = building(team, toy.model)
    store = folder(team.repo, "toy", toy.bento.digest).parent
    deadline = time.monotonic() + 30
    while not list(store.glob(f"{UNFINISHED}*/home")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert stored(team) == []
    assert again(team, toy.model).new
    assert stored(team) == [toy.bento.path.name]
    assert not list(store.glob(f"{UNFINISHED}*"))


def stored(team: Team) -> list[str]:
    names = [path.name for path in (team.stores / "bentos/toy").iterdir()]
    return [name for name in names if not name.startswith(".")]
