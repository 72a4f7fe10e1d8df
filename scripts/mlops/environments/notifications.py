"""What Argo CD and Argo Rollouts tell the forge: plain objects, no I/O."""

import json
from collections.abc import Mapping
from typing import Any

from mlops.specs.project import GITHUB, Project

Document = dict[str, Any]
NOTIFIED = ("on-deployed", "on-degraded", "on-sync-failed")
"""Triggers of infra/bootstrap/notifications.yaml."""
ABORTED = "rollout-aborted"
"""The trigger's name."""
ROLLBACK_FILE = "rollback.yaml"
REASON = "A cluster aborted its rollout."
# Never empty, which would take back whatever is held: what is no number is refused.
ABORTED_RELEASE = (
    '{{printf "%v" (or (index .rollout.metadata.annotations "mlops/release") "none") | toJson}}'
)
GITHUB_HEADERS = (
    "  - {name: Accept, value: application/vnd.github+json}\n"
    "  - {name: X-GitHub-Api-Version, value: '2022-11-28'}\n"
)
GITHUB_API = "https://api.github.com"
JSON = "  - {name: Content-Type, value: application/json}\n"
# The catalogue's own: healthy since the sync, or a minute before it ended.
DEPLOYED = """\
app.status.operationState != nil and app.status.operationState.phase in ['Succeeded']
and app.status.health.status == 'Healthy'
and (!time.Parse(app.status.health.lastTransitionTime).Add(1 * time.Minute)
.Before(time.Parse(app.status.operationState.finishedAt))
or time.Parse(app.status.health.lastTransitionTime)
.Before(time.Parse(app.status.operationState.startedAt)))"""


def notifies(project: Project) -> bool:
    """Whether the forge keeps the state of a commit, and it is known where."""
    forge = project.forge
    github = forge.kind == "github"
    return forge.repository is not None and (github or (forge.kind == "gitea" and bool(forge.url)))


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
        # Tries go on for ten minutes: a failure that lasts is told before they end.
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
        "metadata": {
            "name": "argocd-notifications-cm",
            "labels": {"app.kubernetes.io/part-of": "argocd"},
        },
        "data": data,
    }


def rollout_notifications(
    project: Project, namespace: str, environments: Mapping[str, str]
) -> Document:
    """Settings of a cluster's Argo Rollouts: an abort starts rollback.yaml on the forge.

    What stands behind a $ is in the secret argo-rollouts-notification-secret. The trigger has no
    `when`: Argo Rollouts then sends it with its event, once, and not again for each change.

    Args:
        namespace: of Argo Rollouts.
        environments: environment by namespace, of all on this cluster.
    """
    forge, github = project.forge, project.forge.kind == "github"
    names = "".join(
        f'{{{{if eq .rollout.metadata.namespace "{place}"}}}}{name}{{{{end}}}}'
        for place, name in environments.items()
    )
    inputs = ", ".join(
        (
            '"service": {{toJson .rollout.metadata.name}}',
            f'"environment": "{names}"',
            f'"if-release": {ABORTED_RELEASE}',
            f'"reason": "{REASON}"',
        )
    )
    path = f"/repos/{forge.repository}/actions/workflows/{ROLLBACK_FILE}/dispatches"
    body = f'{{"ref": "{forge.main}", "inputs": {{{inputs}}}}}'
    scheme, more = ("Bearer", GITHUB_HEADERS) if github else ("token", "")
    headers = f"  - {{name: Authorization, value: {scheme} $forge-token}}\n{more}"
    call = f"    method: POST\n    path: {path}\n    body: |\n      {body}\n"
    message = 'message: "{{.rollout.metadata.name}} aborted"\n'
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argo-rollouts-notification-configmap", "namespace": namespace},
        "data": {
            "service.webhook.forge": f"url: {_api(project)}\nheaders:\n{headers}{JSON}",
            f"template.{ABORTED}": f"{message}webhook:\n  forge:\n{call}",
            f"trigger.on-{ABORTED}": f"- send: [{ABORTED}]\n",
        },
    }


def _forge(project: Project) -> dict[str, str]:
    """The service `forge`; what stands behind a $ is in the secret argocd-notifications-secret."""
    url = _api(project)
    if project.forge.kind == "github":
        own = "" if url == GITHUB_API else f"enterpriseBaseURL: {url}\n"
        text = "appID: $github-appID\ninstallationID: $github-installationID\n"
        return {"service.github.forge": f"{text}privateKey: $github-privateKey\n{own}"}
    headers = "  - {name: Authorization, value: token $forge-token}\n"
    return {"service.webhook.forge": f"url: {url}\nheaders:\n{headers}{JSON}"}


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


def _api(project: Project) -> str:
    """Where the forge's API is."""
    url = (project.forge.url or GITHUB).rstrip("/")
    if project.forge.kind == "gitea":
        return f"{url}/api/v1"
    return GITHUB_API if url == GITHUB else f"{url}/api/v3"
