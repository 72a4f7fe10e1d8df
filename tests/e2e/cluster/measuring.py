"""A Prometheus that reads services as its operator would from their ServiceMonitor."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.e2e.cluster.place import Api, Place, until
from tests.prometheus import program
from tests.team import ROOT

KIND = "monitoring.coreos.com_v1_ServiceMonitor.json"
MONITOR = ROOT / "infra/base/metrics/service-monitor.yaml"


@contextmanager
def measured(api: Api, namespace: str, folder: Path) -> Iterator[str]:
    """The address of a Prometheus for the pods of a namespace; ends with the block."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    config, targets = folder / "prometheus.yml", folder / "targets.json"
    spec = yaml.safe_load(MONITOR.read_text())["spec"]
    config.write_text(yaml.safe_dump({"scrape_configs": [_job(spec, targets)]}))
    options = (
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'samples'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    over = threading.Event()
    follower = threading.Thread(target=_follow, args=(api, namespace, spec, targets, over))
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [program("prometheus", folder), *options], stdout=log, stderr=log
        )
    follower.start()
    try:
        until("Prometheus is ready", 30, lambda: httpx.get(f"{address}/-/ready").is_success)
        yield address
    finally:
        over.set()
        follower.join()
        process.terminate()
        process.wait()


def _follow(
    api: Api, namespace: str, spec: dict[str, Any], targets: Path, over: threading.Event
) -> None:
    """Tell Prometheus of the pods that are there: Debian's has no discovery in Kubernetes."""
    while not over.wait(0.5):
        pods = (api.get(f"/api/v1/namespaces/{namespace}/pods") or {}).get("items") or []
        found = [_target(pod, spec) for pod in pods if pod["status"].get("podIP")]
        whole = targets.with_suffix(".part")
        whole.write_text(json.dumps(found))
        whole.replace(targets)


def _target(pod: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """A pod with the labels that the operator gives its samples."""
    own, (endpoint,) = pod["metadata"], spec["endpoints"]
    ports = pod["spec"]["containers"][0]["ports"]
    port = next(each["containerPort"] for each in ports if each["name"] == endpoint["port"])
    copied = {
        name: own["labels"][name] for name in spec["podTargetLabels"] if name in own["labels"]
    }
    labels = {
        "namespace": own["namespace"],
        "service": own["labels"]["app.kubernetes.io/name"],
        "pod": own["name"],
        **{name.replace("-", "_"): value for name, value in copied.items()},
    }
    return {"targets": [f"{pod['status']['podIP']}:{port}"], "labels": labels}


def install_kind(place: Place) -> None:
    """The kind ServiceMonitor, which the operator brings."""
    schema = json.loads((ROOT / "tests/schemas" / KIND).read_text())
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    names = {
        "kind": "ServiceMonitor",
        "plural": "servicemonitors",
        "singular": "servicemonitor",
        "listKind": "ServiceMonitorList",
    }
    kind = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "names": names,
            "scope": "Namespaced",
            "versions": [version],
        },
    }
    place.kubectl("apply", "--server-side", "-f", "-", given=json.dumps(kind))
    crd = "crd/servicemonitors.monitoring.coreos.com"
    place.kubectl("wait", "--for=condition=Established", "--timeout=60s", crd)


def _job(spec: dict[str, Any], targets: Path) -> dict[str, Any]:
    """What the operator writes for a ServiceMonitor."""
    (endpoint,) = spec["endpoints"]
    return {
        "job_name": "services",
        "scrape_interval": endpoint["interval"],
        "scrape_timeout": endpoint["scrapeTimeout"],
        "metrics_path": endpoint["path"],
        "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}],
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
