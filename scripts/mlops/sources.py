"""What models and services are made of: the files that decide them, and their digests."""

from collections.abc import Iterable
from pathlib import Path

from mlops import digests
from mlops.locks import resolved
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
    "data/typed.py",
    "scoring",
    "digests.py",
)
EVALUATION_CODE = (
    "training",
    "scoring",
    "data/drift.py",
    "data/table.py",
    "data/typed.py",
    "digests.py",
)
VALIDATION_CODE = ("data", "digests.py")
SEARCH_CODE = ("search/folds.py", "search/sampling.py", "training/metrics.py")
SERVING_CODE = (
    "serving",
    "scoring",
    "lineage/__init__.py",
    "lineage/backend.py",
    "lineage/events.py",
    "lineage/told.py",
    "digests.py",
    "errors.py",
    "files.py",
    "__init__.py",
)
TOOL_PATH = "scripts/mlops"
"""Where the template itself keeps the tool."""


def code_of_model(layout: Layout, model: str) -> dict[str, bytes]:
    """The Python files a model is trained with; its tests are not among them."""
    return _python_files(layout, f"models/{model}")


def code_of_dataset(layout: Layout, dataset: str) -> dict[str, bytes]:
    """The Python files that turn a dataset's raw rows into its table."""
    return _python_files(layout, f"data-contracts/{dataset}")


def code_of_service(layout: Layout, service: str) -> dict[str, bytes]:
    """The files of a service that go into its bento: code and service.yaml."""
    files = _python_files(layout, f"apps/{service}")
    spec = layout.tree.read(f"apps/{service}/service.yaml")
    return {**files, f"apps/{service}/service.yaml": spec or b""}


def withheld(layout: Layout, service: str) -> dict[str, bytes]:
    """What a bento says of columns whose contracts classify them as other than public.

    A request's field of that name is in no prediction log. Without such columns there is no file.
    """
    from mlops.data.contract import is_open, read_contract, read_features
    from mlops.serving.predictions.asked import WITHHELD

    names: set[str] = set()
    for model in layout.service(service).models:
        contracts = (
            read_contract(layout, layout.model(model).data.dataset),
            read_features(layout, model),
        )
        names |= {
            column.name
            for contract in contracts
            if contract is not None
            for column in contract.columns
            if not is_open(column.classification)
        }
    return {WITHHELD: digests.canonical_json(sorted(names))} if names else {}


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
    """The resolved dependencies of a group: names, versions and hashes, in one order."""
    return resolved(layout.tree.read(lock_path(group)) or b"")


def lock_path(group: str) -> str:
    """Where the lock of a group of dependencies lies."""
    return f"requirements/{group}.txt"


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
            **_features_limits(layout, model),
            "spec": decisive,
            "code": digests.of_files(code_of_model(layout, model)),
            "tool": digests.of_files(tool_code(TRAINING_CODE)),
            "dependencies": digests.of_bytes(pins_of(layout, "train")),
            "data": data,
        }
    )


def search_inputs(layout: Layout, model: str, data: str) -> str:
    """Digest of all that decides a model's search, so that what was tried counts again.

    The values that `training.params` gives to what is searched are not among it, nor the budget:
    to write what was found, or to ask for more, begins no other search.

    Args:
        layout: the files of the work tree or a commit; its model.yaml has a `search`.
        model: the model's name.
        data: content digest of the dataset's version.
    """
    spec = layout.model(model)
    search = spec.search
    if search is None:
        raise ValueError(f"models/{model}/model.yaml has no search")
    params = spec.training.params.items()
    return digests.of_json(
        {
            "spec": spec.model_dump(mode="json", include={"task", "format", "data"}),
            "search": search.model_dump(mode="json", exclude={"trials", "minutes", "workers"}),
            "seed": spec.training.seed,
            "params": {name: value for name, value in params if name not in search.space},
            "code": digests.of_files(code_of_model(layout, model)),
            "tool": digests.of_files(tool_code((*TRAINING_CODE, *SEARCH_CODE))),
            "dependencies": digests.of_bytes(pins_of(layout, "train")),
            "data": data,
            **_features_limits(layout, model),
        }
    )


def _features_limits(layout: Layout, model: str) -> dict[str, object]:
    """What the features' contract allows, without its words: they decide no model."""
    from mlops.data.contract import read_features
    from mlops.data.feature_limits import limits_of

    contract = read_features(layout, model)
    if contract is None:
        return {}
    return {"limits": [each.model_dump(mode="json") for each in limits_of(contract)]}


def training_paths(layout: Layout, model: str) -> tuple[str, ...]:
    """Files and folders of a clone in which all that decides what training gives lies."""
    return (
        f"models/{model}",
        f"data-contracts/{layout.model(model).data.dataset}.dvc",
        lock_path("train"),
        *(f"{TOOL_PATH}/{part}" for part in TRAINING_CODE),
    )


def service_source(layout: Layout, service: str) -> str:
    """Digest of the source files a service is built from, its models' features included."""
    files = code_of_service(layout, service)
    for model in layout.service(service).models:
        files |= code_of_model(layout, model)
    files |= {**tool_code(SERVING_CODE), **withheld(layout, service)}
    return digests.of_files({**files, "requirements/serve.txt": pins_of(layout, "serve")})
