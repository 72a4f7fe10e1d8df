"""Who refused an object, told from the words of Argo CD and the API server.

Those of Argo CD 3.5 (controller/sync.go, gitops-engine's sync_context.go) and Kubernetes 1.36.
"""

import re

from mlops.cluster.kubectl import one_line

PROJECT = re.compile(r"resource (?P<group>\S*):(?P<kind>\S+) is not permitted in project (\S+)")
NAMESPACE = re.compile(r"namespace (?P<name>\S+) is not permitted in project")
POLICY = re.compile(r"ValidatingAdmissionPolicy '[^']+' with binding '[^']+' denied request: (.+)")
UNKNOWN_KIND = ("no matches for kind", "could not find")
UNDO = "take it out of Git again (git revert)"


def refusal(message: str, named: str) -> tuple[str, str]:
    """What refused the object of that name, and the next step."""
    whole = " ".join(message.split())
    said = one_line(message)
    if found := PROJECT.search(whole):
        return f"{named} refused: its project allows no {one_line(found['kind'])}", UNDO
    if found := NAMESPACE.search(whole):
        name = one_line(found["name"])
        return f"{named} refused: its project does not reach namespace {name}", UNDO
    if found := POLICY.search(whole):
        why, _, fix = one_line(found[1]).partition("; ")
        return f"{named} refused by policy: {why}", fix or UNDO
    if any(sign in whole.casefold() for sign in UNKNOWN_KIND):
        what = f"{named} refused: the cluster does not know the kind ({said})"
        return what, "mlops doctor --cluster"
    return f"{named} was not applied ({said})", f"correct it, or {UNDO}"


def reason(message: str) -> str:
    """Why pods are refused: what the policy says when it is one, else the message."""
    found = POLICY.search(message)
    return one_line(found[1].partition("; ")[0] if found else message)
