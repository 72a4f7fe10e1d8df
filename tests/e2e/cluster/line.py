"""A team whose pipelines run on a cluster, and the forge that pods reach."""

import base64
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from mlops.demo.stage import Stage
from tests.e2e.cluster import argo
from tests.e2e.cluster.fleet import write
from tests.e2e.cluster.place import Api, Harness, Place, until
from tests.e2e.cluster.stores import BUCKET, KEYS, NODE, Stores
from tests.forges.described import description
from tests.forges.hub import Hub
from tests.forges.hub_answers import ANSWERS
from tests.forges.hub_server import Server
from tests.team import git

NAMESPACE, MODEL, DATASET = "argo-workflows", "bike-demand", "bike-rentals"
WORKFLOWS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflows"
RAW = "data-contracts/bike-rentals/raw"
BASE = """\
ARG BASE
FROM ${BASE}
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends git python3-pip
"""
CONTROLLER = """\
ARG BASE
FROM ${BASE}
COPY workflow-controller argoexec /usr/local/bin/
USER 65532:65532
"""
TRIES = 10
"""Of a search: the first ones do not depend on what others found, and one of these is better."""
END = 900.0
"""Seconds within which a run has to end on a machine that does other things, too."""
ENDED = ("Succeeded", "Failed", "Error")


@contextmanager
def github(repositories: Path, name: str) -> Iterator[Server]:
    """The forge's API for a repository of the Git server."""
    hub = Hub(description(), repositories / f"{name}.git", f"team/{name}", ANSWERS)
    with Server(hub, NODE) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Line:
    """The team's clone and what people do with pipelines."""

    def __init__(
        self, place: Place, api: Api, stage: Stage, stores: Stores, hub: Server, name: str
    ) -> None:
        self.place, self.api, self.stage, self.stores, self.hub = place, api, stage, stores, hub
        self.root = stage.team
        self.name = name
        self.address = f"{stores.git}/{name}.git"

    # Set-up

    def install(self, machine: Harness, folder: Path) -> str:
        """Argo Workflows by its own manifests, and the image of the steps; gives the latter."""
        base = f"BASE={self.place.base}"
        files = folder / "controller"
        files.mkdir()
        for program in ("workflow-controller", "argoexec"):
            shutil.copy2(argo.BUILT / program, files)
        (files / "Containerfile").write_text(CONTROLLER)
        controller = machine.image(files, "argo-workflows:1", f"--build-arg={base}")
        install = _kustomization(folder / "install", controller, self.stores)
        self.place.kubectl("apply", "--server-side", "-k", str(install))
        deployment = ("deployment/workflow-controller", f"--namespace={NAMESPACE}")
        self.place.kubectl("rollout", "status", *deployment, "--timeout=180s")
        (folder / "Containerfile").write_text(BASE)
        with_pip = machine.image(folder, "python-pip-git:1", f"--build-arg={base}")
        recipe = self.root / "infra/workflows/Dockerfile"
        return machine.image(
            self.root, "pipelines:1", f"--file={recipe}", f"--build-arg=BASE={with_pip}"
        )

    def start(self, image: str) -> None:
        """The fork's names in mlops.toml, two months pinned, and the one kubectl line."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "The Team")
        self.git("config", "user.email", "team@example.com")
        self.git("remote", "add", "origin", self.address)
        forge = ("--forge=github", f"--repository=team/{self.name}", f"--url={self.hub.url}")
        stores = (f"--registry={self.stores.registry}", f"--data={self.stores.data}")
        self.mlops("init", *forge, *stores, "--stores-root=.mlops")
        toml = self.root / "mlops.toml"
        # The forge of this test does not serve Git.
        write(toml, 'repository = "http.*"', f'repository = "{self.address}"')
        toml.write_text(f'{toml.read_text()}\n[workflows]\nimage = "{image}"\n')
        write(self.root / f"models/{MODEL}/model.yaml", "  trials: .*", f"  trials: {TRIES}")
        self.mlops("render")
        self.push("Start from the template")
        months = (f"{RAW}/2011-{month:02}.csv" for month in (1, 2))
        self.mlops("data", "ingest", DATASET, *months)
        self.push("Pin two months")
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pipelines-forge"}}
        given = json.dumps({**secret, "stringData": {"FORGE_TOKEN": "token-of-bot"}})
        self.place.kubectl("apply", f"--namespace={NAMESPACE}", "--filename=-", given=given)
        self.place.kubectl("apply", "--filename", str(self.root / "infra/workflows"))

    # What people do

    def git(self, *words: str) -> str:
        """Git in the team's clone."""
        return git(self.root, *words)

    def mlops(self, *words: str) -> str:
        """A command of the tool; what it printed."""
        return self.stage.run("mlops", *words)

    def told_by(self, *words: str) -> Any:
        """What a command says as JSON."""
        return json.loads(self.mlops(*words, "--json").strip().splitlines()[-1])

    def push(self, message: str) -> str:
        """Commit all and push; the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "--set-upstream", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def arrive(self, key: str, text: str) -> Path:
        """A raw file in the artifact repository."""
        file = self.stores.bucket / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def submit(self, *options: str) -> str:
        """A run of HEAD's pipeline on the cluster; its name."""
        return str(self.told_by("pipeline", "submit", MODEL, *options)["workflow"])

    def submit_all(self) -> str:
        """A run of all models' pipelines, as anybody with kubectl starts it."""
        run = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": "all-", "namespace": NAMESPACE},
            "spec": {"workflowTemplateRef": {"name": "all-pipelines"}},
        }
        only_name = "--output=jsonpath={.metadata.name}"
        return self.place.kubectl("create", "--filename=-", only_name, given=json.dumps(run))

    # What is there

    def run(self, name: str) -> dict[str, Any]:
        """A run as the cluster has it."""
        found = self.api.get(f"{WORKFLOWS}/{name}")
        assert found is not None, f"no run {name}"
        return found

    def runs(self) -> list[str]:
        """Names of all runs of the model's pipeline, the oldest first."""
        found = (self.api.get(WORKFLOWS) or {})["items"]
        own = [each for each in found if each["metadata"]["name"].startswith(f"pipeline-{MODEL}-")]
        own.sort(key=lambda each: str(each["metadata"]["creationTimestamp"]))
        return [str(each["metadata"]["name"]) for each in own]

    def phase(self, name: str) -> str:
        """How far a run is."""
        return str((self.run(name).get("status") or {}).get("phase"))

    def end(self, name: str) -> str:
        """Wait until a run has ended; how it did."""
        until(f"{name} ends", END, lambda: self.phase(name) in ENDED)
        return self.phase(name)

    def tries(self, name: str, step: str) -> list[dict[str, Any]]:
        """The pods of a step, in their order: phase, exit code and more."""
        nodes = ((self.run(name).get("status") or {}).get("nodes") or {}).values()
        pods = [each for each in nodes if each["type"] == "Pod" and each["templateName"] == step]
        return sorted(pods, key=lambda each: str(each["displayName"]))

    def lose(self, machine: Harness, name: str, step: str) -> None:
        """End the first pod of a step while it works."""
        found: list[str] = []

        def works() -> bool:
            found[:] = [
                str(pod["metadata"]["uid"])
                for pod in self.pods(name)
                if f"-{step}-" in pod["metadata"]["name"] and pod["status"]["phase"] == "Running"
            ]
            return bool(found)

        until(f"{step} of {name} works", END, works)
        machine.kill_pod(found[0])

    def pods(self, name: str) -> list[dict[str, Any]]:
        """The pods of a run that are there."""
        chosen = f"labelSelector=workflows.argoproj.io/workflow%3D{name}"
        found = self.api.get(f"/api/v1/namespaces/{NAMESPACE}/pods?{chosen}") or {}
        return list(found["items"])

    def predictions(self, name: str, folder: Path) -> dict[str, bytes]:
        """Files of predictions that a run kept, by their names."""
        (kept,) = (self.stores.bucket / name).glob("*/predictions.tgz")
        with tarfile.open(kept) as archive:
            archive.extractall(folder, filter="data")
        return {file.name: file.read_bytes() for file in folder.rglob("*.parquet")}

    def told(self) -> list[tuple[str, str, str]]:
        """Commit, name and state of every status on the forge, the oldest first."""
        given = reversed(self.hub.hub.statuses)
        return [(each["commit"], each["context"], each["state"]) for each in given]


def _kustomization(folder: Path, image: str, stores: Stores) -> Path:
    """The release's own manifests with our image, our S3, and who runs steps."""
    folder.mkdir()
    for part in ("base", "namespace-install"):
        shutil.copytree(argo.BUILT / "manifests" / part, folder / part)
    name, _, digest = image.partition("@")
    settings = {"metadata": {"name": "workflow-controller-configmap"}}
    repository = {
        "s3": {
            "bucket": BUCKET,
            "endpoint": stores.s3.removeprefix("http://"),
            "insecure": True,
            "accessKeySecret": {"name": "artifacts", "key": "access"},
            "secretKeySecret": {"name": "artifacts", "key": "secret"},
        }
    }
    data = {"artifactRepository": yaml.safe_dump(repository)}
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    files: dict[str, Any] = {
        "kustomization.yaml": {
            "namespace": NAMESPACE,
            "resources": [
                *("base/crds/full", "base/workflow-controller", "own.yaml"),
                "namespace-install/workflow-controller-rbac",
            ],
            "images": [
                {
                    "name": "quay.io/argoproj/workflow-controller",
                    "newName": name,
                    "digest": digest,
                }
            ],
            "patches": [
                {"path": "settings.yaml"},
                {
                    "target": {"kind": "Deployment", "name": "workflow-controller"},
                    "patch": json.dumps(
                        [
                            {
                                "op": "replace",
                                "path": "/spec/template/spec/containers/0/args",
                                "value": ["--namespaced", f"--executor-image={image}"],
                            }
                        ]
                    ),
                },
            ],
        },
        "settings.yaml": {**kind, **settings, "data": data},
        "own.yaml": {"apiVersion": "v1", "kind": "List", "items": _own()},
    }
    for file, content in files.items():
        (folder / file).write_text(yaml.safe_dump(content))
    return folder


def _own() -> list[dict[str, Any]]:
    """What the chart of docs/platform.md gives beside the controller, and the keys of S3."""
    account = {"name": "argo-workflow", "namespace": NAMESPACE}
    rule = {
        "apiGroups": ["argoproj.io"],
        "resources": ["workflowtaskresults"],
        "verbs": ["create", "patch"],
    }
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "Role", "name": account["name"]}
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in KEYS.items()}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": account, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": account,
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", **account}],
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "artifacts", "namespace": NAMESPACE},
            "data": encoded,
        },
    ]
