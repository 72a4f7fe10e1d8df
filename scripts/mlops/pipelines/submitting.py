"""A run of a pipeline on a cluster: what is created there, and what is told of its end."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.cluster.kubectl import Kubectl
from mlops.data.derivation import ingested_of
from mlops.errors import BadInput, Problem, bad_input
from mlops.forges.base import HostedForge, State
from mlops.pipelines.graph import raw_files
from mlops.pipelines.names import name_of, raw_parameters
from mlops.repository import PROJECT_FILE, Repository
from mlops.search.searching import search_of

STATES: dict[str, State] = {"Succeeded": "success", "Failed": "failure", "Error": "failure"}
"""What Argo Workflows says of a run's end, as a forge says it of a commit."""


def submit(
    repo: Repository,
    cluster: Kubectl,
    model: str,
    commit: str,
    raw: Sequence[str] = (),
    *,
    tune: bool = False,
) -> str:
    """Create a run of a model's pipeline on a cluster; gives its name there.

    Args:
        commit: what is run: its code, contracts and pins.
        raw: keys of raw files in the artifact repository, to be ingested first, one for a dataset;
            see `raw_files`.
        tune: search parameters too.

    Raises:
        BadInput: with everything that the run would lack.
        ClusterError: when the cluster does not take it.
    """
    keys = _raw(repo, model, raw)
    if tune:
        search_of(repo.commit(commit), model)
    if problems := _lacking(repo, commit):
        raise BadInput(problems)
    given = {"revision": commit, **keys, **({"tune": "true"} if tune else {})}
    text = json.dumps(_workflow(repo, model, given)).encode()
    only_name = ("--output", "jsonpath={.metadata.name}")
    return cluster.text("create", "--filename", "-", *only_name, given=text).strip()


def tell(forge: HostedForge, model: str, commit: str, status: str) -> State:
    """Set the status of a run's commit; gives it in the forge's words.

    Raises:
        BadInput: when it is no end of a run, or the forge does not take it.
    """
    state = STATES.get(status)
    if state is None:
        raise bad_input(
            "--status", f"{status!r} is no end of a run", f"name one of {', '.join(STATES)}"
        )
    forge.set_status(commit, f"pipeline {model}", state, f"the run on the cluster: {status}")
    return state


def _raw(repo: Repository, model: str, raw: Sequence[str]) -> dict[str, str]:
    """The parameters with a raw file, by their names."""
    names = raw_parameters(ingested_of(repo, repo.model(model).data.dataset))
    keys = raw_files(repo, model, raw)
    if several := [name for name, given in keys.items() if len(given) > 1]:
        what = f"is given more than once for {', '.join(several)}, and a run takes one file of each"
        raise bad_input("--raw", what, "submit a run for each file, oldest first")
    return {names[name]: key for name, (key,) in keys.items()}


def _workflow(repo: Repository, model: str, given: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": f"{name_of(model)}-",
            "namespace": repo.project.workflows.namespace,
        },
        "spec": {
            "workflowTemplateRef": {"name": name_of(model)},
            "arguments": {
                "parameters": [{"name": name, "value": value} for name, value in given.items()]
            },
        },
    }


def _lacking(repo: Repository, commit: str) -> list[Problem]:
    problems = []
    if repo.project.workflows.image is None:
        what = "`workflows.image` is missing, and the steps run in it"
        fix = "make it as docs/pipelines.md says and write it there by its digest"
        problems.append(Problem(PROJECT_FILE, what, fix))
    if not (repo.project.stores.registry and repo.project.stores.data):
        what = "names no stores that a pod could reach, so what it makes would be gone with it"
        fix = "mlops init --registry URL --data URL"
        problems.append(Problem(PROJECT_FILE, what, fix))
    if not repo.git.text("branch", "--remotes", "--contains", commit):
        remote = repo.project.forge.remote
        what = f"is on no branch of {remote}, which the cluster reads"
        problems.append(Problem(commit[:12], what, "push it, then run this again"))
    return problems
