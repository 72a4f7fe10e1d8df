"""The cluster that the story plays on, and how it is looked at."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

POLL = 0.05
"""Seconds between two looks at the API server."""


class Harness(Protocol):
    """A cluster of our own."""

    def kill(self, component: str) -> None:
        """End a component at once, as a lost machine does."""

    def kill_pod(self, uid: str) -> None:
        """End all of a pod at once, as a lost machine does."""

    def start(self) -> None:
        """Start what does not run, and wait until it is ready."""

    def lose(self) -> None:
        """Take the whole cluster away, all its objects with it; Git and the registry stay."""

    def hear_no_pushes(self, repository: str) -> None:
        """Tell Argo CD no more of pushes to a repository."""

    def image(self, folder: Path, name: str, *options: str) -> str:
        """Build an image of a folder's files, push it and give its name by digest.

        Args:
            name: NAME:TAG.
            options: of `podman build`.
        """
        ...


@dataclass(frozen=True)
class Place:
    """What the story plays on.

    Attributes:
        kubeconfig: of a cluster with Argo CD and Argo Rollouts.
        git: address below which a push makes a repository that Argo CD reads and is told of.
        registry: where images are pushed, and the nodes pull from.
        base: NAME:TAG of an image with Python 3.11 and libgomp.
        harness: what can kill the parts and start them again; None on a cluster of others.
        lasts: whether the cluster goes on after the run.
    """

    kubeconfig: Path
    git: str
    registry: str
    base: str
    harness: "Harness | None" = None
    lasts: bool = True

    def kubectl(self, *args: str, given: str | None = None, check: bool = True) -> str:
        """What one kubectl command prints."""
        done = subprocess.run(
            ["kubectl", *args],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(args)}: {done.stderr}")
        return done.stdout + done.stderr

    def reads(self, repository: str) -> None:
        """Tell Argo CD of a public repository as docs/clusters.md has it."""
        label = {"argocd.argoproj.io/secret-type": "repository"}
        name = {"name": _secret_of(repository), "namespace": "argocd", "labels": label}
        given = {"type": "git", "url": repository, "webhookManifestCacheWarmDisabled": "true"}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": name, "stringData": given}
        self.kubectl("apply", "--server-side", "-f", "-", given=json.dumps(secret))

    def forget(self, repository: str) -> None:
        """Take that back."""
        if self.lasts:
            name = _secret_of(repository)
            self.kubectl("delete", "secret", "-n", "argocd", name, "--ignore-not-found")

    def clear(self, *names: str) -> None:
        """Take off what belongs to projects and environments, whatever waits for it."""
        if not self.lasts:
            return
        off = '{"metadata":{"finalizers":null}}'
        for kind in ("applicationset", "application", "appproject"):
            for found in self.kubectl("get", kind, "-n", "argocd", "-o", "name").split():
                name = found.partition("/")[2]
                if name in names or name.startswith(tuple(f"{each}-" for each in names)):
                    # Its owner may have taken it along by now.
                    own = (found, "-n", "argocd")
                    self.kubectl("patch", *own, "--type=merge", "-p", off, check=False)
                    self.kubectl("delete", *own, "--wait=false", "--ignore-not-found")
        policy = "validatingadmissionpolicy/ml-{}-releases"
        kinds = (policy, policy.replace("policy/", "policybinding/"), "namespace/ml-{}")
        everything = [kind.format(name) for kind in kinds for name in names]
        self.kubectl("delete", "--ignore-not-found", *everything)


def _secret_of(repository: str) -> str:
    """The name of the Secret by which Argo CD knows a repository."""
    return repository.rpartition("/")[2].removesuffix(".git")


class Api:
    """The API server, through `kubectl proxy`: an answer takes milliseconds."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.open()

    def open(self) -> None:
        """Start the proxy, with what the kubeconfig says now."""
        self._process = subprocess.Popen(
            ["kubectl", "proxy", "--port=0"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "KUBECONFIG": str(self._place.kubeconfig)},
        )
        assert self._process.stdout is not None
        address = "http://" + self._process.stdout.readline().split()[-1]
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=10)

    def close(self) -> None:
        """End the proxy."""
        self._client.close()
        self._process.terminate()
        self._process.wait()

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at a path; None when there is none."""
        answer = self._client.get(path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def patch(self, path: str, change: object, kind: str = "merge") -> None:
        """Change an object, as somebody at a terminal would."""
        headers = {"content-type": f"application/{kind}-patch+json"}
        self._client.patch(path, content=json.dumps(change), headers=headers).raise_for_status()

    def delete(self, path: str) -> None:
        """Delete an object."""
        self._client.delete(path).raise_for_status()


def until(what: str, seconds: float, condition: Callable[[], object]) -> float:
    """Wait for a condition; seconds it took.

    Raises:
        AssertionError: when it does not come in time.
    """
    started = time.monotonic()
    while True:
        try:
            if condition():
                return time.monotonic() - started
        except httpx.HTTPError:
            pass  # the API server is away, which some tests see to
        assert time.monotonic() - started < seconds, f"not within {seconds:g} s: {what}"
        time.sleep(POLL)


@contextmanager
def proxied(place: Place) -> Iterator[Api]:
    """The API of a place."""
    api = Api(place)
    try:
        yield api
    finally:
        api.close()
