"""What pipelines need on a cluster beside their templates: what pods may do, what all share."""

from mlops.pipelines.names import ALL, ARGO, SETTINGS, Document
from mlops.specs.project import Workflows

RBAC = "rbac.authorization.k8s.io"


def access(settings: Workflows) -> list[Document]:
    """What pods may do on the cluster.

    A step's own container has no token; Argo Workflows' containers beside it have that of a Secret
    which nobody but the cluster fills. `all-pipelines` alone may start runs.
    """
    subject = {"kind": "ServiceAccount", "name": ALL, "namespace": settings.namespace}
    rules = [
        {"apiGroups": [ARGO], "resources": ["workflows"], "verbs": ["create", "get"]},
        {"apiGroups": [ARGO], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]},
    ]
    token = _object(settings, "v1", "Secret", f"{settings.service_account}.service-account-token")
    token["metadata"]["annotations"] = {
        "kubernetes.io/service-account.name": settings.service_account
    }
    role = {"apiGroup": RBAC, "kind": "Role", "name": ALL}
    return [
        {**token, "type": "kubernetes.io/service-account-token"},
        _object(settings, "v1", "ServiceAccount", ALL),
        {**_object(settings, f"{RBAC}/v1", "Role", ALL), "rules": rules},
        {
            **_object(settings, f"{RBAC}/v1", "RoleBinding", ALL),
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def settings(found: Workflows, image: str) -> list[Document]:
    """ConfigMap with what all pipelines share, so that a new image is one line of one file."""
    shared = _object(found, "v1", "ConfigMap", SETTINGS)
    # Without it Argo Workflows does not take a parameter from a ConfigMap.
    shared["metadata"]["labels"] = {"workflows.argoproj.io/configmap-type": "Parameter"}
    return [{**shared, "data": {"image": image}}]


def _object(settings: Workflows, version: str, kind: str, name: str) -> Document:
    metadata = {"name": name, "namespace": settings.namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
