"""What would go wrong on a cluster is one line with its fix, before anything is applied.

Faults of files are fixtures of other tests, too (`environment-*`, `clusters-*` and `spec-*` of
tests/fixtures/invalid); registries that are down are in tests/images.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlops.environments.clusters import stale
from mlops.environments.rules import check_change
from tests.cluster.api_server import answering, expired_login, kubeconfig, own_certificate
from tests.environments.shelf import shelf_of
from tests.team import Team, free_port

NETWORK = "check the address of this context, the network and VPN"
LOGIN = "log in again, or correct the user of this context in the kubeconfig"
REFUSED = "the current context: the cluster refuses the credentials"
RAN_OUT = "remote error: tls: expired certificate"
FAULTS = {
    "not reachable": (
        0,
        (
            "the current context: the cluster cannot be reached (The connection to the server "
            f"{{host}} was refused - did you specify the right host or port?); {NETWORK}"
        ),
    ),
    "a token that nobody knows": (
        401,
        f"{REFUSED} (You must be logged in to the server (Unauthorized)); {LOGIN}",
    ),
    "a certificate that ran out": (
        200,
        f"{REFUSED} (Unable to connect to the server: {RAN_OUT}); {LOGIN}",
    ),
    "no right": (
        403,
        (
            "the current context: the cluster does not allow it (Error from server (Forbidden): "
            'applications.argoproj.io is forbidden: User "ann" cannot list resource); ask the '
            "cluster's owner for a role that may read it"
        ),
    ),
}


@contextmanager
def faulty(fault: str, folder: Path) -> Iterator[tuple[Path, str]]:
    """A kubeconfig with that fault, and the host that it names."""
    if fault == "not reachable":
        host = f"127.0.0.1:{free_port()}"
        yield kubeconfig(folder / "config", f"http://{host}"), host
        return
    own = own_certificate(folder)
    ran_out = fault == "a certificate that ran out"
    with answering(FAULTS[fault][0], own, clients=own if ran_out else None) as server:
        login = str(expired_login(folder, own))
        user: dict[str, object] = {"client-certificate": login, "client-key": login}
        config = folder / "config"
        kubeconfig(config, server, user if ran_out else None, authority=own)
        yield config, server


DOCTOR = """\
lack  the cluster of the current context answers, and is new enough
        {}
1 to mend
"""


@pytest.mark.parametrize("command", ["status", "doctor"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_cluster_that_says_nothing_is_one_line(
    fault: str, command: str, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with faulty(fault, tmp_path) as (config, host):
        monkeypatch.setenv("KUBECONFIG", str(config))
        done = team.mlops(command, "--cluster")
    line = FAULTS[fault][1].format(host=host)
    said = {"status": ("", f"{line}\n", 2), "doctor": (DOCTOR.format(line), "", 1)}
    assert (done.stdout, done.stderr, done.returncode) == said[command]


def test_a_cluster_that_does_not_know_argo_cd_is_told_by_status(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_certificate(tmp_path)
    with answering(404, own) as server:
        config = kubeconfig(tmp_path / "config", server, authority=own)
        monkeypatch.setenv("KUBECONFIG", str(config))
        done = team.mlops("status", "--cluster", "--env", "prod")
    assert done.returncode == 2
    assert done.stderr == (
        "the current context: has no Argo CD in namespace argocd (it knows no Application); mlops "
        "doctor --cluster\n"
    )


def test_an_environment_of_a_name_that_kubernetes_refuses_is_told_first(team: Team) -> None:
    text = (team.root / "mlops.toml").read_text()
    for wrong in ("Prod", "p" * 51):
        team.write("mlops.toml", text.replace('"prod"', f'"{wrong}"'))
        before = team.git("status", "--porcelain")
        done = team.mlops("render")
        assert done.returncode == 2
        assert done.stderr.startswith(f'mlops.toml: `environments.order.2` is "{wrong}"')
        assert team.git("status", "--porcelain") == before


def test_all_that_keeps_files_from_being_rendered_is_told_at_once(team: Team) -> None:
    shelf_of(team, image=True).put(1, "dev")
    with (team.root / "mlops.toml").open("a") as file:
        file.write('[argocd]\nrepository = "https://git.example.com/toys/toys.git"\n')
    for name in ("staging", "prod"):
        path = f"environments/{name}/env.yaml"
        text = (team.root / path).read_text()
        team.write(path, text.replace(f"namespace: toys-{name}", "namespace: Toys"))
    team.write("environments/dev/toy/settings.yaml", "service: toy\nlocal_port: x\n")
    before = team.git("status", "--porcelain")
    done = team.mlops("render")
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [
        "environments/dev/toy/settings.yaml",
        "environments/staging/env.yaml",
        "environments/prod/env.yaml",
    ]
    assert done.returncode == 2
    assert team.git("status", "--porcelain") == before


def test_a_folder_whose_release_is_missing_is_refused_before_the_merge(team: Team) -> None:
    base = shelf_of(team, image=True).put(1, "dev")
    (team.root / "environments/dev/toy/release.yaml").unlink()
    line = "environments/dev/toy/manifests.yaml: lies beside no release; run `mlops render` and commit the result"
    done = team.mlops("render", "--check")
    assert (done.stderr, done.returncode) == (f"{line}, never edit it by hand\n", 1)
    team.commit("Lose the release", push=False)
    assert [str(each) for each in check_change(team.repo, base, "HEAD").problems] == [line]


def test_a_full_disk_ends_rendering_with_one_line_and_rendering_again_mends_it(
    team: Team,
) -> None:
    """The limit on a file's size makes the kernel itself refuse the write."""
    with (team.root / "mlops.toml").open("a") as file:
        file.write('[argocd]\nrepository = "https://git.example.com/toys/toys.git"\n')
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-m", "mlops", "render"]
    done = subprocess.run(limited, cwd=team.root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        f"{team.root}/infra/bootstrap/root.yaml: could not be written (File too large); free the "
        "disk or the permission and run the command again, this file is as it was\n"
    )
    assert not list(team.root.glob("infra/bootstrap/*"))
    assert team.mlops("render").returncode == 0
    assert stale(team.repo) == {}
