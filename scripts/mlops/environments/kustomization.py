"""The kustomizations that make the base one release in one environment."""

import json
from collections.abc import Mapping
from typing import Any

from mlops.environments.prediction_log import of_pods, variables
from mlops.errors import Problem
from mlops.repository import folder_of
from mlops.specs.environment import Environment
from mlops.specs.release import Release
from mlops.specs.settings import Canary, Settings

NAME = "service"
"""What the base calls its resources, its container and its image."""
LONGEST = 63
"""Characters of a label of Kubernetes."""
LOOKS = 6
"""How often the analysis of infra/base/canary looks in one step."""
ASKED_BY = {
    "hosts": "`hosts` of settings.yaml",
    "metrics": "`prometheus` of env.yaml",
    "secrets": "`secrets` of settings.yaml",
    "canary": "`canary` of settings.yaml",
}
"""The components of the base, and what asks for each."""
SERVICE_LAYER = "service"
"""Folder of the first of two layers, which only a canary needs."""


def parts(env: Environment, settings: Settings) -> tuple[str, ...]:
    """The components of the base that these files ask for."""
    asked = {
        "hosts": settings.hosts,
        "metrics": env.prometheus,
        "secrets": settings.secrets,
        "canary": settings.canary,
    }
    return tuple(part for part in ASKED_BY if asked[part])


def refused(environment: str, env: Environment, settings: Settings) -> list[Problem]:
    """What the settings want that this environment does not have, or Kubernetes does not take."""
    folder = folder_of(environment, settings.service)
    path, own = f"{folder}/settings.yaml", f"environments/{environment}/env.yaml"
    found = []
    if settings.canary and not env.prometheus:
        what = "`canary` has nothing to be measured by: the environment names no `prometheus`"
        found.append(Problem(path, what, f"add `prometheus: URL` to {own}, or take `canary` out"))
    if settings.secrets and not env.secret_store:
        what = "`secrets` have no place to come from: the environment names no `secret_store`"
        fix = f"add `secret_store: {{name: NAME}}` to {own}, or take `secrets` out"
        found.append(Problem(path, what, fix))
    if len(name := f"{environment}-{settings.service}") > LONGEST:
        what = (
            f"its Application would be {name}, {len(name)} characters, Kubernetes takes {LONGEST}"
        )
        found.append(Problem(folder, what, "give the service or the environment a shorter name"))
    return found


def files(
    release: Release,
    image: str,
    env: Environment,
    settings: Settings,
    *,
    overlay: bool,
    project: str,
) -> Mapping[str, Any]:
    """The kustomizations by path, beside the folders `base` and `overlay`; the first is built.

    With a canary there are two layers. The Deployment is finished in the first, where kustomize
    knows its kind (which lists are merged by name, which names refer to others), and becomes a
    Rollout in the second.
    """
    more = variables(of_pods(project, env.name, release, settings))
    if settings.canary is None:
        return {
            "kustomization.yaml": _service(release, image, env, settings, more, overlay=overlay)
        }
    first = _service(release, image, env, settings, more, overlay=overlay, above="../")
    second = _canary(release, env, settings.canary)
    return {
        "kustomization.yaml": second,
        f"{SERVICE_LAYER}/kustomization.yaml": first,
    }


def _service(
    release: Release,
    image: str,
    env: Environment,
    settings: Settings,
    more: Mapping[str, str],
    *,
    overlay: bool,
    above: str = "",
) -> dict[str, Any]:
    """The release in this environment; applied after the service's overlay."""
    name = release.service
    asked = [part for part in parts(env, settings) if part != "canary"]
    changes = {
        "hosts": lambda: _set("Ingress", "/spec", _hosts(name, settings)),
        "metrics": lambda: _set("ServiceMonitor", "/spec/selector/matchLabels", _selected(name)),
        "secrets": lambda: _patch("ExternalSecret", _stored(name, env, settings)),
    }
    components = [*(f"base/{part}" for part in asked), *(["overlay"] if overlay else [])]
    return {
        **_head(env),
        "resources": [f"{above}base"],
        "components": [f"{above}{each}" for each in components],
        "labels": [{"pairs": _selected(name), "includeSelectors": True}, _labels()],
        "patches": [
            _merge("Deployment", _workload(release, image, settings, more)),
            _merge("HorizontalPodAutoscaler", _bounds(settings)),
            *(changes[part]() for part in asked),
            _set(None, "/metadata/name", name),
        ],
    }


def _canary(release: Release, env: Environment, canary: Canary) -> dict[str, Any]:
    """The finished service with a Rollout in place of its Deployment."""
    name = release.service
    return {
        **_head(env),
        "resources": [SERVICE_LAYER],
        "components": ["base/canary"],
        "labels": [{"pairs": _selected(name)}, _labels()],
        "patches": [
            _set("Rollout", "/spec/strategy/canary/steps", _steps(name, canary)),
            _set("AnalysisTemplate", "/spec/args", _arguments(name, env, canary)),
            _set("AnalysisTemplate", "/metadata/name", name),
        ],
    }


def _head(env: Environment) -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": env.namespace,
    }


def _selected(service: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": service}


def _labels() -> dict[str, Any]:
    pairs = {
        "app.kubernetes.io/component": "inference",
        "app.kubernetes.io/managed-by": "mlops",
    }
    return {"pairs": pairs, "includeTemplates": True}


def _merge(kind: str, change: dict[str, Any]) -> dict[str, Any]:
    versions = {"Deployment": "apps/v1", "HorizontalPodAutoscaler": "autoscaling/v2"}
    head = {"apiVersion": versions[kind], "kind": kind}
    metadata = {"name": NAME, **change.pop("metadata", {})}
    return {"patch": json.dumps({**head, "metadata": metadata, **change})}


def _set(kind: str | None, path: str, value: Any) -> dict[str, Any]:
    return _patch(kind, [{"op": "replace", "path": path, "value": value}])


def _patch(kind: str | None, operations: list[dict[str, Any]]) -> dict[str, Any]:
    target = {"name": NAME, **({"kind": kind} if kind else {})}
    return {"target": target, "patch": json.dumps(operations)}


def _workload(
    release: Release, image: str, settings: Settings, more: Mapping[str, str]
) -> dict[str, Any]:
    asked = settings.resources
    models = {pin.name: pin.digest for pin in release.models}
    container = {
        "name": NAME,
        "image": image,
        "env": [
            {"name": "MLOPS_RELEASE", "value": str(release.release)},
            {"name": "MLOPS_MODELS", "value": json.dumps(models, sort_keys=True)},
            *({"name": name, "value": value} for name, value in more.items()),
            *(_from_secret(release.service, name) for name in sorted(settings.secrets)),
        ],
        "resources": {
            "requests": {"cpu": asked.cpu, "memory": asked.memory},
            "limits": {"memory": asked.memory_limit},
        },
    }
    return {
        # Of the object, not of its pods: another evidence for the same release starts no pod anew.
        "metadata": {
            "annotations": {
                "mlops/release": str(release.release),
                "mlops/evidence": release.evidence.digest,
            }
        },
        "spec": {
            # What a new workload begins with; afterwards Argo CD leaves them to the autoscaler.
            "replicas": settings.replicas.min,
            "template": {"spec": {"containers": [container]}},
        },
    }


def _from_secret(service: str, variable: str) -> dict[str, Any]:
    return {
        "name": variable,
        "valueFrom": {"secretKeyRef": {"name": service, "key": variable}},
    }


def _bounds(settings: Settings) -> dict[str, Any]:
    bounds = settings.replicas
    return {"spec": {"minReplicas": bounds.min, "maxReplicas": bounds.max}}


def _hosts(service: str, settings: Settings) -> dict[str, Any]:
    backend = {"service": {"name": NAME, "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "rules": [{"host": host, "http": {"paths": [path]}} for host in settings.hosts],
        "tls": [{"hosts": list(settings.hosts), "secretName": f"{service}-tls"}],
    }


def _stored(service: str, env: Environment, settings: Settings) -> list[dict[str, Any]]:
    """Which values of the store become which keys of the Secret named for the service."""
    store = env.secret_store.model_dump() if env.secret_store else {}
    # Written out: Argo CD takes what the cluster fills in for a difference.
    filled = {"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"}
    data = [
        {"secretKey": variable, "remoteRef": {**stored.model_dump(exclude_none=True), **filled}}
        for variable, stored in sorted(settings.secrets.items())
    ]
    return [
        {"op": "replace", "path": "/spec/secretStoreRef", "value": store},
        {"op": "add", "path": "/spec/target/name", "value": service},
        {"op": "replace", "path": "/spec/data", "value": data},
    ]


def _steps(service: str, canary: Canary) -> list[dict[str, Any]]:
    """Each share of the replicas, and the analysis that lasts as long as the step."""
    compared = {"canary": "Latest", "stable": "Stable"}
    analysis = {
        "templates": [{"templateName": service}],
        "args": [
            {"name": name, "valueFrom": {"podTemplateHashValue": pods}}
            for name, pods in compared.items()
        ],
    }
    return [
        step for weight in canary.steps for step in ({"setWeight": weight}, {"analysis": analysis})
    ]


def _arguments(service: str, env: Environment, canary: Canary) -> list[dict[str, str]]:
    """What the AnalysisTemplate's texts name; those without a value come from the Rollout."""
    given = {
        "prometheus": env.prometheus,
        "namespace": env.namespace,
        "service": service,
        "interval": f"{canary.step_seconds // LOOKS}s",
        "window": f"{canary.step_seconds}s",
        "min-requests": f"{canary.min_requests}",
        "max-error-rate": _plain(canary.max_error_rate),
        "max-p99-seconds": _plain(canary.max_p99_seconds),
        "max-outside-share": _plain(canary.max_outside_share),
    }
    values = [{"name": name, "value": str(value)} for name, value in given.items()]
    return [{"name": "canary"}, {"name": "stable"}, *values]


def _plain(number: float) -> str:
    """Without an exponent, which not every reader of the text takes."""
    return f"{number:.9f}".rstrip("0").rstrip(".")
