"""What a container tool says when it fails, as one line with its way out."""

import re
from dataclasses import dataclass

from mlops.errors import BadInput, bad_input
from mlops.images.names import host_of


@dataclass(frozen=True)
class Doing:
    """What was asked of a tool: `pull`, `build` or `push`, of which image, by which recipe."""

    verb: str
    image: str
    recipe: str = ""


NOT_THERE = re.compile(
    r"manifest[ _]unknown|name[ _]unknown|not[ _]found|repository does not exist|\b404\b", re.I
)
DENIED = re.compile(r"(?<!permission )denied|forbidden|\b403\b", re.I)
UNKNOWN = re.compile(
    r"unauthorized|authentication required|no basic auth credentials|incorrect username"
    r"|invalid username|\b401\b",
    re.I,
)
NO_ANSWER = re.compile(
    r"connection refused|no such host|i/o timeout|timeout exceeded|network is unreachable|no route"
    r"|connection reset|handshake timeout|name resolution|server misbehaving|\b50[234]\b",
    re.I,
)
FAULT = re.compile(r"unexpected HTTP status: 5\d\d|\b500 internal server error", re.I)
UNTRUSTED = re.compile(r"x509|server gave HTTP response to HTTPS client", re.I)
FULL = re.compile(r"no space left on device|disk quota exceeded", re.I)
REFUSED = re.compile(f"{DENIED.pattern}|{UNKNOWN.pattern}", re.I)
NEVER = re.compile(r"(?!)")
RAISED = re.compile(r"\b([A-Z]\w*Error: .+|executable file .*not found.*)")


def is_absent(text: str) -> bool:
    """Whether a pull failed because there is no such image.

    Registries say of what they do not hold that it is denied; whether pushing it is allowed is
    for the push to tell.
    """
    others = (NO_ANSWER, FAULT, UNTRUSTED, FULL, UNKNOWN)
    if any(each.search(text) for each in others):
        return False
    return bool(NOT_THERE.search(text) or DENIED.search(text))


def trouble(tool: str, doing: Doing, text: str) -> BadInput:
    """The error for a tool's last words."""
    host, last = host_of(doing.image), _last(text)
    raised = RAISED.findall(text) if doing.recipe.startswith("runtime") else []
    ways = (
        (FULL, tool, "the disk is full", "free it and run this again; nothing was pushed"),
        (
            RAISED if raised else NEVER,
            "mlops.toml",
            f"`images.base` does not run the packages of services ({''.join(raised[-1:]).strip()})",
            (
                "name a base with Python 3.11, libgomp and libstdc++ by `mlops init --base-image`, "
                "as gcr.io/distroless/python3-debian12"
            ),
        ),
        (NO_ANSWER, host, f"does not answer ({last})", "see that the registry can be reached"),
        (
            FAULT,
            host,
            f"has a fault of its own ({last})",
            "see its log and whether its disk is full, then run this again; nothing was pushed",
        ),
        (
            UNTRUSTED,
            host,
            f"is not to be trusted ({last})",
            "give the registry a certificate that this machine trusts",
        ),
        (
            REFUSED,
            doing.image,
            f"is refused to this machine ({last})",
            f"run `{tool} login {host}` with a user who may {_right(doing)}",
        ),
        (
            NOT_THERE,
            doing.image,
            f"is not in the registry ({last})",
            "name one that is there, by `mlops init --base-image`",
        ),
    )
    for pattern, where, what, fix in ways:
        if pattern.search(text):
            return bad_input(where, what, fix)
    doings = f"{doing.verb} {doing.recipe or doing.image}"
    return bad_input(tool, f"cannot {doings} ({last})", "correct what it says, then run this again")


def _right(doing: Doing) -> str:
    return "push there" if doing.verb == "push" else "pull it"


def _last(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    said = lines[-1].removeprefix("Error: ") if lines else "it said nothing"
    said = re.sub(r"//[^/@\s]*@", "//***@", said)
    return said if len(said) <= 300 else f"...{said[-297:]}"
