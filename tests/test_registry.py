"""The registry: a model is its content, a number is a label of it."""

import json
import shutil
import subprocess
import sys

import pytest

from mlops import digests
from mlops.errors import BadInput
from mlops.registry import Registered, Registry
from tests.team import Team
from tests.training.points import INVALID, MODEL, pin, points, start_registry

pytestmark = pytest.mark.slow

FILES = {"model.txt": b"tree\n", "model.json": b"{}"}
INPUTS = digests.of_bytes(b"some inputs")
OTHER = digests.of_bytes(b"other inputs")
REGISTER = """
import json, sys
from mlops.registry import Registry
from mlops.repository import Repository
files = {"model.txt": sys.argv[1].encode(), "model.json": b"{}"}
made = Registry.of(Repository.at()).register(
    "toy-line", files, sys.argv[2], params={}, metrics={}, tags={}
)
print(json.dumps([made.version, made.digest]))
"""


@pytest.fixture
def started(team: Team) -> Team:
    """A team with a registry that holds nothing."""
    start_registry(team)
    return team


def registered(team: Team, files: dict[str, bytes], inputs: str = INPUTS) -> Registered:
    figures = {"train_rows": 3.0}
    return Registry.of(team.repo).register(
        MODEL, files, inputs, params={"rounds": 4}, metrics=figures, tags={"dataset": "toy-points"}
    )


def test_the_same_content_keeps_its_number_and_other_content_gets_the_next(started: Team) -> None:
    first = registered(started, FILES)
    again = registered(started, FILES)
    second = registered(started, {**FILES, "model.txt": b"another tree\n"}, OTHER)
    assert (first.version, again, second.version) == (1, first, 2)
    assert first.digest == digests.of_files(FILES)


def test_other_inputs_that_give_the_same_content_find_the_same_number(started: Team) -> None:
    registered(started, FILES)
    registered(started, FILES, OTHER)
    registry = Registry.of(started.repo)
    found = [registry.find(MODEL, inputs=inputs) for inputs in (INPUTS, OTHER)]
    assert [(one.version, one.inputs) for one in found if one] == [(1, INPUTS), (1, OTHER)]


def test_a_version_is_found_by_inputs_by_content_and_by_number(started: Team) -> None:
    made = registered(started, FILES)
    registry = Registry.of(started.repo)
    assert registry.find(MODEL, inputs=INPUTS) == made
    assert registry.find(MODEL, digest=made.digest) == made
    assert registry.find(MODEL, version=1) == registry.get(MODEL, 1) == made
    assert registry.find(MODEL, inputs=OTHER) is None
    assert registry.find("another", digest=made.digest) is None


def test_two_processes_that_register_at_once_in_an_empty_store_agree_on_the_number(
    team: Team,
) -> None:
    def start(text: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", REGISTER, text, INPUTS]
        return subprocess.Popen(command, cwd=team.root, stdout=subprocess.PIPE, text=True)

    running = [start("tree"), start("tree"), start("another tree")]
    answers = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert answers[0] == answers[1]
    assert {answers[0][0], answers[2][0]} == {1, 2}
    assert len(list((team.stores / "mlflow-artifacts" / MODEL).iterdir())) == 2


def test_a_registered_version_says_where_it_comes_from(started: Team) -> None:
    from mlflow.tracking import MlflowClient

    made = registered(started, FILES)
    client = MlflowClient(Registry.of(started.repo).uri)
    run = client.get_run(made.run_id)
    assert run.data.params == {"rounds": "4"}
    assert run.data.metrics == {"train_rows": 3.0}
    assert run.data.tags["dataset"] == "toy-points"
    assert run.info.status == "FINISHED"
    tags = client.get_model_version(MODEL, "1").tags
    assert (tags["digest"], tags["inputs"]) == (made.digest, INPUTS)


def test_aliases_of_environments_are_made_exactly_what_is_wanted_and_others_are_left(
    started: Team,
) -> None:
    from mlflow.tracking import MlflowClient

    registered(started, FILES)
    registered(started, {**FILES, "model.txt": b"another tree\n"}, OTHER)
    registry = Registry.of(started.repo)
    assert registry.aliases("another") == {}
    MlflowClient(registry.uri).set_registered_model_alias(MODEL, "favourite", "1")
    registry.set_aliases(MODEL, {"dev-toy": 2, "prod-toy": 1})
    assert registry.aliases(MODEL) == {"favourite": 1, "dev-toy": 2, "prod-toy": 1}
    registry.set_aliases(MODEL, {"dev-toy": 1})
    assert registry.aliases(MODEL) == {"favourite": 1, "dev-toy": 1}


def test_a_fetched_model_is_what_was_registered_also_when_the_cache_was_spoilt(
    started: Team,
) -> None:
    made = registered(started, FILES)
    folder = Registry.of(started.repo).fetch(made)
    assert folder == started.stores / "models" / made.digest.removeprefix("sha256:")
    (folder / "model.txt").write_text("spoilt")
    assert Registry.of(started.repo).fetch(made) == folder
    assert digests.of_folder(folder) == made.digest


def test_a_model_in_the_cache_is_found_without_the_registry(started: Team) -> None:
    made = registered(started, FILES)
    folder = Registry.of(started.repo).fetch(made)
    shutil.rmtree(started.stores / "mlflow-artifacts")
    (started.stores / "mlflow.db").unlink()
    assert Registry.of(started.repo).fetch(made) == folder


def test_an_artifact_that_was_changed_in_the_store_is_refused(started: Team) -> None:
    made = registered(started, FILES)
    spoilt = (INVALID / "model-content-differs" / "model.txt").read_bytes() + b"spoilt\n"
    (stored,) = started.stores.glob("mlflow-artifacts/*/*/artifacts/model/model.txt")
    stored.write_bytes(spoilt)
    found = digests.of_files({**FILES, "model.txt": spoilt})
    with pytest.raises(BadInput) as raised:
        Registry.of(started.repo).fetch(made)
    expected = (INVALID / "model-content-differs" / "message.txt").read_text().strip()
    assert str(raised.value) == expected.replace("FOUND", found).replace("DIGEST", made.digest)
    assert not any((started.stores / "models").iterdir())


def test_a_version_that_the_registry_lacks_is_told_with_those_it_has(team: Team) -> None:
    registry = Registry.of(team.repo)
    with pytest.raises(BadInput) as raised:
        registry.get(MODEL, 7)
    assert str(raised.value) == (
        "models/toy-line: the registry lacks version 7, it has none of this model; "
        "run `mlops train toy-line`"
    )
    assert not (team.stores / "mlflow.db").exists()
    registered(team, FILES)
    with pytest.raises(BadInput) as raised:
        Registry.of(team.repo).get(MODEL, 7)
    assert str(raised.value) == (INVALID / "model-version-missing" / "message.txt").read_text()[:-1]


def test_a_version_somebody_else_registered_is_not_taken_for_ours(started: Team) -> None:
    from mlflow.tracking import MlflowClient

    made = registered(started, FILES)
    client = MlflowClient(Registry.of(started.repo).uri)
    client.create_model_version(MODEL, str(started.stores), made.run_id)
    with pytest.raises(BadInput, match="version 2 in the registry carries no digest"):
        Registry.of(started.repo).get(MODEL, 2)


def test_an_answer_is_used_again_without_mlflow_until_the_registry_changes(started: Team) -> None:
    made = registered(started, FILES)
    ask = (
        "import sys; from mlops.registry import Registry; from mlops.repository import Repository;"
        f"found = Registry.of(Repository.at()).find('{MODEL}', digest='{made.digest}');"
        "print(found.version if found else None, 'mlflow' in sys.modules)"
    )

    def answer() -> list[str]:
        command = [sys.executable, "-c", ask]
        done = subprocess.run(command, cwd=started.root, capture_output=True, text=True, check=True)
        return done.stdout.split()

    Registry.of(started.repo).find(MODEL, digest=made.digest)
    assert answer() == ["1", "False"]
    registered(started, {**FILES, "model.txt": b"another tree\n"}, OTHER)
    assert answer() == ["1", "True"]
    assert answer() == ["1", "False"]


def test_a_version_deleted_behind_our_back_is_not_found_any_more(started: Team) -> None:
    from mlflow.tracking import MlflowClient

    made = registered(started, FILES)
    registry = Registry.of(started.repo)
    assert registry.find(MODEL, digest=made.digest) == made
    MlflowClient(registry.uri).delete_model_version(MODEL, "1")
    assert registry.find(MODEL, digest=made.digest) is None


def test_a_database_whose_making_was_cut_off_is_made_anew(team: Team) -> None:
    pin(team, points())
    program = (
        "import resource, sys; from mlops.cli import run;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
        f"sys.exit(run(['train', '{MODEL}']))"
    )
    full = subprocess.run([sys.executable, "-c", program], cwd=team.root, check=False)
    assert full.returncode != 0
    assert not (team.stores / "mlflow.db").exists()
    done = team.mlops("train", MODEL)
    assert done.returncode == 0, done.stderr
