"""A search of several machines: what they share is the registry, a real MLflow server."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.mlflow_server import free_port, mlflow_server
from mlops.registry import Registry
from mlops.search.searching import Share, run, search_of, trials_of
from mlops.search.trials import STUDY
from tests.search.toy import searching
from tests.team import Team
from tests.training.points import MODEL

pytestmark = pytest.mark.slow


@pytest.fixture
def served(team: Team) -> Iterator[Team]:
    port = free_port()
    searching(team)
    toml = (team.root / "mlops.toml").read_text()
    team.write("mlops.toml", f'{toml}registry = "http://127.0.0.1:{port}"\n')
    with mlflow_server(team.root.parent / "registry", port):
        yield team


@pytest.mark.timeout(600)
def test_two_machines_that_begin_at_once_make_each_try_once_between_them(served: Team) -> None:
    parts = [
        subprocess.Popen(
            [sys.executable, "-m", "mlops", "tune", MODEL, "--share", f"{part}/2"],
            cwd=served.root,
            stderr=subprocess.PIPE,
            text=True,
        )
        for part in (1, 2)
    ]
    said = [part.communicate()[1] for part in parts]
    assert [part.returncode for part in parts] == [0, 0], said
    assert sorted(line.rsplit(", ", 1)[1] for line in said) == ["part 1 of 2\n", "part 2 of 2\n"]
    search = search_of(served.repo, MODEL)
    trials = trials_of(served.repo, MODEL, search)
    assert list(trials.known()) == list(range(6))
    found = run(served.repo, MODEL, search, Share(), lambda _: None)
    assert found is not None
    runs = Registry.of(served.repo).recorded(f"{MODEL}/search", STUDY, found.study)
    assert len(runs) == 6 + 1, "each once, and what stands in model.yaml"
