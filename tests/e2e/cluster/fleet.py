"""A team whose three environments are namespaces of a cluster, with releases that have images."""

import json
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from mlops.demo.load import Load
from mlops.demo.stage import Stage
from mlops.files import load_yaml
from mlops.repository import release_path
from tests.e2e.cluster.place import Api, Place, until

SERVICE = "bike-demand"
ENVIRONMENTS = ("dev", "staging", "prod")
RAW = "data-contracts/bike-rentals/raw"
IN_CLUSTER = "https://kubernetes.default.svc"
ARGOCD = "/apis/argoproj.io/v1alpha1/namespaces/argocd"
PATIENCE = 15.0
"""Seconds until an answer counts as lost where a test looks on: other tests keep the machine busy.
Benchmarks ask for answers in time."""
SYNC = 180.0
"""Seconds within which a merge has to serve, images to pull included."""
START = 600.0
"""Seconds until all that is set up at once serves, while other tests keep the machine busy."""


class Fleet:
    """The team's clone and what people do with it; every line is one a person can type."""

    def __init__(self, place: Place, api: Api, stage: Stage) -> None:
        self.place, self.api, self.stage = place, api, stage
        self.root = stage.team
        self.images: dict[int, str] = {}
        self.repository = f"team-{time.time_ns()}"
        self.address = f"{place.git}/{self.repository}.git"

    # Set-up

    def start(self) -> None:
        """The template as a fork has it, on a Git server that tells Argo CD of each push."""
        self.stage.prepare()
        self._write_names()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "The Team")
        self.git("config", "user.email", "team@example.com")
        self.git("remote", "add", "origin", self.address)
        self.mlops("init", "--base-image", self.place.base)
        self.push("Start from the template")

    def _write_names(self) -> None:
        """What a fork writes: where its repository, its images and its clusters are."""
        write(self.root / "mlops.toml", 'repository = ".*"', f'repository = "{self.address}"')
        for name in ENVIRONMENTS:
            env = self.root / f"environments/{name}/env.yaml"
            write(env, r"cluster: \S+", f"cluster: {IN_CLUSTER}")
            write(env, "registry: .*", f"registry: {self.place.registry}")
            # Room for old and new pods of all environments on one small node.
            settings = self.root / f"environments/{name}/{SERVICE}/settings.yaml"
            write(settings, "resources: {cpu: 250m", "resources: {cpu: 50m")

    def bootstrap(self) -> None:
        """How Argo CD reads the repository, and the one command: docs/clusters.md."""
        self.place.reads(self.address)
        how = ("--server-side", "--force-conflicts", "--field-manager=mlops")
        self.place.kubectl("apply", *how, "-k", str(self.root / "infra/bootstrap"))

    def leave(self) -> None:
        """Take everything of the team off the cluster."""
        self.place.clear("mlops", "root", *ENVIRONMENTS)
        self.place.forget(self.address)

    # What people do

    def git(self, *words: str) -> str:
        """Git in the team's clone."""
        done = subprocess.run(
            ["git", *words], cwd=self.root, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, f"git {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def mlops(self, *words: str, expect: int = 0) -> str:
        """A command of the tool; what it printed."""
        return self.stage.run("mlops", *words, expect=expect)

    def push(self, message: str) -> float:
        """Commit all and push; the time (Unix) of the push."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.send()

    def send(self) -> float:
        """Push main; the time (Unix) at which the forge had it."""
        self.git("push", "--quiet", "--set-upstream", "origin", "main")
        return time.time()

    def ingest(self, *months: int) -> None:
        """Pin these months of 2011 beside those that are there."""
        self.mlops("data", "ingest", "bike-rentals", *(f"{RAW}/2011-{m:02}.csv" for m in months))
        self.push("Pin more months")

    def release(self, number: int, image: str | None = None) -> None:
        """Train and build what is new, push the image, and merge the release to dev.

        Args:
            number: the one it has to get.
            image: digest to release in the place of the one that is built.
        """
        self.mlops("train", SERVICE)
        told = self.mlops("build", SERVICE, "--image", self.place.registry, "--json")
        digest = image or json.loads(told.strip().splitlines()[-1])["image"]["digest"]
        self.images[number] = digest
        self.mlops("release", SERVICE, "--image", f"{SERVICE}@{digest}")
        self.merge(f"release/{SERVICE}-{number}")

    def next_release(self, image: str | None = None) -> int:
        """A new release, merged into dev and staging; its number."""
        number = max(self.images) + 1
        self.release(number, image)
        self.promote(number, "staging")
        return number

    def promote(self, number: int, environment: str) -> float:
        """Open a promotion and merge it; the time of the push."""
        self.mlops("promote", SERVICE, "--to", environment)
        return self.merge(f"promote/{SERVICE}-{number}-to-{environment}")

    def check(self, branch: str) -> None:
        """What CI does with a pull request."""
        self.git("switch", "--quiet", branch)
        self.mlops("check", "--base", "origin/main")
        self.git("switch", "--quiet", "main")

    def merge(self, branch: str) -> float:
        """What the forge's button does; the time of the push."""
        self.git("merge", "--quiet", "--squash", f"origin/{branch}")
        return self.push(branch)

    def revert(self, commit: str = "HEAD") -> float:
        """A plain `git revert`, pushed; the time of the push."""
        self.git("revert", "--no-edit", commit)
        return self.send()

    @contextmanager
    def undone(self) -> Iterator[None]:
        """All that is merged meanwhile is reverted in the end, in every environment."""
        before = self.git("rev-parse", "HEAD")
        held = {name: self.held(name) for name in ENVIRONMENTS}
        for name, release in held.items():
            self.wait(name, release)
        try:
            yield
        finally:
            self.git("revert", "--no-edit", f"{before}..HEAD")
            self.send()
            for name, release in held.items():
                self.wait(name, release)

    def switch(self) -> tuple[int, float]:
        """Revert what brought the good release that prod holds in the place of the other one.

        Returns:
            The release that it holds then, and when that was pushed.
        """
        now = self.held("prod")
        before = {1: 2, 2: 1}[now]
        commits = self.git("log", "--format=%H", "--", release_path("prod", SERVICE)).split()
        turns = (each for each in commits if self.held("prod", each) == now)
        pushed = self.revert(
            next(each for each in turns if self.held("prod", f"{each}^") == before)
        )
        return before, pushed

    # What is there

    def held(self, environment: str, commit: str = "HEAD") -> int:
        """The release that Git holds, at a commit."""
        file = release_path(environment, SERVICE)
        return int(load_yaml(self.git("show", f"{commit}:{file}").encode(), file)["release"])

    def url(self, environment: str) -> str:
        """Where the service of an environment answers."""
        found = self.api.get(f"/api/v1/namespaces/ml-{environment}/services/{SERVICE}")
        assert found is not None, f"no Service in ml-{environment}"
        return f"http://{found['spec']['clusterIP']}"

    def workload(self, environment: str) -> dict[str, Any] | None:
        """The Deployment or Rollout of an environment."""
        for group in ("apps/v1", "argoproj.io/v1alpha1"):
            kind = "deployments" if group == "apps/v1" else "rollouts"
            path = f"/apis/{group}/namespaces/ml-{environment}/{kind}/{SERVICE}"
            if found := self.api.get(path):
                return found
        return None

    def wanted(self, environment: str) -> str:
        """Digest of the image that the workload of an environment names; empty without one."""
        workload = self.workload(environment)
        if workload is None:
            return ""
        image = workload["spec"]["template"]["spec"]["containers"][0]["image"]
        return str(image).partition("@")[2]

    def application(self, name: str) -> dict[str, Any]:
        """An Application of Argo CD; empty when it does not exist."""
        return self.api.get(f"{ARGOCD}/applications/{name}") or {}

    def state(self, name: str) -> tuple[str, str]:
        """Sync status of an Application, and the commit compared with."""
        sync = (self.application(name).get("status") or {}).get("sync") or {}
        return str(sync.get("status")), str(sync.get("revision"))

    def synced(self, environment: str, seconds: float = SYNC) -> float:
        """Wait until Argo CD has an environment's folder as in HEAD; seconds it took.

        The commit that it has compared with may be an older one: later ones may lie elsewhere.
        """
        folder = f"environments/{environment}/{SERVICE}"
        newest = self.git("log", "-1", "--format=%H", "--", folder)

        def is_synced() -> bool:
            state, commit = self.state(f"{environment}-{SERVICE}")
            return state == "Synced" and newest in self.git("log", "--format=%H", commit, "--")

        return until(f"{environment} is synced", seconds, is_synced)

    def pods(self, environment: str) -> list[dict[str, Any]]:
        """The service's pods, those on their way out included."""
        query = f"labelSelector=app.kubernetes.io/name%3D{SERVICE}"
        found = self.api.get(f"/api/v1/namespaces/ml-{environment}/pods?{query}") or {}
        pods: list[dict[str, Any]] = found["items"]
        return pods

    def ready(self, environment: str, release: int) -> bool:
        """Whether as many pods of a release are ready as are wanted, whatever else is there."""
        wanted = ((self.workload(environment) or {}).get("spec") or {}).get("replicas")
        own = [pod for pod in self.pods(environment) if release_of(pod) == release]
        return len(own) == wanted and all(is_ready(pod) for pod in own)

    def serves(self, environment: str, release: int) -> bool:
        """Whether every pod of an environment is ready and of that release, and none is left."""
        pods = self.pods(environment)
        return bool(pods) and all(release_of(pod) == release and is_ready(pod) for pod in pods)

    def wait(self, environment: str, release: int, seconds: float = SYNC) -> float:
        """Wait until an environment serves a release and nothing else; seconds it took."""
        what = f"release {release} serves {environment}"
        try:
            return until(what, seconds, lambda: self.serves(environment, release))
        except AssertionError as error:
            error.add_note(self.status(environment))
            raise

    def status(self, environment: str) -> str:
        """What `mlops status` says of an environment."""
        return self.mlops("status", "--env", environment, "--cluster")

    def told(self, words: str, seconds: float = 90) -> str:
        """Wait until `mlops status --env prod` says it; the line."""
        lines: list[str] = []

        def says() -> bool:
            # As they were before they were broken for a terminal.
            said = re.sub(r"\n(?!prod/)", " ", self.status("prod")).splitlines()
            lines[:] = [line for line in said if words in line]
            return bool(lines)

        until(words, seconds, says)
        return lines[0]

    def load(self, environment: str, deadline: float = PATIENCE) -> Load:
        """A steady load from an independent client."""
        return Load(self.stage, SERVICE, environment, self.url(environment), deadline)

    def answers(self, environment: str) -> str:
        """The service's answers for pinned rows, compared with the registered model's."""
        url = self.url(environment)
        # A pod is ready before the node's proxy leads to it.
        until(f"{url} is reached", 60, lambda: httpx.get(f"{url}/readyz", trust_env=False))
        return self.mlops("evaluate", SERVICE, "--answers", environment, "--url", url)


def release_of(pod: dict[str, Any]) -> int:
    """The release that a pod is of."""
    given: Sequence[dict[str, str]] = pod["spec"]["containers"][0]["env"]
    return int(next(each["value"] for each in given if each["name"] == "MLOPS_RELEASE"))


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether requests are sent to a pod."""
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def write(file: Path, line: str, value: str) -> None:
    """Change one line of a file."""
    text, count = re.subn(f"(?m)^{line}", value, file.read_text())
    assert count == 1, f"{file}: {count} lines are {line}"
    file.write_text(text)
