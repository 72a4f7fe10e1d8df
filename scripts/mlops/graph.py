"""What depends on what, and what a change affects."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from mlops.data.derivation import with_derived
from mlops.environments.clusters import concerns
from mlops.errors import MlopsError, bad_input
from mlops.locks import resolved
from mlops.repository import PROJECT_FILE, Layout, release_path
from mlops.sources import (
    EVALUATION_CODE,
    SERVING_CODE,
    TOOL_PATH,
    TRAINING_CODE,
    VALIDATION_CODE,
    lock_path,
)

RESULT_CODE = (*TRAINING_CODE, *EVALUATION_CODE, *SERVING_CODE)
"""What decides the results of all models and services."""
RESULT_LOCKS = frozenset({"requirements/train.txt", "requirements/serve.txt"})
RENDERER = tuple(f"{TOOL_PATH}/environments/{name}.py" for name in ("kustomization", "manifests"))
SPECS = {"models": "model.yaml", "apps": "service.yaml"}
_WORD = re.compile(rb"[0-9A-Za-z_-]+")


@dataclass(frozen=True)
class Affected:
    """What a change affects; all names sorted.

    Attributes:
        datasets: to be held to their contracts.
        models: to be trained and evaluated, `sample` among them; also those taken away, which
            something may still serve.
        services: that serve other models, code or packages than before.
        environments: whose folders change, or what their rendered files are made of.
        rendered: environments with releases whose next rendering has another base or overlay.
        sample: models checked in place of all, because something shared changed that should
            not change what they give; their services are not reached.
        code: whether Python files, or what they are checked with, change.
        policy: whether anything changes that the rules and security checks look at.
        everything: whether every model and service is reached.
        docs_only: whether only texts for people change.
    """

    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    rendered: tuple[str, ...] = ()
    sample: tuple[str, ...] = ()
    code: bool = False
    policy: bool = False
    everything: bool = False
    docs_only: bool = False


def affected(layout: Layout, changed: Iterable[str], before: Layout | None = None) -> Affected:
    """What the changed paths reach, by the project's own files.

    A dataset reaches those made of it and the models that learn from it, a model the services
    that serve it. Only files that name what changed are parsed; one of these that cannot be is
    counted as reached, so that its own check tells what is wrong with it, and no other file can
    stop a plan.

    Args:
        layout: the files as they are now.
        changed: paths that differ.
        before: the files as they were; without them a lock that changes is taken to resolve
            to other packages.

    Raises:
        BadInput: when mlops.toml is wrong.
    """
    given = sorted(set(changed))
    paths = [path for path in given if not is_text(path)]
    locks = {path for path in paths if _is_lock(path) and _resolves_otherwise(layout, before, path)}
    named = with_derived(layout, {name for path in paths if (name := _dataset(path))})
    everything = any(_is_part_of(path, RESULT_CODE) for path in paths) or bool(locks & RESULT_LOCKS)
    models, services = _second(paths, "models"), _second(paths, "apps")
    if everything:
        models, services = set(layout.models()), set(layout.services())
    else:
        models |= learning_from(layout, named)
        services |= _readers(layout, "apps", models, _models_of)
    shared = bool(locks) or any(_is_shared(path) for path in paths)
    sampled = _sample(layout) if shared and not everything else set()
    removed = _removed(layout, before, paths)
    left = _left(layout, "models", models | sampled, surely=everything)
    return Affected(
        datasets=tuple(sorted(named | _validated_otherwise(layout, paths, locks))),
        models=tuple(sorted({*left, *removed})),
        services=_left(layout, "apps", services, surely=everything),
        environments=_environments(layout, paths),
        rendered=_rendered(layout, paths),
        sample=tuple(sorted(sampled - models)),
        code=any(_is_code(path) for path in paths),
        policy=bool(paths),
        everything=everything,
        docs_only=bool(given) and not paths,
    )


def learning_from(layout: Layout, datasets: Collection[str]) -> set[str]:
    """The models that learn from one of these; one that cannot be read is counted as one."""
    return _readers(layout, "models", datasets, _data_of)


def is_text(path: str) -> bool:
    """Whether a file is written for people alone: nothing that runs depends on it."""
    return path.endswith(".md") or path.startswith("docs/") or path == "LICENSE"


def _is_code(path: str) -> bool:
    return path.endswith(".py") or path == "pyproject.toml" or _is_lock(path)


def _is_lock(path: str) -> bool:
    return path.startswith("requirements/") and path.endswith(".txt")


def _resolves_otherwise(layout: Layout, before: Layout | None, path: str) -> bool:
    if before is None:
        return True
    now, then = layout.tree.read(path), before.tree.read(path)
    return now is None or then is None or resolved(now) != resolved(then)


def _is_part_of(path: str, parts: Iterable[str]) -> bool:
    """Whether a path is of these parts of the tool, or below one of them."""
    own = path.removeprefix(f"{TOOL_PATH}/")
    return own != path and any(own == part or own.startswith(f"{part}/") for part in parts)


def _is_shared(path: str) -> bool:
    """Whether all models or services are made with this file, though it should not show."""
    return path.startswith("infra/base/") or (
        path.startswith(f"{TOOL_PATH}/") and path.endswith(".py")
    )


def _dataset(path: str) -> str | None:
    """The dataset a file below data-contracts/ belongs to."""
    top, _, rest = path.partition("/")
    if top != "data-contracts" or not rest or rest.endswith(".md"):
        return None
    return rest.split("/", 1)[0].removesuffix(".odcs.yaml").removesuffix(".dvc")


def _second(paths: Iterable[str], top: str) -> set[str]:
    """Names of the folders directly below a top folder that hold one of the paths.

    Texts, tests and evidence are left out: what a model or service gives is not made of them.
    """
    parts = [path.split("/") for path in paths if not path.endswith(".md")]
    return {
        part[1]
        for part in parts
        if part[0] == top and len(part) > 2 and part[2] not in ("evidence", "tests")
    }


def _readers(
    layout: Layout,
    top: str,
    names: Collection[str],
    named_in: Callable[[Layout, str], Collection[str]],
) -> set[str]:
    """The models (or services) whose spec names one of the datasets (or models)."""
    if not names:
        return set()
    wanted = {name.encode(errors="surrogateescape") for name in names}
    return {
        reader
        for reader, content in layout.tree.read_each(top, SPECS[top]).items()
        if may_name(content, wanted) and _names(layout, reader, set(names), named_in)
    }


def may_name(content: bytes, wanted: set[bytes]) -> bool:
    """Whether YAML may hold one of the names: never False when it does.

    A name stands in YAML as it is, unless a backslash or an encoding other than UTF-8 (which
    shows by bytes that no UTF-8 text of names has) writes it in another way.
    """
    if b"\\" in content or b"\0" in content:
        return True
    if len(wanted) == 1:
        return next(iter(wanted)) in content
    return not wanted.isdisjoint(_WORD.findall(content))


def _names(
    layout: Layout,
    reader: str,
    names: set[str],
    named_in: Callable[[Layout, str], Collection[str]],
) -> bool:
    try:
        return not names.isdisjoint(named_in(layout, reader))
    except MlopsError:
        return True


def _data_of(layout: Layout, model: str) -> tuple[str, ...]:
    return (layout.model(model).data.dataset,)


def _models_of(layout: Layout, service: str) -> tuple[str, ...]:
    return layout.service(service).models


def _removed(layout: Layout, before: Layout | None, paths: Iterable[str]) -> set[str]:
    """Models that the change takes away: something may still serve them."""
    if before is None:
        return set()
    gone = (name for name in _second(paths, "models") if not layout.tree.holds(f"models/{name}"))
    return {name for name in gone if before.tree.read(f"models/{name}/model.yaml") is not None}


def _left(layout: Layout, top: str, names: Iterable[str], *, surely: bool) -> tuple[str, ...]:
    """Those of which files are left; `surely` when the names were read from the folder."""
    holds = layout.tree.holds
    return tuple(sorted(name for name in names if surely or holds(f"{top}/{name}")))


def _validated_otherwise(layout: Layout, paths: Iterable[str], locks: set[str]) -> set[str]:
    """All datasets when the code or the packages that validate them change."""
    if lock_path("data") in locks or any(_is_part_of(path, VALIDATION_CODE) for path in paths):
        return set(layout.datasets())
    return set()


def _sample(layout: Layout) -> set[str]:
    """The models that stand for all: as declared, those of services included, or the first."""
    declared = layout.project.checks.sample
    models, services = layout.models(), layout.services()
    sampled = set() if declared else set(models[:1])
    for name in declared:
        if name not in models and name not in services:
            raise bad_input(
                PROJECT_FILE,
                f"`checks.sample` names {name!r}, which is neither a model nor a service",
                "correct the name or take it out",
            )
        sampled |= {name}.intersection(models)
        sampled |= _served(layout, name).intersection(models) if name in services else set()
    return sampled


def _served(layout: Layout, service: str) -> set[str]:
    """The models of a service; none when its file is wrong, which other checks tell."""
    try:
        return set(layout.service(service).models)
    except MlopsError:
        return set()


def _environments(layout: Layout, paths: Iterable[str]) -> tuple[str, ...]:
    names = _second(paths, "environments")
    every = any(concerns(path) for path in paths)
    return tuple(sorted(names.union(layout.order if every else ())))


def _rendered(layout: Layout, paths: Iterable[str]) -> tuple[str, ...]:
    """Environments that hold a release which is rendered from one of these files next time."""
    base = any(path.startswith("infra/base/") or path in RENDERER for path in paths)
    split = [path.split("/") for path in paths]
    overlays = {part[1] for part in split if part[0] == "apps" and part[2:3] == ["kustomize"]}
    if not base and not overlays:
        return ()
    return tuple(
        environment
        for environment in sorted(layout.order)
        if any(
            layout.tree.read(release_path(environment, service)) is not None
            for service in (layout.served_in(environment) if base else sorted(overlays))
        )
    )
