"""What depends on what: closures of files, their digests, and what a change affects."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops import digests
from mlops.repository import Layout

TOOL = Path(__file__).parent
# The tool's own code that takes part in training and in serving: a change of it is a change
# of every model or service. It is read from where `mlops` is installed, because workflows of
# other repositories bring the template beside their own files.
TRAINING_CODE = (
    "training/training.py",
    "training/rows.py",
    "training/holdout.py",
    "data/table.py",
    "scoring",
    "digests.py",
)
EVALUATION_CODE = ("training", "scoring", "data/drift.py", "data/table.py", "digests.py")
VALIDATION_CODE = ("data", "digests.py")
SERVING_CODE = ("serving", "scoring", "digests.py", "errors.py", "__init__.py")


def code_of_model(layout: Layout, model: str) -> dict[str, bytes]:
    """The Python files a model is trained with; its tests are not among them."""
    return _python_files(layout, f"models/{model}")


def code_of_service(layout: Layout, service: str) -> dict[str, bytes]:
    """The files of a service that go into its bento: code and service.yaml."""
    files = _python_files(layout, f"apps/{service}")
    spec = layout.tree.read(f"apps/{service}/service.yaml")
    return {**files, f"apps/{service}/service.yaml": spec or b""}


def _python_files(layout: Layout, folder: str) -> dict[str, bytes]:
    paths = [
        path
        for path in layout.tree.files(folder)
        if path.endswith(".py") and not path.startswith(f"{folder}/tests/")
    ]
    return {path: layout.tree.read(path) or b"" for path in paths}


def tool_code(parts: Iterable[str]) -> dict[str, bytes]:
    """Files of the installed tool, by path relative to the package's parent."""
    found: list[Path] = []
    for part in parts:
        path = TOOL / part
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return {f"mlops/{path.relative_to(TOOL).as_posix()}": path.read_bytes() for path in found}


def pins_of(layout: Layout, group: str) -> bytes:
    """The resolved dependencies of a group: names, versions and hashes."""
    return layout.tree.read(f"requirements/{group}.txt") or b""


def training_inputs(layout: Layout, model: str, data: str) -> str:
    """Digest of all that decides what training gives.

    Args:
        layout: the files of the work tree or a commit.
        model: the model's name.
        data: content digest of the dataset's version.
    """
    spec = layout.model(model)
    decisive = spec.model_dump(mode="json", include={"task", "format", "data", "training"})
    return digests.of_json(
        {
            "spec": decisive,
            "code": digests.of_files(code_of_model(layout, model)),
            "tool": digests.of_files(tool_code(TRAINING_CODE)),
            "dependencies": digests.of_bytes(pins_of(layout, "train")),
            "data": data,
        }
    )


def service_source(layout: Layout, service: str) -> str:
    """Digest of the source files a service is built from, its models' features included."""
    files = code_of_service(layout, service)
    for model in layout.service(service).models:
        files |= code_of_model(layout, model)
    files |= tool_code(SERVING_CODE)
    return digests.of_files({**files, "requirements/serve.txt": pins_of(layout, "serve")})


@dataclass(frozen=True)
class Affected:
    """What a change affects; all names sorted."""

    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    code: bool = False
    docs_only: bool = False


def affected(layout: Layout, changed: Iterable[str]) -> Affected:
    """The datasets, models, services and environments that the changed paths reach.

    A dataset reaches the models that learn from it, a model the services that serve it.
    """
    paths = sorted(set(changed))
    datasets = {name for path in paths if (name := _dataset(path))}
    everything = any(_is_shared(path) for path in paths)
    models = set(layout.models()) if everything else _second(paths, "models")
    services = set(layout.services()) if everything else _second(paths, "apps")
    models |= {name for name in layout.models() if _dataset_of(layout, name) in datasets}
    services |= {
        name for name in layout.services() if models.intersection(layout.service(name).models)
    }
    return Affected(
        datasets=tuple(sorted(datasets)),
        models=tuple(sorted(models)),
        services=tuple(sorted(services)),
        environments=tuple(sorted(_second(paths, "environments"))),
        code=any(path.endswith(".py") or path == "pyproject.toml" for path in paths),
        docs_only=bool(paths) and all(path.endswith(".md") for path in paths),
    )


def _dataset(path: str) -> str | None:
    """The dataset a file below data-contracts/ belongs to."""
    top, _, rest = path.partition("/")
    if top != "data-contracts" or not rest or rest.endswith(".md"):
        return None
    return rest.split("/", 1)[0].removesuffix(".odcs.yaml").removesuffix(".dvc")


def _dataset_of(layout: Layout, model: str) -> str:
    return layout.model(model).data.dataset


def _second(paths: Iterable[str], top: str) -> set[str]:
    """Names of the folders directly below a top folder that hold one of the paths."""
    parts = [path.split("/") for path in paths if not path.endswith(".md")]
    return {part[1] for part in parts if part[0] == top and len(part) > 2 and part[2] != "evidence"}


def _is_shared(path: str) -> bool:
    """Whether every model and service is built with this file."""
    if path in ("requirements/train.txt", "requirements/serve.txt"):
        return True
    own = path.removeprefix("scripts/mlops/")
    return own != path and own.startswith(("training/", "scoring/", "serving/", "digests.py"))
