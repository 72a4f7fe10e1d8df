"""`mlops status` asks the clusters when that is meant."""

import shutil
import subprocess
from pathlib import Path

import pytest

from mlops.cluster.live import fetched_head, is_met, rows
from mlops.files import write_whole
from mlops.repository import Layout
from mlops.tree import WorkTree
from tests.cluster import objects as made
from tests.cluster.api_server import kubeconfig
from tests.cluster.test_live import NOW, current
from tests.releases import files_of, make_release
from tests.team import PROJECT, Team, free_port, git

FORGE = 'kind = "github"\nrepository = "example/toys"'


@pytest.fixture
def _nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = kubeconfig(tmp_path / "config", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("KUBECONFIG", str(config))


def asked_a_cluster(done: subprocess.CompletedProcess[str]) -> bool:
    assert done.returncode in (0, 2), done.stderr
    return "the cluster cannot be reached" in done.stderr


@pytest.mark.usefixtures("_nobody_there")
def test_a_kubeconfig_alone_does_not_mean_that_clusters_are_asked(team: Team) -> None:
    project = (team.root / "mlops.toml").read_text()
    assert not asked_a_cluster(team.mlops("status"))
    assert asked_a_cluster(team.mlops("status", "--cluster"))
    team.write("mlops.toml", project.replace('kind = "local"', FORGE))
    assert asked_a_cluster(team.mlops("status"))
    assert not asked_a_cluster(team.mlops("status", "--no-cluster"))


def test_waiting_goes_by_what_serves_not_by_what_is_synced(tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(PROJECT, root)
    for path, content in files_of(make_release(2, image=True), "prod").items():
        write_whole(root / path, content)
    layout = Layout(WorkTree(root))
    for release, met in ((1, False), (2, True)):
        found = made.seen(made.application(), made.pod(release))
        [row] = rows(layout, found, current, NOW)
        assert row.is_good
        assert is_met(row) is met


def test_the_head_of_the_forge_is_fetched_where_it_is_not_known(team: Team, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(team.forge), str(other))
    git(other, "-c", "user.name=B", "-c", "user.email=b@example.com", "commit", "--quiet",
        "--allow-empty", "--message", "Elsewhere")  # fmt: skip
    git(other, "push", "--quiet", "origin", "main")
    commit = fetched_head(team.repo)
    assert commit == git(other, "rev-parse", "HEAD")
    assert team.repo.git.commit_of(commit) == commit
