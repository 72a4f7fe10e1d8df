"""Objects as Argo CD 3.5, Argo Rollouts 1.10 and Kubernetes 1.36 write them, of a service `toy`."""

from collections.abc import Mapping
from typing import Any

from mlops.cluster.seen import Seen

NAMESPACE = "toys-prod"
COMMIT = "c" * 40
NAME = "prod-toy"
LABELS = {
    "app.kubernetes.io/component": "inference",
    "app.kubernetes.io/managed-by": "mlops",
    "app.kubernetes.io/name": "toy",
}
IMAGE = "registry.example.com/toys/toy@sha256:" + "2" * 64
NO_IMAGE = (
    f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = failed to '
    f'pull and unpack image "{IMAGE}": failed to resolve reference "{IMAGE}": {IMAGE}: not found'
)
AUTOMATED: dict[str, Any] = {"prune": True, "selfHeal": True}
WORKLOAD = {
    "group": "apps",
    "version": "v1",
    "kind": "Deployment",
    "namespace": NAMESPACE,
    "name": "toy",
}


def application(
    *,
    sync: str = "Synced",
    health: str = "Healthy",
    revision: str = COMMIT,
    automated: Mapping[str, Any] | None = AUTOMATED,
    conditions: tuple[tuple[str, str], ...] = (),
    operation: Mapping[str, Any] | None = None,
    deleted: str | None = None,
    approved: str | None = None,
    confirmed: bool = True,
) -> dict[str, Any]:
    """The Application of prod's toy."""
    policy: dict[str, Any] = {"syncOptions": ["ServerSideApply=true"]}
    if automated is not None:
        policy["automated"] = dict(automated)
    source = {
        "repoURL": "https://github.com/example/toys.git",
        "targetRevision": "main",
        "path": "environments/prod/toy",
        "directory": {"include": "manifests.yaml"},
    }
    destination = {"server": "https://prod-cluster.example.com", "namespace": NAMESPACE}
    resource: dict[str, Any] = {**WORKLOAD, "status": sync}
    if confirmed:
        resource["requiresDeletionConfirmation"] = True
    status: dict[str, Any] = {
        "health": {"status": health, "lastTransitionTime": "2026-11-23T20:00:00Z"},
        "sync": {
            "status": sync,
            "revision": revision,
            "comparedTo": {"source": source, "destination": destination},
        },
        "reconciledAt": "2026-11-23T20:00:00Z",
        "resources": [resource],
        "sourceType": "Directory",
        "conditions": [
            {"type": kind, "message": message, "lastTransitionTime": "2026-11-23T20:00:00Z"}
            for kind, message in conditions
        ],
    }
    if operation is not None:
        status["operationState"] = {
            "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": True}},
            "startedAt": "2026-11-23T20:00:00Z",
            **operation,
        }
    metadata: dict[str, Any] = {"name": NAME, "namespace": "argocd", "annotations": {}}
    if deleted:
        metadata |= {"deletionTimestamp": deleted, "deletionGracePeriodSeconds": 0}
    if approved:
        metadata["annotations"] = {"argocd.argoproj.io/deletion-approved": approved}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata,
        "spec": {
            "project": "prod",
            "source": source,
            "destination": destination,
            "syncPolicy": policy,
        },
        "status": status,
    }


def failed(message: str, *, name: str = "toy", kind: str = "Deployment") -> dict[str, Any]:
    """The operation of a sync in which one object was refused, and that is tried again."""
    result = {**WORKLOAD, "kind": kind, "name": name, "status": "SyncFailed", "message": message}
    return {
        "phase": "Running",
        "retryCount": 1,
        "message": "one or more objects failed to apply, reason: "
        f"{message}. Retrying attempt #1 at 8:00PM.",
        "syncResult": {
            "revision": COMMIT,
            "resources": [result],
            "source": {"repoURL": "https://github.com/example/toys.git"},
        },
    }


def deployment(*conditions: Mapping[str, str]) -> dict[str, Any]:
    """The Deployment of toy; its specification does not matter here."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "toy", "namespace": NAMESPACE, "labels": LABELS},
        "spec": {},
        "status": {"conditions": [dict(condition) for condition in conditions]},
    }


def rollout(**status: Any) -> dict[str, Any]:
    """The Rollout of toy."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "toy", "namespace": NAMESPACE, "labels": LABELS},
        "spec": {},
        "status": status,
    }


def autoscaler(reason: str, message: str) -> dict[str, Any]:
    """The autoscaler of the service, with one thing that does not work."""
    condition = {"type": "ScalingActive", "status": "False", "reason": reason, "message": message}
    metadata = {"name": "toy", "namespace": NAMESPACE}
    status = {"conditions": [condition]}
    return {"kind": "HorizontalPodAutoscaler", "metadata": metadata, "status": status}


def pod(
    release: int,
    *,
    ready: bool = True,
    waiting: tuple[str, str] | None = None,
    ended: tuple[str, int] | None = None,
    restarts: int = 0,
    unschedulable: str = "",
    name: str = "toy-6b7f-x2x4p",
    leaving: bool = False,
) -> dict[str, Any]:
    """A pod of a release of toy."""
    state: dict[str, Any] = {"running": {"startedAt": "2026-11-23T20:00:00Z"}}
    if waiting:
        state = {"waiting": {"reason": waiting[0], "message": waiting[1]}}
    last = {"terminated": {"reason": ended[0], "exitCode": ended[1]}} if ended else {}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    if unschedulable:
        conditions.append(
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": unschedulable,
            }
        )
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE, "labels": LABELS}
    if leaving:
        metadata["deletionTimestamp"] = "2026-11-23T20:00:00Z"
    env = [{"name": "MLOPS_RELEASE", "value": str(release)}]
    container = {"name": "service", "ready": ready, "restartCount": restarts, "state": state}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "service", "image": IMAGE, "env": env}]},
        "status": {
            "conditions": conditions,
            "containerStatuses": [] if unschedulable else [{**container, "lastState": last}],
        },
    }


def evicted(release: int) -> dict[str, Any]:
    """What stays of a pod that its node had no room for any more."""
    found = pod(release, ready=False, ended=("ContainerStatusUnknown", 137), restarts=1)
    message = "The node was low on resource: ephemeral-storage."
    status = {**found["status"], "phase": "Failed", "reason": "Evicted", "message": message}
    return {**found, "spec": {**found["spec"], "nodeName": "node-a"}, "status": status}


def seen(
    *objects: dict[str, Any],
    application_set: dict[str, Any] | None = None,
    project: dict[str, Any] | None = None,
    blind: str = "",
) -> Seen:
    """What was seen of prod."""

    def of(*kinds: str) -> tuple[dict[str, Any], ...]:
        return tuple(one for one in objects if one["kind"] in kinds)

    return Seen(
        "prod",
        kubectl="kubectl -n argocd",
        pods_kubectl=f"kubectl -n {NAMESPACE}",
        applications=of("Application"),
        application_set=application_set,
        project=project,
        workloads=of("Deployment", "Rollout"),
        pods=of("Pod"),
        autoscalers=of("HorizontalPodAutoscaler"),
        blind=blind,
    )
