"""Pods: which release they serve, and why they do not get ready."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops.cluster.kubectl import Object, one_line

PULL = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
ABSENT = ("not found", "manifest unknown")
DENIED = ("unauthorized", "denied", "forbidden", "no basic auth")


@dataclass(frozen=True)
class Trouble:
    """Why pods do not get ready.

    `look` continues a kubectl command that shows more; `fix` is what may mend it; `undo` says
    whether an earlier release would help.
    """

    what: str
    look: str = ""
    fix: str = ""
    undo: bool = True


def serving(pods: Iterable[Object]) -> int | None:
    """The release that most of the ready pods belong to, the older of two; None without any."""
    counted = Counter(release for pod in pods if is_ready(pod) and (release := release_of(pod)))
    return min(counted, key=lambda release: (-counted[release], release), default=None)


def is_ready(pod: Object) -> bool:
    """Whether requests are sent to it."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def release_of(pod: Object) -> int | None:
    """The release number that is rendered into its environment."""
    for container in pod["spec"].get("containers") or ():
        for entry in container.get("env") or ():
            if entry.get("name") == "MLOPS_RELEASE" and str(entry.get("value")).isdigit():
                return int(entry["value"])
    return None


def restarts(pods: Iterable[Object]) -> int:
    """How often containers of these pods ended by themselves."""
    return sum(one.get("restartCount", 0) for pod in pods for one in _containers(pod))


def trouble(pods: Sequence[Object], desired: int | None, *, is_late: bool) -> Trouble | None:
    """What keeps pods from getting ready, those of the desired release first; None when nothing.

    What a node has put an end to stays in the list for long, beside what has taken its place: it
    is told only when the time is over, and after all others.

    Args:
        is_late: the time in which they should have got ready is over.
    """
    ordered = sorted(pods, key=lambda pod: (bool(_put_out(pod)), release_of(pod) != desired))
    for pod in ordered:
        if not is_ready(pod) and (found := _trouble(pod, is_late=is_late)):
            return found
    return None


def _trouble(pod: Object, *, is_late: bool) -> Trouble | None:
    if why := _put_out(pod):
        what = f"{_name(pod)}: its pod was put off its node ({why})"
        look = f"describe node {pod['spec'].get('nodeName', '')}".rstrip()
        fix = "free the disk or memory of the node, or add nodes"
        return Trouble(what, look=look, fix=fix, undo=False) if is_late else None
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if found := _waiting(pod, container, str(waiting.get("reason", "")), waiting):
            return found
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            said = one_line(str(condition.get("message", "")))
            fix = "free or add nodes, or ask for less in settings.yaml"
            return Trouble(f"no node takes a pod of {_name(pod)} ({said})", fix=fix, undo=False)
    if is_late:
        what = f"{_name(pod)}: its pod never got ready"
        return Trouble(what, look=f"logs {pod['metadata']['name']}")
    return None


def _put_out(pod: Object) -> str:
    """Why a node has put an end to a pod for good, as for want of disk; empty when it has not."""
    status = pod.get("status") or {}
    if status.get("phase") != "Failed" or not status.get("reason"):
        return ""
    return one_line(f"{status['reason']}: {status.get('message', 'no words')}")


def _waiting(pod: Object, container: Object, reason: str, waiting: Object) -> Trouble | None:
    message = str(waiting.get("message", ""))
    if reason in PULL:
        return _pull(pod, reason, message)
    if reason in CONFIG:
        said = one_line(message)
        return Trouble(f"{_name(pod)}: its container cannot be made ({reason}: {said})")
    ended = _ended(container)
    if reason == "CrashLoopBackOff" or (ended and container.get("restartCount", 0) > 0):
        return _crash(pod, container, ended)
    return None


def _pull(pod: Object, reason: str, message: str) -> Trouble:
    low = message.casefold()
    if any(sign in low for sign in ABSENT):
        return Trouble(f"the image of {_name(pod)} does not exist ({reason})")
    if any(sign in low for sign in DENIED):
        fix = "give the nodes or the namespace a login for the registry"
        return Trouble(
            f"the registry refuses the image of {_name(pod)} ({reason})", fix=fix, undo=False
        )
    look = f"describe pod {pod['metadata']['name']}"
    return Trouble(f"the image of {_name(pod)} cannot be pulled ({reason})", look=look)


def _crash(pod: Object, container: Object, ended: Object) -> Trouble:
    count = container.get("restartCount", 0)
    times = "once" if count == 1 else f"{count} times"
    why = f"exit code {ended.get('exitCode')}" if ended else "no exit code"
    if ended.get("reason") == "OOMKilled":
        fix = "raise memory_limit in settings.yaml"
        return Trouble(f"{_name(pod)} is out of memory (restarted {times})", fix=fix)
    look = f"logs {pod['metadata']['name']} --previous"
    return Trouble(f"{_name(pod)} ends after its start ({why}, restarted {times})", look=look)


def _ended(container: Object) -> Object:
    for state in ("state", "lastState"):
        found: Object = (container.get(state) or {}).get("terminated") or {}
        if found:
            return found
    return {}


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]


def _name(pod: Object) -> str:
    release = release_of(pod)
    return f"release {release}" if release else str(pod["metadata"]["name"])
