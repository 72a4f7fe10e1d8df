"""Which keys the secrets of a cluster have; their values are asked for by nobody here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlops.cluster.kubectl import Kubectl, NotAllowed, NotThere, Object
from mlops.errors import Note, Problem

KEYS = '{{range $key, $_ := .data}}{{$key}}{{"\\n"}}{{end}}'
NAMED = re.compile(r"\$([A-Za-z0-9._-]+)")
"""How settings of notifications name a key of their secret."""


@dataclass(frozen=True)
class Notifier:
    """Whose settings they are: its secret, what is lost without it, how it is made."""

    secret: str
    lost: str
    fix: str
    optional: bool


NOTIFIERS = {
    "argocd-notifications-cm": Notifier(
        "argocd-notifications-secret",
        "the forge does not hear which commits run",
        "infra/bootstrap/README.md says how to make it",
        optional=True,
    ),
    "argo-rollouts-notification-configmap": Notifier(
        "argo-rollouts-notification-secret",
        "an aborted canary opens no rollback pull request",
        "docs/clusters.md says how to make it",
        optional=False,
    ),
}


def keys(kubectl: Kubectl, namespace: str, secret: str) -> set[str]:
    """The names of the keys of a secret; none where it is not there.

    Raises:
        ClusterError: when the cluster does not answer, or the secret may not be read.
    """
    asked = ("get", "secret", secret, "-n", namespace, "-o", f"go-template={KEYS}")
    try:
        return set(kubectl.text(*asked).split())
    except NotThere:
        return set()


def is_notifier(document: Object) -> bool:
    """Whether an object is the settings of notifications."""
    return document["kind"] == "ConfigMap" and document["metadata"]["name"] in NOTIFIERS


def unset(
    kubectl: Kubectl, path: str, settings: Object, namespace: str
) -> Iterator[Problem | Note]:
    """The keys that settings of notifications name and their secret does not have.

    Args:
        path: of the file that holds the settings.
        namespace: of settings that name none.

    Raises:
        ClusterError: when the cluster does not answer.
    """
    notifier = NOTIFIERS[settings["metadata"]["name"]]
    space = settings["metadata"].get("namespace", namespace)
    services = [text for key, text in settings["data"].items() if key.startswith("service.")]
    wanted = {key for text in services for key in NAMED.findall(text)}
    named = f"Secret {notifier.secret} in {space}"
    try:
        missing = wanted - keys(kubectl, space, notifier.secret)
    except NotAllowed:
        yield Note(f"not looked at: the keys of {named} may not be read")
        return
    if missing == wanted and notifier.optional:
        yield Note(f"no {named}, which is optional: {notifier.lost}; {notifier.fix}")
    elif missing:
        what = f"{named} lacks {', '.join(sorted(missing))}, so {notifier.lost}"
        yield Problem(path, what, notifier.fix)
