"""A cluster that says nothing says why, in one line, with the way out."""

from pathlib import Path

import pytest

from mlops.cluster.kubectl import (
    ClusterError,
    Kubectl,
    NoKubeconfig,
    NotAllowed,
    NotReachable,
    NotThere,
    WrongCredentials,
    one_line,
)
from tests.cluster.api_server import answering, expired_login, kubeconfig, own_certificate
from tests.team import free_port

NETWORK = "check the address of this context, the network and VPN"
CONFIG = "set KUBECONFIG, and name one of `kubectl config get-contexts` by --context"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own kubeconfig, and no proxy, takes part."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def said(monkeypatch: pytest.MonkeyPatch, config: Path, kubectl: Kubectl) -> ClusterError:
    monkeypatch.setenv("KUBECONFIG", str(config))
    with pytest.raises(ClusterError) as caught:
        kubectl.get("/version")
    assert len(caught.value.problems) == 1
    assert "\n" not in str(caught.value)
    return caught.value


def test_no_kubeconfig() -> None:
    with pytest.raises(NoKubeconfig) as caught:
        Kubectl().get("/version")
    assert str(caught.value).startswith("the current context: no kubeconfig names a cluster (")
    assert str(caught.value).endswith(f"; {CONFIG}")


def test_a_kubeconfig_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("a: b: c\n")
    assert isinstance(said(monkeypatch, broken, Kubectl()), NoKubeconfig)


def test_a_context_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    error = said(monkeypatch, config, Kubectl("nowhere"))
    assert isinstance(error, NoKubeconfig)
    assert (
        str(error) == 'context nowhere: no kubeconfig names a cluster (context "nowhere" does not '
        f"exist); {CONFIG}"
    )


def test_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    config = kubeconfig(tmp_path / "config", f"http://127.0.0.1:{port}")
    error = said(monkeypatch, config, Kubectl("there"))
    assert isinstance(error, NotReachable)
    assert str(error) == (
        "context there: the cluster cannot be reached (The connection to the server "
        f"127.0.0.1:{port} was refused - did you specify the right host or port?); {NETWORK}"
    )


def test_a_host_that_no_name_server_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = kubeconfig(tmp_path / "config", "https://cluster.invalid")
    error = said(monkeypatch, config, Kubectl())
    assert isinstance(error, NotReachable)
    assert str(error).endswith(NETWORK)


def test_an_answer_that_never_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(0) as server:
        config = kubeconfig(tmp_path / "config", server)
        error = said(monkeypatch, config, Kubectl(seconds=0.3))
    assert isinstance(error, NotReachable)


def test_a_certificate_that_nobody_vouches_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(200, own_certificate(tmp_path)) as server:
        config = kubeconfig(tmp_path / "config", server)
        error = said(monkeypatch, config, Kubectl())
    assert isinstance(error, NotReachable)
    assert str(error) == (
        "the current context: the cluster cannot be reached (Unable to connect to the server: tls: "
        "failed to verify certificate: x509: certificate signed by unknown authority); check the "
        "address of this context, its `certificate-authority`, and this machine's clock"
    )


def test_a_login_by_certificate_that_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = own_certificate(tmp_path)
    login = str(expired_login(tmp_path, own))
    user: dict[str, object] = {"client-certificate": login, "client-key": login}
    with answering(200, own, clients=own) as server:
        config = kubeconfig(tmp_path / "config", server, user, authority=own)
        error = said(monkeypatch, config, Kubectl())
    assert isinstance(error, WrongCredentials)
    assert str(error) == (
        "the current context: the cluster refuses the credentials (Unable to connect to the server: "
        "remote error: tls: expired certificate); log in again, or correct the user of this context "
        "in the kubeconfig"
    )


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (
            401,
            WrongCredentials,
            (
                "the current context: the cluster refuses the credentials (You must be logged in to "
                "the server (Unauthorized)); log in again, or correct the user of this context in the "
                "kubeconfig"
            ),
        ),
        (
            403,
            NotAllowed,
            (
                "the current context: the cluster does not allow it (Error from server (Forbidden): "
                'applications.argoproj.io is forbidden: User "ann" cannot list resource); ask the '
                "cluster's owner for a role that may read it"
            ),
        ),
        (
            404,
            NotThere,
            (
                "the current context: the cluster does not have it (Error from server (NotFound): the "
                "server could not find the requested resource); mlops doctor --cluster says what the "
                "cluster lacks"
            ),
        ),
    ],
)
def test_what_the_api_server_refuses(
    status: int,
    kind: type[ClusterError],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = own_certificate(tmp_path)
    with answering(status, own) as server:
        config = kubeconfig(tmp_path / "config", server, authority=own)
        error = said(monkeypatch, config, Kubectl())
    assert type(error) is kind
    assert str(error) == text


def test_nobody_is_asked_for_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(401) as server:
        config = kubeconfig(tmp_path / "config", server, user={})
        assert isinstance(said(monkeypatch, config, Kubectl()), WrongCredentials)


def test_a_login_program_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin: dict[str, object] = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "no-such-login",
            "interactiveMode": "Never",
        }
    }
    with answering(200, own_certificate(tmp_path)) as server:
        config = kubeconfig(tmp_path / "config", server, user=plugin)
        assert isinstance(said(monkeypatch, config, Kubectl()), WrongCredentials)


def test_an_address_that_is_no_api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(500) as server:
        error = said(monkeypatch, kubeconfig(tmp_path / "config", server), Kubectl())
    assert str(error).endswith("try the same with kubectl")


def test_each_context_has_the_address_of_its_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = kubeconfig(tmp_path / "config", "https://one.example.com")
    monkeypatch.setenv("KUBECONFIG", str(config))
    assert Kubectl().contexts() == {"there": "https://one.example.com"}


def test_words_of_others_become_one_printable_line() -> None:
    assert one_line("a\n\x1b[31mb\tc") == "a [31mb c"
    assert len(one_line("x" * 1000)) == 300
