"""The key of a step: a digest of all that decides what it gives, so that it is done once."""

from collections.abc import Mapping

from mlops import digests
from mlops.data.learned.model import learned_path
from mlops.data.pin import read_pin
from mlops.pipelines.graph import Step
from mlops.repository import Repository
from mlops.sources import (
    EVALUATION_CODE,
    VALIDATION_CODE,
    code_of_dataset,
    pins_of,
    search_inputs,
    tool_code,
    training_inputs,
)
from mlops.specs.model import Model


def key_of(repo: Repository, step: Step) -> str:
    """Digest of what a step does and of all that it reads, as it is in the work tree now.

    Raises:
        BadInput: when a file that it reads is missing or wrong.
    """
    return digests.of_json({"step": step.name, **_decisive(repo, step)})


def _decisive(repo: Repository, step: Step) -> Mapping[str, object]:
    of_data = step.verb in {"ingest", "derive", "validate", "propose"}
    return _of_data(repo, step) if of_data else _of_model(repo, step)


def _of_data(repo: Repository, step: Step) -> Mapping[str, object]:
    if step.verb == "ingest":
        learned = digests.of_files(_learned(repo, step.subject))
        return {**_contract(repo, step.subject), "raw": _raw(repo, step), "learned": learned}
    pinned = [read_pin(repo, each.name).digest for each in step.reads if each.kind == "dataset"]
    if step.verb == "propose":
        return {"data": pinned}
    return {**_contract(repo, step.subject), "data": pinned}


def _of_model(repo: Repository, step: Step) -> Mapping[str, object]:
    spec = repo.model(step.subject)
    if step.verb in {"tune", "suggest"}:
        return _search(repo, spec)
    inputs = training_inputs(repo, step.subject, read_pin(repo, spec.data.dataset).digest)
    if step.verb == "train":
        return {"inputs": inputs}
    apart = {"description", "owners", "pipeline", "search"}
    return {
        "inputs": inputs,
        "spec": spec.model_dump(mode="json", exclude=apart),
        "code": digests.of_files(tool_code(EVALUATION_CODE)),
        "champions": _champions(repo, step.subject) if step.verb == "evaluate" else {},
    }


def _search(repo: Repository, spec: Model) -> Mapping[str, object]:
    """What is tried, and what the best of it is compared with."""
    budget = (
        spec.search.model_dump(mode="json", include={"trials", "minutes"}) if spec.search else {}
    )
    pinned = read_pin(repo, spec.data.dataset).digest
    return {
        "study": search_inputs(repo, spec.model, pinned),
        "budget": budget,
        "params": spec.training.params,
    }


def _contract(repo: Repository, dataset: str) -> Mapping[str, object]:
    contract = repo.tree.read(f"data-contracts/{dataset}.odcs.yaml") or b""
    return {
        "contract": digests.of_bytes(contract),
        "step": digests.of_files(code_of_dataset(repo, dataset)),
        "tool": digests.of_files(tool_code(VALIDATION_CODE)),
        "dependencies": digests.of_bytes(pins_of(repo, "data")),
    }


def _learned(repo: Repository, dataset: str) -> Mapping[str, bytes]:
    """The files of the rules that were learned of a dataset; they judge what comes in."""
    beginning = learned_path(dataset).removesuffix(".yaml")
    paths = repo.tree.files(f"data-contracts/{dataset}")
    return {path: repo.tree.read(path) or b"" for path in paths if path.startswith(beginning)}


def _raw(repo: Repository, step: Step) -> list[str]:
    """Digests of the files that the line ends with; relative ones are of the clone's folder."""
    from mlops.data.raw import read_bytes

    files = step.line[3:]
    return [digests.of_bytes(read_bytes(repo, repo.root / file)) for file in files]


def _champions(repo: Repository, model: str) -> Mapping[str, str | None]:
    """What the model is compared with: the releases of its services in the last environment."""
    last = repo.order[-1]
    serving = [name for name in repo.services() if model in repo.service(name).models]
    releases = {name: repo.release(last, name) for name in serving}
    return {
        name: digests.of_json(found.model_dump(mode="json")) if found else None
        for name, found in releases.items()
    }
