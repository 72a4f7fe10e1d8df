"""What Argo CD is given of an environment, and what starts it: plain objects, no I/O."""

import json
from typing import Any

from mlops.specs.environment import IN_CLUSTER, Environment, SyncWindow
from mlops.specs.project import Project

Document = dict[str, Any]
ARGO = "argoproj.io/v1alpha1"
PROJECT = "mlops"
"""AppProject of what is not a service: the environments' own objects and their namespaces."""
ROOT = "root"
NOTIFIED = ("on-deployed", "on-degraded", "on-sync-failed")
"""Triggers of infra/bootstrap/notifications.yaml."""
# All that a service may consist of. What is not named here is refused, Secrets and RBAC too; no
# kind that belongs to a whole cluster is among them.
SERVICE_KINDS = (
    ("", "ConfigMap"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("argoproj.io", "AnalysisTemplate"),
    ("argoproj.io", "Rollout"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("external-secrets.io", "ExternalSecret"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
)
CLUSTER_KINDS = (
    ("", "Namespace"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
)
OWN_KINDS = (
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("networking.k8s.io", "NetworkPolicy"),
)
# The catalogue's own: healthy since the sync, or a minute before it ended.
DEPLOYED = """\
app.status.operationState != nil and app.status.operationState.phase in ['Succeeded']
and app.status.health.status == 'Healthy'
and (!time.Parse(app.status.health.lastTransitionTime).Add(1 * time.Minute)
.Before(time.Parse(app.status.operationState.finishedAt))
or time.Parse(app.status.health.lastTransitionTime)
.Before(time.Parse(app.status.operationState.startedAt)))"""
# Never given up, and each try takes what Git says then: a commit that mends comes at most 10 s
# later, and an outage of a cluster ends without anybody's doing.
RETRY = {
    "limit": -1,
    "refresh": True,
    "backoff": {"duration": "1s", "factor": 2, "maxDuration": "10s"},
}
# No `allowEmpty`: a folder that renders to nothing takes no running service away.
AUTOMATED = {"prune": True, "selfHeal": True}


def of_environment(project: Project, repository: str, env: Environment) -> list[Document]:
    """AppProject and ApplicationSet of an environment's services, Application of its namespace."""
    namespace = project.argocd.namespace
    source = {"repoURL": repository, "targetRevision": project.forge.main}
    return [
        _services_project(namespace, repository, env),
        _services(project, source, env),
        _cluster(namespace, source, env),
    ]


def root(project: Project, repository: str) -> list[Document]:
    """AppProject `mlops`, and the Application that reads infra/argocd."""
    namespace = project.argocd.namespace
    source = {"repoURL": repository, "targetRevision": project.forge.main}
    everywhere = {"server": "*", "namespace": "*"}
    return [
        _object(
            "AppProject",
            PROJECT,
            namespace,
            {
                "description": "The environments of this repository; services have projects of "
                "their own",
                "sourceRepos": [repository],
                "destinations": [everywhere],
                "clusterResourceWhitelist": _kinds(CLUSTER_KINDS),
                "namespaceResourceWhitelist": _kinds(OWN_KINDS),
            },
        ),
        _object(
            "Application",
            ROOT,
            namespace,
            {
                "project": PROJECT,
                "source": {**source, "path": "infra/argocd", "directory": {"include": "*.yaml"}},
                "destination": {"server": IN_CLUSTER, "namespace": namespace},
                "syncPolicy": _policy("ServerSideApply=true", "PruneLast=true"),
            },
            annotations=_read_by_path(),
        ),
    ]


def _services_project(namespace: str, repository: str, env: Environment) -> Document:
    spec = {
        "description": f"The services of {env.name}",
        "sourceRepos": [repository],
        "destinations": [env.destination],
        "namespaceResourceWhitelist": _kinds(SERVICE_KINDS),
    }
    if env.sync_windows:
        spec["syncWindows"] = [_window(window) for window in env.sync_windows]
    found = _object("AppProject", env.name, namespace, spec)
    # Not before its last Application: without its project that could not be taken down.
    found["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    return found


def _window(window: SyncWindow) -> Document:
    return {
        "kind": "deny",
        "schedule": window.schedule,
        "duration": window.duration,
        "timeZone": window.timezone,
        "applications": ["*"],
        "manualSync": True,
        "description": window.reason,
    }


def _services(project: Project, source: Document, env: Environment) -> Document:
    given = {"repoURL": source["repoURL"], "revision": source["targetRevision"]}
    folders = {"directories": [{"path": f"environments/{env.name}/*"}]}
    notes = {
        f"notifications.argoproj.io/subscribe.{trigger}.forge": ""
        for trigger in (NOTIFIED if notifies(project) else ())
    }
    replicas = {"jsonPointers": ["/spec/replicas"]}  # the autoscaler's
    template = {
        "metadata": {
            "name": f"{env.name}-{{{{ .path.basename }}}}",
            "annotations": {**_read_by_path(), **notes},
        },
        "spec": {
            "project": env.name,
            "source": {
                **source,
                "path": "{{ .path.path }}",
                "directory": {"include": "manifests.yaml"},
            },
            "destination": env.destination,
            "revisionHistoryLimit": 5,
            "ignoreDifferences": [
                {"group": "apps", "kind": "Deployment", **replicas},
                {"group": "argoproj.io", "kind": "Rollout", **replicas},
            ],
            "syncPolicy": _policy(
                "ServerSideApply=true",
                "RespectIgnoreDifferences=true",
                "FailOnSharedResource=true",
                "PruneLast=true",
            ),
        },
    }
    return _object(
        "ApplicationSet",
        env.name,
        project.argocd.namespace,
        {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            # A webhook makes it look at once; this is for when none comes.
            "generators": [{"git": {**given, "requeueAfterSeconds": 60, **folders}}],
            # Break-glass: an Application that is paused by hand stays so until it is resumed.
            "ignoreApplicationDifferences": [{"jsonPointers": ["/spec/syncPolicy/automated"]}],
            "template": template,
        },
    )


def _cluster(namespace: str, source: Document, env: Environment) -> Document:
    """No finalizer: with the Application neither the namespace nor its rules go."""
    return _object(
        "Application",
        f"{env.name}-cluster",
        namespace,
        {
            "project": PROJECT,
            "source": {
                **source,
                "path": f"infra/clusters/{env.name}",
                "directory": {"include": "*.yaml"},
            },
            "destination": env.destination,
            "syncPolicy": _policy("ServerSideApply=true", "FailOnSharedResource=true"),
        },
        annotations=_read_by_path(),
    )


def notifications(project: Project) -> Document | None:
    """Settings of Argo CD's notifications: the state of a commit on the forge, if it keeps one."""
    if not notifies(project):
        return None
    # The commit's state is named for the Application; the link is to Argo CD, if it has a URL.
    states = {"deployed": "success", "degraded": "failure", "sync-failed": "error"}
    data = {**_forge(project), **{f"template.{s}": _state(project, s, states[s]) for s in states}}
    # Once for each commit that changes the Application; an earlier one is not told again.
    once = "oncePer: app.status.operationState?.syncResult?.revision"
    conditions = {
        "deployed": DEPLOYED,
        "degraded": "app.status.health.status == 'Degraded'",
        # Tries go on for ever, so that most failures are never final.
        "sync-failed": "app.status.operationState?.phase in ['Error', 'Failed']\n"
        "or (app.status.operationState?.phase in ['Running']\n"
        "and (app.status.operationState?.retryCount ?? 0) > 2)",
    }
    for state, when in conditions.items():
        folded = when.replace("\n", "\n    ")
        data[f"trigger.on-{state}"] = f"- when: >-\n    {folded}\n  send: [{state}]\n  {once}\n"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-notifications-cm"},
        "data": data,
    }


def notifies(project: Project) -> bool:
    """Whether the forge keeps the state of a commit, and it is known where."""
    forge = project.forge
    github = forge.kind == "github"
    return forge.repository is not None and (github or (forge.kind == "gitea" and bool(forge.url)))


def _forge(project: Project) -> dict[str, str]:
    """The service `forge`; what stands behind a $ is in the secret argocd-notifications-secret."""
    url = (project.forge.url or "").rstrip("/")
    if project.forge.kind == "github":
        own = f"enterpriseBaseURL: {url}/api/v3\n" if url and url != "https://github.com" else ""
        text = "appID: $github-appID\ninstallationID: $github-installationID\n"
        return {"service.github.forge": f"{text}privateKey: $github-privateKey\n{own}"}
    headers = "  - {name: Authorization, value: token $forge-token}\n"
    return {
        "service.webhook.forge": f"url: {url}/api/v1\nheaders:\n{headers}"
        "  - {name: Content-Type, value: application/json}\n"
    }


def _state(project: Project, what: str, state: str) -> str:
    text = "{{.app.metadata.name}} " + what.replace("-", " ")
    link = "{{.context.argocdUrl}}/applications/{{.app.metadata.name}}"
    if project.forge.kind == "github":
        status = f"  status:\n    state: {state}\n    label: argocd/{{{{.app.metadata.name}}}}\n"
        return f'message: "{text}"\ngithub:\n{status}    targetURL: "{link}"\n'
    path = f"/repos/{project.forge.repository}/statuses/"
    fields = {
        "state": state,
        "context": "argocd/{{.app.metadata.name}}",
        "description": text,
        "target_url": link,
    }
    body = json.dumps(fields, indent=2).replace("\n", "\n      ")
    revision = "{{.app.status.operationState.syncResult.revision}}"
    call = f"    method: POST\n    path: {path}{revision}\n    body: |\n      {body}\n"
    return f'message: "{text}"\nwebhook:\n  forge:\n{call}'


def _read_by_path() -> dict[str, str]:
    """Only a change below the Application's own path makes Argo CD compare it again."""
    return {"argocd.argoproj.io/manifest-generate-paths": "."}


def _policy(*options: str) -> Document:
    return {"automated": AUTOMATED, "retry": RETRY, "syncOptions": list(options)}


def _kinds(kinds: tuple[tuple[str, str], ...]) -> list[Document]:
    return [{"group": group, "kind": kind} for group, kind in kinds]


def _object(
    kind: str,
    name: str,
    namespace: str,
    spec: Document,
    *,
    annotations: dict[str, str] | None = None,
) -> Document:
    metadata: Document = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": ARGO, "kind": kind, "metadata": metadata, "spec": spec}
