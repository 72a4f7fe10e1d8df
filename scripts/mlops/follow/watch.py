"""Seeing that a branch of the forge moved, and fetching it into the follower's own mirror."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlops.errors import bad_input
from mlops.git import Git, GitFailed
from mlops.repository import Repository

LOCAL_INTERVAL = 0.2
REMOTE_INTERVAL = 2.0
# A look at the ref's files can miss a change (same size, same moment); Git itself is asked too.
SURE_INTERVAL = 5.0
GIT_LIMIT = 120.0
FOLLOWED = "refs/heads/followed"


@dataclass(frozen=True)
class Source:
    """A branch of a repository that is followed."""

    url: str
    ref: str
    folder: Path | None
    """The Git folder, when the repository is on this machine."""


@dataclass(frozen=True)
class Unreachable:
    """The branch could not be read."""

    reason: str


def source_of(repo: Repository, remote: str | None = None, ref: str | None = None) -> Source:
    """What to follow: a remote of the clone by name, or an address; default: the forge's main.

    Raises:
        BadInput: when it is neither.
    """
    forge = repo.project.forge
    url = _url_of(repo, remote or forge.remote)
    name = ref or forge.main
    full = name if name.startswith("refs/") else f"refs/heads/{name}"
    return Source(url, full, _git_folder(repo.root, url))


def _url_of(repo: Repository, remote: str) -> str:
    try:
        return _absolute(repo.root, repo.git.text("remote", "get-url", remote))
    except GitFailed:
        pass
    if "/" not in remote and ":" not in remote:
        raise bad_input(
            remote, "is not a remote of this clone", f"git remote add {remote} <address>"
        )
    return _absolute(repo.root, remote)


def _absolute(root: Path, url: str) -> str:
    """The address, a path in it made absolute: the mirror fetches from another folder."""
    is_path = "://" not in url and ":" not in url.split("/", 1)[0]
    return os.path.normpath(root / url) if is_path else url


def _git_folder(root: Path, url: str) -> Path | None:
    path = unquote(urlsplit(url).path) if url.startswith("file://") else url
    if "://" in path or not Path(path).is_dir():
        return None
    try:
        found = Git(root).text("-C", path, "rev-parse", "--absolute-git-dir", "--git-common-dir")
    except GitFailed:
        return None
    # In a linked worktree the refs are in the common folder, told relative to `path`.
    common = found.splitlines()[1]
    return (Path(path) / common).resolve()


async def heads(source: Source, interval: float | None) -> AsyncIterator[str | Unreachable]:
    """The branch's commit, at once and whenever it may have moved; never ends."""
    while True:
        seen = signature(source)
        yield await _head(source)
        await _change(source, seen, interval)


async def _change(source: Source, seen: object, interval: float | None) -> None:
    if source.folder is None:
        await asyncio.sleep(interval or REMOTE_INTERVAL)
        return
    pause = interval or LOCAL_INTERVAL
    for _ in range(max(1, round(SURE_INTERVAL / pause))):
        await asyncio.sleep(pause)
        if signature(source) != seen:
            return


def signature(source: Source) -> object:
    """Something that differs when the ref of a repository on this machine has moved."""
    if source.folder is None:
        return None
    return [_stat(source.folder / name) for name in (source.ref, "packed-refs", "reftable")]


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


async def _head(source: Source) -> str | Unreachable:
    try:
        listed = await git("ls-remote", source.url, source.ref)
    except GitFailed as error:
        return Unreachable(_last_line(error.text))
    if not listed:
        return Unreachable(f"{source.ref} is not there")
    return listed.split()[0]


async def git(*args: str) -> str:
    """Output of git, ended when the caller is cancelled or it takes too long.

    Raises:
        GitFailed: when git exits with an error or does not answer.
    """
    process = await asyncio.create_subprocess_exec(
        "git",
        *args,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
    )
    try:
        async with asyncio.timeout(GIT_LIMIT):
            out, err = await process.communicate()
    except TimeoutError:
        raise GitFailed(args, f"no answer within {GIT_LIMIT:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise GitFailed(args, err.decode(errors="replace"))
    return out.decode().strip()


class Mirror:
    """The follower's own bare copy of the branch."""

    def __init__(self, path: Path, source: Source) -> None:
        self.source = source
        self.git = Git(path)

    async def prepare(self) -> None:
        """Make it, or mend what a killed follower left."""
        path = self.git.root
        if not await self._is_whole():
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            await git("init", "--quiet", "--bare", str(path))
        for lock in path.rglob("*.lock"):
            lock.unlink(missing_ok=True)
        await self._git("-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")

    async def _is_whole(self) -> bool:
        try:
            return await self._git("rev-parse", "--is-bare-repository") == "true"
        except GitFailed:
            return False

    async def fetch(self) -> str:
        """Bring the branch here and return its commit.

        Raises:
            GitFailed: when it cannot be fetched.
        """
        # Automatic maintenance would go on in the background, after the follower.
        options = ("--quiet", "--no-tags", "--no-auto-maintenance", "--no-write-fetch-head")
        await self._git("fetch", *options, self.source.url, f"+{self.source.ref}:{FOLLOWED}")
        return await self._git("rev-parse", "--verify", FOLLOWED)

    async def _git(self, *args: str) -> str:
        return await git("--git-dir", str(self.git.root), *args)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no answer"
