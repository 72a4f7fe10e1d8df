"""What keeps one service from serving what Git says, and the next step, from its objects alone.

Words of others that are told apart here are those of Argo CD 3.5 and Argo Rollouts 1.10.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mlops.cluster.kubectl import Object, one_line
from mlops.cluster.pods import trouble
from mlops.cluster.refusals import reason, refusal
from mlops.cluster.seen import Seen
from mlops.cluster.sync_windows import open_window

APPROVED = "argocd.argoproj.io/deletion-approved"
END_SYNC = '[{"op":"remove","path":"/operation"}]'
REFRESH = "argocd.argoproj.io/refresh"
NO_ACCESS = (
    "authentication required",
    "authorization failed",
    "repository not found",
    "permission denied",
    "could not read username",
    "connection refused",
    "no such host",
    "i/o timeout",
    "unable to access",
)
NO_CLUSTER = "failed to load live state"
EMPTIED = "will wipe out all resources"
UNREADABLE = ("ComparisonError", "InvalidSpecError", "UnknownError")


@dataclass(frozen=True)
class Finding:
    """What is wrong, and the next step."""

    what: str
    next: str

    def __str__(self) -> str:
        return f"{self.what}; next: {self.next}" if self.next else self.what


@dataclass(frozen=True)
class Case:
    """One service of one environment: what Git says of it, and its objects."""

    seen: Seen
    service: str
    desired: int | None
    serving: int | None
    """The release that most of the pods that are ready belong to."""
    reading: str
    """How what Argo CD has read compares with Git: current, behind, unfetched."""
    revision: str
    """The commit Argo CD has read."""
    application: Object
    now: datetime

    @property
    def folder(self) -> str:
        """Where its files lie."""
        return f"{self.seen.path}{self.service}"

    @property
    def name(self) -> str:
        """Of its Application."""
        return str(self.application["metadata"]["name"])

    @property
    def rollback(self) -> str:
        """The command that goes back."""
        return f"mlops rollback {self.service} --env {self.seen.environment} --reason TEXT"

    @property
    def goes_on(self) -> str:
        """What users get meanwhile."""
        if self.serving is None:
            return "nothing serves" if not self.seen.blind else ""
        if self.serving == self.desired:
            return ""
        return f"release {self.serving} goes on serving"


def findings(case: Case) -> list[Finding]:
    """All that is wrong, the cause before what follows from it."""
    if leaving := list(_deletion(case)):
        return leaving
    causes = [
        *_emptied(case),
        *_unread(case),
        *_refused(case),
        *_aborted(case),
        *_pods(case),
    ]
    if _is_paused(case.application):
        causes += [_paused(case)]
    elif not causes:
        causes += [*_behind(case), *_window(case)][:1] or [*_differs(case)]
    return [*(causes or _progress(case)), *_warnings(case)]


def is_paused(application: Object) -> bool:
    """Whether somebody took automated sync from an Application (break-glass)."""
    return _is_paused(application)


def resume(seen_kubectl: str, name: str) -> str:
    """The command that ends a pause."""
    wanted = {"automated": {"prune": True, "selfHeal": True, "enabled": None}}
    patch = json.dumps({"spec": {"syncPolicy": wanted}}, separators=(",", ":"))
    return f"{seen_kubectl} patch application {name} --type merge -p {shlex.quote(patch)}"


def _status(application: Object) -> Object:
    found: Object = application.get("status") or {}
    return found


def _is_paused(application: Object) -> bool:
    automated = (application["spec"].get("syncPolicy") or {}).get("automated")
    return automated is None or automated.get("enabled") is False


def _paused(case: Case) -> Finding:
    return Finding(
        "paused by hand (break-glass): Argo CD leaves it as it is",
        f"bring the mending into Git, then {resume(case.seen.kubectl, case.name)}",
    )


def _with(case: Case, what: str) -> str:
    return f"{what}; {case.goes_on}" if case.goes_on else what


def _deletion(case: Case) -> Iterator[Finding]:
    """A removal that waits for a person."""
    status, meta = _status(case.application), case.application["metadata"]
    operation = status.get("operationState") or {}
    held = [one for one in status.get("resources") or () if one.get("requiresDeletionConfirmation")]
    deleting = bool(meta.get("deletionTimestamp"))
    pruning = "waiting for pruning confirmation of" in str(operation.get("message", ""))
    if deleting and held and not _approved(meta, meta["deletionTimestamp"]):
        what = "its folder is gone from Git and its removal waits for a confirmation"
    elif pruning and operation.get("phase") == "Running":
        what = f"its workload is gone from Git: {one_line(operation['message'])}"
    elif deleting and "operation" in case.application:
        yield Finding(
            "its folder is gone from Git, and its removal waits for a sync that is tried again",
            f"wait, or end that sync: {case.seen.kubectl} patch application {case.name} "
            f"--type json -p '{END_SYNC}'",
        )
        return
    elif deleting:
        yield Finding("its folder is gone from Git and it is being removed", "wait")
        return
    else:
        return
    yield Finding(
        what,
        f"bring {case.folder} back by a revert, or confirm: {case.seen.kubectl} annotate "
        f"application {case.name} --overwrite {APPROVED}=$(date -u +%Y-%m-%dT%H:%M:%SZ)",
    )


def _emptied(case: Case) -> Iterator[Finding]:
    """A folder that lost its release and stayed: by itself Argo CD takes not everything away."""
    conditions = _status(case.application).get("conditions") or ()
    if any(EMPTIED in str(condition.get("message", "")) for condition in conditions):
        what = "its release is gone from Git, its folder is not, so nothing is taken away"
        fix = f"bring the release back by a revert, or remove {case.folder}"
        yield Finding(_with(case, what), f"{fix} by a pull request")


def _approved(meta: Object, since: str) -> bool:
    approved = (meta.get("annotations") or {}).get(APPROVED, "")
    try:
        return datetime.fromisoformat(approved) >= datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return False


def _unread(case: Case) -> Iterator[Finding]:
    """What Argo CD could not make manifests of."""
    for condition in _status(case.application).get("conditions") or ():
        if condition.get("type") not in UNREADABLE:
            continue
        said = one_line(str(condition.get("message", "")))
        low = said.casefold()
        if NO_CLUSTER in low:
            destination = case.application["spec"].get("destination") or {}
            cluster = destination.get("server") or destination.get("name")
            what = f"Argo CD does not reach the cluster {cluster} ({said})"
            yield Finding(_with(case, what), "check that cluster, and Argo CD's login to it")
        elif any(sign in low for sign in NO_ACCESS):
            yield Finding(
                _with(case, f"Argo CD cannot read the repository ({said})"),
                "check that the forge is up; mlops doctor --cluster looks for the deploy key",
            )
        else:
            yield Finding(
                _with(case, f"Argo CD cannot use {case.folder} ({said})"),
                "mlops render --check, then correct it or git revert",
            )
        return


def _refused(case: Case) -> Iterator[Finding]:
    """A sync that failed, whether it is tried again or not."""
    status = _status(case.application)
    operation = status.get("operationState") or {}
    failing = operation.get("phase") in ("Failed", "Error") or operation.get("retryCount")
    if not failing or (status.get("sync") or {}).get("status") == "Synced":
        return
    results = (operation.get("syncResult") or {}).get("resources") or ()
    failed = [one for one in results if one.get("status") == "SyncFailed"]
    told = [(str(one.get("message", "")), _object(one)) for one in failed]
    for message, named in told or [(str(operation.get("message", "")), "the manifests")]:
        what, fix = refusal(message, named)
        yield Finding(_with(case, what), fix)


def _object(one: Object) -> str:
    return f"{one.get('kind')}/{one.get('name')}"


def _aborted(case: Case) -> Iterator[Finding]:
    """A canary that went back by itself, or that asks."""
    workload = case.seen.workload(case.service)
    if workload is None or workload.get("kind", "Rollout") != "Rollout":
        return
    status = workload.get("status") or {}
    said = one_line(str(status.get("message", "")))
    if status.get("abort"):
        opened = "merge the rollback pull request it opened, or " if case.seen.tells_forge else ""
        what = f"canary of release {case.desired} aborted ({said})"
        yield Finding(_with(case, what), f"{opened}{case.rollback}")
    elif "InconclusiveAnalysisRun" in [
        one.get("reason") for one in status.get("pauseConditions") or ()
    ]:
        promote = f"kubectl argo rollouts promote {case.service}"
        yield Finding(
            _with(case, f"canary of release {case.desired} waits: its metrics decide nothing"),
            f"look at them, then {promote} -n {workload['metadata'].get('namespace')}, "
            f"or {case.rollback}",
        )


def _pods(case: Case) -> Iterator[Finding]:
    """Pods that do not come up, and a workload that makes none."""
    found = trouble(case.seen.pods_of(case.service), case.desired, is_late=_is_late(case))
    if found is not None:
        logs = f"{case.seen.pods_kubectl} {found.look}" if found.look else ""
        steps = [step for step in (logs, found.fix) if step]
        if found.undo:
            steps.append(case.rollback)
        yield Finding(_with(case, found.what), ", or ".join(steps))
        return
    workload = case.seen.workload(case.service) or {}
    for condition in (workload.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            why = reason(str(condition.get("message", "")))
            yield Finding(_with(case, f"its pods are refused ({why})"), case.rollback)
            return


def _is_late(case: Case) -> bool:
    """Whether the time in which new pods should have got ready is over."""
    workload = case.seen.workload(case.service)
    if workload is None:
        return (_status(case.application).get("health") or {}).get("status") == "Degraded"
    status = workload.get("status") or {}
    if status.get("abort"):  # it says so of the canary; who is not ready now replaces it
        return False
    return any(
        one.get("type") == "Progressing" and one.get("status") == "False"
        for one in status.get("conditions") or ()
    )


def _behind(case: Case) -> Iterator[Finding]:
    """Argo CD has read another commit than this clone knows."""
    if case.reading == "behind":
        yield Finding(
            f"Argo CD has read commit {case.revision[:12]}, Git has a newer one of this folder",
            f"wait some seconds; if it stays, check the webhook, or {case.seen.kubectl} annotate "
            f"application {case.name} --overwrite {REFRESH}=normal",
        )
    elif case.reading == "unfetched":
        yield Finding("Argo CD and this clone know different commits", "git fetch, and look again")


def _window(case: Case) -> Iterator[Finding]:
    """A change that waits for the end of a sync window."""
    operation = _status(case.application).get("operationState") or {}
    blocked = "blocked by sync window" in str(operation.get("message", ""))
    window = open_window(case.seen.project, case.now)
    if not blocked and (window is None or _sync(case) == "Synced"):
        return
    until = f" until {window.until:%Y-%m-%d %H:%M} UTC" if window else ""
    start = '{"operation":{"sync":{"prune":true}}}'
    yield Finding(
        _with(case, f"a sync window holds the change{until}"),
        f"wait, or sync by hand: {case.seen.kubectl} patch application {case.name} --type merge "
        f"-p '{start}'",
    )


def _differs(case: Case) -> Iterator[Finding]:
    """Live objects that are not as in Git, with nothing above that explains it."""
    if _sync(case) == "Synced":
        return
    resources = _status(case.application).get("resources") or ()
    named = [_object(one) for one in resources if one.get("status") != "Synced"]
    shown = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    operation = _status(case.application).get("operationState") or {}
    if operation.get("phase") == "Running":
        said = one_line(str(operation.get("message", "")))
        yield Finding(f"is being synced ({said})" if said else "is being synced", "wait")
    else:
        yield Finding(
            f"differs from Git ({shown or 'Argo CD has not compared it yet'})",
            "wait some seconds for self-heal; if it stays, "
            f"{case.seen.kubectl} describe application {case.name}",
        )


def _progress(case: Case) -> list[Finding]:
    """Nothing is wrong; is it done?"""
    health = (_status(case.application).get("health") or {}).get("status")
    if case.seen.blind:
        return [Finding(f"its pods were not looked at: {case.seen.blind}", "")]
    workload = case.seen.workload(case.service) or {}
    said = one_line(str((workload.get("status") or {}).get("message", "")))
    more = f" ({said})" if said else ""
    if health in ("Degraded", "Missing", "Unknown", None):
        what = _with(case, f"its health is {health or 'not known yet'}{more}")
        return [Finding(what, f"{case.seen.kubectl} describe application {case.name}")]
    if health in ("Progressing", "Suspended") or case.serving != case.desired:
        what = f"release {case.desired} is coming up{more}"
        wait = f"mlops status --env {case.seen.environment} --wait 600"
        return [Finding(_with(case, what), wait)]
    return []


def _autoscaler(case: Case) -> Iterator[Finding]:
    """An autoscaler that cannot count: what serves goes on, with as many pods as it has."""
    autoscaler = case.seen.autoscaler(case.service) or {}
    for condition in (autoscaler.get("status") or {}).get("conditions") or ():
        failed = condition.get("status") == "False" and "Failed" in str(condition.get("reason"))
        if failed and condition.get("type") in ("ScalingActive", "AbleToScale"):
            said = one_line(str(condition.get("message", "")))
            yield Finding(
                f"its autoscaler does not work, the pods that there are serve ({said})",
                "see that metrics-server runs in the cluster; "
                f"{case.seen.pods_kubectl} describe hpa {case.service}",
            )
            return


def _warnings(case: Case) -> Iterator[Finding]:
    yield from _autoscaler(case)
    for condition in _status(case.application).get("conditions") or ():
        if condition.get("type") == "SharedResourceWarning":
            said = one_line(str(condition.get("message", "")))
            yield Finding(said, "let one folder alone have it")


def _sync(case: Case) -> str:
    return str((_status(case.application).get("sync") or {}).get("status", "Unknown"))
