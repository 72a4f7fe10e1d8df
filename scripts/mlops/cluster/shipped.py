"""Whether a cluster holds the objects that Git has for it; more than Git has is well."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.cluster.kubectl import Kubectl, NotThere, Object
from mlops.errors import Problem

NAMED = 3
"""So many keys of an object that differ are named."""


def differing(
    kubectl: Kubectl, documents: list[tuple[str, Object]], namespace: str, fix: str
) -> Iterator[Problem]:
    """Objects that are not in the cluster, or not as they are in Git.

    Args:
        documents: path and content of each.
        namespace: of those that name none.

    Raises:
        ClusterError: when the cluster does not answer.
    """
    known: dict[str, dict[str, Object]] = {}
    for path, wanted in documents:
        version, kind = wanted["apiVersion"], wanted["kind"]
        if version not in known:
            known[version] = resources(kubectl, version)
        named = f"{path}: {kind} {wanted['metadata']['name']}"
        if kind not in known[version]:
            yield Problem(named, "is of a kind that the cluster does not know", fix)
            continue
        found = _live(kubectl, known[version][kind], wanted, namespace)
        if found is None:
            yield Problem(named, "is not in the cluster", fix)
        elif keys := list(differences(_held(wanted), found)):
            shown = ", ".join(f"`{key}`" for key in keys[:NAMED])
            more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
            yield Problem(named, f"differs in the cluster in {shown}{more}", fix)


def _live(kubectl: Kubectl, resource: Object, wanted: Object, namespace: str) -> Object | None:
    metadata, root = wanted["metadata"], _root(wanted["apiVersion"])
    space = f"/namespaces/{metadata.get('namespace', namespace)}"
    folder = f"{root}{space if resource['namespaced'] else ''}/{resource['name']}"
    try:
        return kubectl.get(f"{folder}/{metadata['name']}")
    except NotThere:
        return None


def _held(wanted: Object) -> Object:
    """What of an object in Git the cluster has to hold."""
    metadata = {key: wanted["metadata"].get(key) or {} for key in ("labels", "annotations")}
    rest = {key: value for key, value in wanted.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": metadata}


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """The keys below which something that is wanted is not so; more than is wanted is well.

    What is wanted as nothing (an empty mapping, list or text) is met by nothing at all: API
    servers leave it out.
    """
    if isinstance(wanted, Mapping):
        keys: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        for key, value in wanted.items():
            yield from differences(value, keys.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(wanted, list):
        entries: list[Any] = found if isinstance(found, list) else []
        if len(wanted) != len(entries):
            yield path
            return
        for place, (one, other) in enumerate(zip(wanted, entries, strict=True)):
            yield from differences(one, other, f"{path}[{place}]")
    elif wanted != found and not (found is None and wanted in ("", False, 0)):
        yield path


def resources(kubectl: Kubectl, version: str) -> dict[str, Object]:
    """Kind to what the cluster says of it; empty for a version that it does not know."""
    try:
        found = kubectl.get(_root(version))
    except NotThere:
        return {}
    return {one["kind"]: one for one in found.get("resources") or () if "/" not in one["name"]}


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
