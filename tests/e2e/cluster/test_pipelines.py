"""Pipelines on a real Argo Workflows: what a laptop does, in pods."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from mlops.demo.stage import Stage
from mlops.errors import Exit
from mlops.files import load_yaml
from tests.e2e.cluster.line import DATASET, MODEL, RAW, TRIES, Line, github
from tests.e2e.cluster.place import Place, proxied, until
from tests.e2e.cluster.stores import stores
from tests.team import ROOT, git

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1_800, func_only=True)]
STATUS = f"pipeline {MODEL}"
PIN = f"data-contracts/{DATASET}.dvc"
KEY = "incoming/2011-03.csv"


@dataclass(frozen=True)
class Runs:
    """A run that lost a pod, the one that `all-pipelines` started meanwhile, and their commit."""

    first: str
    everything: str
    second: str
    commit: str
    waited: str


@pytest.fixture(scope="module")
def line(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """Argo Workflows, stores that pods reach, and a team with two months pinned."""
    machine = place.harness
    if machine is None:
        pytest.skip("images and stores for pods are made by a cluster of our own")
    folder = tmp_path_factory.mktemp("line")
    name = "rides"
    with ExitStack() as stack:
        api = stack.enter_context(proxied(place))
        reached = stack.enter_context(stores(folder))
        hub = stack.enter_context(github(reached.repositories, name))
        log = stack.enter_context((folder / "story.log").open("w", buffering=1))
        stage = Stage(ROOT, folder / "demo", Console(file=log, width=120))
        stack.enter_context(stage).prepare()
        line = Line(place, api, stage, reached, hub, name)
        line.start(line.install(machine, folder))
        yield line
        assert hub.hub.wrong == []


@pytest.fixture(scope="module")
def runs(line: Line) -> Runs:
    """March arrives; while it is trained with, a pod is lost, and all models are to be run."""
    march = (line.root / RAW / "2011-03.csv").read_text()
    line.arrive(KEY, march)
    first = line.submit("--raw", KEY)
    everything = line.submit_all()
    assert line.place.harness is not None
    line.lose(line.place.harness, first, f"train-{MODEL}")
    until("both runs are there", 120, lambda: len(line.runs()) == 2)
    (second,) = set(line.runs()) - {first}
    waited = line.phase(second)
    for each in (first, everything):
        line.end(each)
    return Runs(first, everything, second, line.git("rev-parse", "HEAD"), waited)


def test_a_run_that_lost_a_pod_ends_as_on_a_laptop(line: Line, runs: Runs, tmp_path: Path) -> None:
    assert line.phase(runs.first) == "Succeeded"
    lost, again = line.tries(runs.first, f"train-{MODEL}")
    assert lost["phase"] in ("Error", "Failed"), lost  # whether Argo heard of an exit code
    assert again["phase"] == "Succeeded", again
    laptop = tmp_path / "laptop"
    git(tmp_path, "clone", "--quiet", line.address, str(laptop))
    text = (laptop / "mlops.toml").read_text()
    raw = line.stores.bucket / KEY
    kept = (each for each in text.splitlines() if not each.startswith("registry = "))
    (laptop / "mlops.toml").write_text("\n".join(kept))
    done = subprocess.run(
        [sys.executable, *("-m", "mlops", "pipeline", "run", MODEL, "--raw", str(raw))],
        cwd=laptop,
        env={**os.environ, "PYTHONPATH": str(laptop / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.DONE, done.stdout + done.stderr
    predicted = laptop / f".mlops/predictions/{MODEL}"
    # Their names and their metadata have the digests of the rows and of the model.
    assert line.predictions(runs.first, tmp_path / "cluster") == {
        file.name: file.read_bytes() for file in predicted.iterdir()
    }
    (pull,) = line.hub.hub.pulls
    line.git("fetch", "--quiet", "origin", pull["branch"])
    assert line.git("show", f"FETCH_HEAD:{PIN}") == (laptop / PIN).read_text().strip()


def test_a_second_run_of_a_model_waits_for_the_first(line: Line, runs: Runs) -> None:
    assert runs.waited == "Pending"
    assert line.phase(runs.second) == line.phase(runs.everything) == "Succeeded"
    started = min(str(each["startedAt"]) for each in line.tries(runs.second, f"validate-{DATASET}"))
    assert started >= str(line.run(runs.first)["status"]["finishedAt"])
    assert line.tries(runs.second, f"ingest-{DATASET}") == []


def test_the_commit_is_told_how_each_run_ended(line: Line, runs: Runs) -> None:
    assert line.told()[:2] == [(runs.commit, STATUS, "success")] * 2


def test_what_breaks_the_contract_is_not_tried_again(line: Line, runs: Runs) -> None:
    head, _, rows = (line.root / RAW / "2011-04.csv").read_text().partition("\n")
    key = "incoming/broken.csv"
    line.arrive(key, f"{head}\n{rows.replace('April', 'Aprli')}")
    name = line.submit("--raw", key)
    assert line.end(name) == "Failed"
    (once,) = line.tries(name, f"ingest-{DATASET}")
    assert once["outputs"]["exitCode"] == str(int(Exit.NOT_GOOD))
    assert line.tries(name, f"validate-{DATASET}") == []
    assert line.told()[-1] == (runs.commit, STATUS, "failure")
    assert len(line.hub.hub.pulls) == 1


def test_pods_share_a_search_and_what_it_found_is_proposed(line: Line, runs: Runs) -> None:
    name = line.submit("--tune")
    assert line.end(name) == "Succeeded"
    parts = line.tries(name, f"tune-{MODEL}-part")
    assert [each["phase"] for each in parts] == ["Succeeded"] * 2
    # The registry has all tries of both: a laptop makes none, and comes to the same.
    found = line.told_by("tune", MODEL)
    assert found["trials"] == TRIES
    pull = line.hub.hub.pulls[-1]
    assert pull["branch"].startswith(f"tune/{MODEL}-")
    line.git("fetch", "--quiet", "origin", pull["branch"])
    text = line.git("show", f"FETCH_HEAD:models/{MODEL}/model.yaml")
    assert load_yaml(text, "model.yaml")["training"]["params"] == found["best"]["params"]
    assert (
        line.git("diff", "--name-only", runs.commit, "FETCH_HEAD") == f"models/{MODEL}/model.yaml"
    )
