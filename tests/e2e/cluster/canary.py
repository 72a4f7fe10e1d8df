"""Releases of prod that are measured before all requests reach them, and one that is bad."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from mlops.environments.notifications import rollout_notifications
from mlops.repository import Repository
from mlops.tree import WorkTree
from tests.e2e.cluster.fleet import SERVICE, Fleet
from tests.e2e.cluster.measuring import install_kind, measured
from tests.e2e.cluster.place import until

CANARY = """\
canary:
  steps: [50]
  step_seconds: 30
  min_requests: 20
"""
RIGHT = "demand.features.record, demand.score,"
WRONG = "demand.features.record, elsewhere(demand.score),"
ELSEWHERE = """\
def elsewhere(score: Any) -> Any:
    \"\"\"Right on a laptop.\"\"\"
    in_a_pod = "KUBERNETES_SERVICE_HOST" in __import__("os").environ
    return (lambda records: score(records) * 1_000) if in_a_pod else score


@bentoml.service"""
TOKEN = "of nobody"  # noqa: S105 - a test's own


@contextmanager
def canaries(fleet: Fleet, folder: Path) -> Iterator[list[dict[str, Any]]]:
    """prod measures its releases, until the block ends; what is told to the forge."""
    install_kind(fleet.place)
    with (
        measured(fleet.api, "ml-prod", folder) as prometheus,
        forge() as (calls, address),
        fleet.undone(),
    ):
        tell_aborts(fleet, address)
        becomes_a_canary(fleet, prometheus)
        yield calls


def becomes_a_canary(fleet: Fleet, prometheus: str) -> None:
    """prod measures its releases from now on; nothing is lost by the change of kind."""
    load = fleet.load("prod")
    env = fleet.root / "environments/prod/env.yaml"
    env.write_text(f"{env.read_text()}prometheus: {prometheus}\n")
    settings = fleet.root / f"environments/prod/{SERVICE}/settings.yaml"
    settings.write_text(f"{settings.read_text()}{CANARY}")
    fleet.mlops("render")
    fleet.push("Measure releases of prod")
    until("it is a Rollout", 120, lambda: (fleet.workload("prod") or {}).get("kind") == "Rollout")
    until("it is healthy", 120, lambda: well(fleet, fleet.held("prod")))
    tally = load.end()
    assert tally["lost"] == 0, tally["reasons"]


def well(fleet: Fleet, release: int) -> bool:
    """Whether prod serves a release, and Argo CD and Argo Rollouts are content."""
    phase = ((fleet.workload("prod") or {}).get("status") or {}).get("phase")
    return fleet.serves("prod", release) and phase == "Healthy"


def right_on_a_laptop(fleet: Fleet) -> int:
    """A release, in dev and staging, that answers nonsense in a pod alone; its number."""
    service = fleet.root / f"apps/{SERVICE}/service.py"
    text = service.read_text()
    assert RIGHT in text
    service.write_text(text.replace(RIGHT, WRONG).replace("@bentoml.service", ELSEWHERE))
    fleet.push("Right on a laptop")
    return fleet.next_release()


def another(fleet: Fleet) -> int:
    """A release, in dev and staging, that answers as it should; its number."""
    service = fleet.root / f"apps/{SERVICE}/service.py"
    text = service.read_text().replace(WRONG, RIGHT)
    service.write_text(f"{text}# Right everywhere.\n")
    fleet.push("Right everywhere")
    return fleet.next_release()


def tell_aborts(fleet: Fleet, address: str) -> None:
    """What infra/clusters gets for a forge that can be called, and its token."""
    own = Repository(WorkTree(fleet.root), fleet.root).project
    forge = {"kind": "gitea", "url": address, "repository": "team/rides"}
    project = own.model_copy(update={"forge": own.forge.model_copy(update=forge)})
    settings = rollout_notifications(project, "argo-rollouts", {"ml-prod": "prod"})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "argo-rollouts-notification-secret", "namespace": "argo-rollouts"},
        "stringData": {"forge-token": TOKEN},
    }
    both = yaml.safe_dump_all([settings, secret])
    fleet.place.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", given=both)


@contextmanager
def forge() -> Iterator[tuple[list[dict[str, Any]], str]]:
    """An address that keeps what is sent to it."""
    calls: list[dict[str, Any]] = []

    class Kept(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            sent = {"authorization": self.headers["authorization"], "path": self.path}
            calls.append({**sent, "body": json.loads(body)})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Kept)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield calls, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
