"""One Argo CD with many services: what a change costs then, and how many it keeps up with.

Each folder holds what a service has beside its pods, which would need a larger cluster.
"""

import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml

from benchmarks.table import Figure
from mlops.environments import argocd
from mlops.environments.manifests import manifests_path
from mlops.repository import Repository
from mlops.specs.environment import IN_CLUSTER, Environment
from mlops.tree import WorkTree
from tests.e2e.cluster.harness import running
from tests.e2e.cluster.place import Api, Place, proxied, until

TEMPLATE = Path(__file__).parent.parent
NAME = "many"
NAMESPACE = f"ml-{NAME}"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
METRICS = "http://127.0.0.1:18082/metrics"
DEPTH = re.compile(r'^workqueue_depth\{.*name="app_reconciliation_queue".*\} (\S+)$', re.MULTILINE)
RECORDED = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: service-{number}}}
data: {{value: "{value}"}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: service-{number}}}
automountServiceAccountToken: false
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: service-{number}}}
spec:
  podSelector: {{matchLabels: {{app.kubernetes.io/name: service-{number}}}}}
  policyTypes: [Ingress, Egress]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: service-{number}}}
spec:
  maxUnavailable: 1
  selector: {{matchLabels: {{app.kubernetes.io/name: service-{number}}}}}
"""
PERIOD = 75.0
"""Seconds in which Argo CD asks of each application by itself: timeout.reconciliation, jitter."""


class Many:
    """An environment of services without pods."""

    def __init__(self, place: Place, api: Api, folder: Path) -> None:
        self.place, self.api, self.root = place, api, folder
        self.address = f"{place.git}/many-{time.time_ns()}.git"
        self.count = 0

    def start(self) -> None:
        """A project, its namespace and its ApplicationSet, as they are rendered for a team."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "The Team")
        self.git("config", "user.email", "team@example.com")
        self.git("remote", "add", "origin", self.address)
        project = Repository(WorkTree(TEMPLATE), TEMPLATE).project
        given = {"name": NAME, "cluster": IN_CLUSTER, "namespace": NAMESPACE}
        env = Environment.model_validate(
            {**given, "registry": "none", "owners": ("@example/team",)}
        )
        own, services, _ = argocd.of_environment(project, self.address, env)
        self.place.reads(self.address)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        for one in (namespace, own, services):
            self.place.kubectl("apply", "--server-side", "-f", "-", given=yaml.safe_dump(one))

    def leave(self) -> None:
        """Take everything off a cluster that goes on."""
        self.place.clear(NAME)
        self.place.forget(self.address)

    def grow(self, count: int) -> float:
        """Add folders up to a number; seconds until all are synced."""
        for number in range(self.count, count):
            self.write(number, "first")
        self.count = count
        self.push()
        return until(f"{count} applications are synced", 3_600, lambda: self.synced() == count)

    def synced(self) -> int:
        """How many applications are synced."""
        found = self.api.get(APPLICATIONS) or {"items": []}
        own = [each for each in found["items"] if each["metadata"]["name"].startswith(f"{NAME}-")]
        states = [each.get("status", {}).get("sync", {}).get("status") for each in own]
        time.sleep(max(1, len(own) / 500))  # a list of thousands takes a while to make
        return states.count("Synced")

    def change(self, number: int) -> float:
        """Change one folder; seconds from the push to the live object."""
        value = str(time.time_ns())
        self.write(number, value)
        self.push()
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/service-{number}"

        def is_live() -> bool:
            return ((self.api.get(path) or {}).get("data") or {}).get("value") == value

        return until(f"the change of service-{number}", 600, is_live)

    def keeps_up(self, period: float) -> bool:
        """Whether the queue empties again, once all had to be compared; seconds of that."""
        started = time.monotonic()
        while time.monotonic() < started + 2 * period:
            if time.monotonic() > started + period and depth() == 0:
                return True
            time.sleep(0.5)
        return False

    def write(self, number: int, value: str) -> None:
        """The manifests of one folder."""
        file = self.root / manifests_path(NAME, f"service-{number}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(RECORDED.format(number=number, value=value))

    def push(self) -> None:
        """Commit all and push."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Change")
        self.git("push", "--quiet", "origin", "main")

    def git(self, *words: str) -> None:
        """Git in the clone."""
        subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True)


def depth() -> float:
    """Applications that wait to be compared."""
    found = DEPTH.findall(httpx.get(METRICS, timeout=10).text)
    return sum(float(each) for each in found)


@contextmanager
def many() -> Iterator[Many]:
    """An environment of its own on a cluster of our own."""
    with (
        running() as place,
        proxied(place) as api,
        tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder,
    ):
        yield Many(place, api, Path(folder))


def measure(*, small: bool) -> list[Figure]:
    """One change among few and among many, and how many are too many."""
    with many() as team:
        if small:
            return of_applications(team, few=2, enough=20, rounds=3, most=20)
        return of_applications(team, few=10, enough=1_000, rounds=10, most=2_500, step=500)


def of_applications(
    team: Many,
    *,
    few: int,
    enough: int,
    rounds: int,
    most: int,
    step: int = 10,
    period: float = PERIOD,
) -> list[Figure]:
    """The same, of an environment that has no folder yet.

    Args:
        team: the environment.
        few: applications beside the first changes.
        enough: applications beside the others.
        rounds: changes measured beside each.
        most: applications that are tried at most.
        step: how many are added at a time from `enough` on.
        period: seconds in which all have to be compared once.
    """
    team.start()
    team.grow(few)
    with_few = [team.change(number % few) for number in range(rounds)]
    took = team.grow(enough)
    with_many = [team.change(number * enough // rounds) for number in range(rounds)]
    while (up := team.keeps_up(period)) and team.count < most:
        team.grow(min(most, team.count + step))
    kept = team.count if up else team.count - step
    ratio = statistics.median(with_many) / statistics.median(with_few)
    return [
        Figure(
            what=f"one changed application of {enough:,} against one of {few}",
            value=ratio,
            unit="times",
            goal=1.5,
            detail=f"push to live object, {_told(with_many)} and {_told(with_few)}",
        ),
        Figure(
            what=f"{enough - few:,} more applications of one ApplicationSet synced",
            value=took,
            unit="s",
            goal=600,
            detail="once; four objects in each",
        ),
        Figure(
            what="applications that one Argo CD keeps up with",
            value=kept,
            unit="applications",
            goal=enough,
            bound="at least",
            detail=(
                f"all compared within {2 * period:.0f} s with nothing pushed; "
                + (f"more were not tried: {team.count:,}" if up else f"with {team.count:,} not")
            ),
        ),
    ]


def _told(seconds: Sequence[float]) -> str:
    return f"median of {len(seconds)} {statistics.median(seconds):.2f} s"
