"""Which forge the project is on, and the token for it."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlops.errors import bad_input
from mlops.forges.base import Forge, HostedForge, PullRequest
from mlops.forges.local import LocalForge
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.forges.hosted import Address

TOKENS = ("FORGE_TOKEN", "GITHUB_TOKEN")
"""Environment variables that hold the token, the first one there counts."""


def forge_of(repo: Repository) -> Forge:
    """The forge that mlops.toml names.

    Raises:
        BadInput: when its address or the token is missing.
    """
    return LocalForge(repo) if repo.project.forge.kind == "local" else hosted_of(repo)


def hosted_of(repo: Repository) -> HostedForge:
    """The forge that mlops.toml names, which has to have a server.

    In a job of GitHub Actions a project that is still on the local forge is taken to be on
    GitHub, where the job runs: a fork gets its reports before anybody has called `mlops init`.

    Raises:
        BadInput: when it has none, or its address or the token is missing.
    """
    settings = repo.project.forge
    job = _job(os.environ) if settings.kind == "local" else None
    if settings.kind == "local" and job is None:
        raise bad_input(
            "mlops.toml",
            "`forge.kind` is 'local', a forge without pull requests of its own",
            'write `kind = "github"` or `kind = "gitea"`, and `repository = "OWNER/NAME"`',
        )
    address, token = job or _address(repo), token_of(os.environ)
    if settings.kind == "gitea":
        from mlops.forges.gitea import Gitea

        return Gitea(repo, address, token)
    from mlops.forges.github import GitHub

    return GitHub(repo, address, token)


def _job(environment: Mapping[str, str]) -> "Address | None":
    """The repository that a job of GitHub Actions runs for; None elsewhere."""
    from mlops.forges.hosted import Address

    url, repository = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    if environment.get("GITHUB_ACTIONS") != "true" or not url or not repository:
        return None
    return Address(url.rstrip("/"), repository)


def token_of(environment: Mapping[str, str]) -> str:
    """The token for the forge.

    Raises:
        BadInput: when no variable holds one.
    """
    for name in TOKENS:
        if token := environment.get(name, "").strip():
            return token
    raise bad_input(
        TOKENS[0],
        "is not set, so the forge cannot be asked",
        f"put a token into the environment variable {TOKENS[0]} (or {TOKENS[1]}), never in a file",
    )


def _address(repo: Repository) -> "Address":
    from mlops.forges.hosted import Address

    settings = repo.project.forge
    if settings.repository is None:
        raise bad_input(
            "mlops.toml",
            f"key is missing `forge.repository`, which a forge of kind {settings.kind!r} needs",
            'write `repository = "OWNER/NAME"` below [forge]',
        )
    url = settings.url or ("https://github.com" if settings.kind == "github" else None)
    if url is None:
        raise bad_input(
            "mlops.toml",
            f"key is missing `forge.url`, which a forge of kind {settings.kind!r} needs",
            'write `url = "https://HOST"` below [forge]',
        )
    return Address(url.rstrip("/"), settings.repository)


def open_pull_request(
    repo: Repository,
    branch: str,
    commit: str,
    title: str,
    body: str,
    *,
    replaces: str | None = None,
) -> PullRequest:
    """Open (or bring up to date) a pull request on the project's forge."""
    return forge_of(repo).open_pull_request(branch, commit, title, body, replaces=replaces)
