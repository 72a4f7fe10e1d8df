"""Names of images: where they are pushed, and by which tag they are found again."""

import re

from mlops.errors import bad_input

TOOLS = ("docker", "podman", "buildah")
"""What makes images, in the order they are looked for."""
REGISTRY = re.compile(
    r"(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+)(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
)
RUNTIME = "mlops.runtime"
"""Name of the shared runtime; no service has a dot in its name."""


def registry_of(text: str) -> str:
    """`HOST[:PORT][/PATH]` without a slash at the end.

    Raises:
        BadInput: when it names a tag, a digest or an address, or no host.
    """
    name = text.rstrip("/")
    if not REGISTRY.fullmatch(name):
        raise bad_input(
            "--image",
            f"{text!r} is not a registry and a path",
            "write HOST/PATH in lower case as ghcr.io/acme, the service's name is added to it",
        )
    return name


def host_of(name: str) -> str:
    """The registry's host and port of an image's name."""
    return name.partition("/")[0]


def is_loopback(name: str) -> bool:
    """Whether a registry runs on this machine, which tools then speak plain HTTP with."""
    return re.match(r"(localhost|127(\.\d+){3})(:\d+)?/", name) is not None


def untagged(name: str) -> str:
    """NAME[:TAG]@DIGEST as NAME@DIGEST, which every tool takes."""
    repository, at, digest = name.partition("@")
    return re.sub(r":[A-Za-z0-9._-]+$", "", repository) + at + digest


def repository_of(name: str) -> str:
    """An image's name without tag and digest."""
    return re.sub(r":[A-Za-z0-9._-]+$", "", name.partition("@")[0])
