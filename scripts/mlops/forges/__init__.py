"""Where pull requests live: a bare repository, GitHub, Gitea; one interface for all."""

from mlops.forges.base import Forge, HostedForge, Pull, PullRequest
from mlops.forges.choice import forge_of, hosted_of, open_pull_request

__all__ = [
    "Forge",
    "HostedForge",
    "Pull",
    "PullRequest",
    "forge_of",
    "hosted_of",
    "open_pull_request",
]
