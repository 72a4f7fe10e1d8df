"""A run of a pipeline on a cluster: what is created there, and what is told of its end."""

import json
from collections.abc import Mapping
from typing import Any

from mlops.cluster.kubectl import Kubectl
from mlops.errors import BadInput, Problem, bad_input
from mlops.forges.base import HostedForge, State
from mlops.pipelines.graph import refuse_raw
from mlops.pipelines.names import name_of
from mlops.repository import PROJECT_FILE, Repository
from mlops.search.searching import search_of

STATES: dict[str, State] = {"Succeeded": "success", "Failed": "failure", "Error": "failure"}
"""What Argo Workflows says of a run's end, as a forge says it of a commit."""


def submit(
    repo: Repository,
    cluster: Kubectl,
    model: str,
    commit: str,
    raw: str = "",
    *,
    tune: bool = False,
) -> str:
    """Create a run of a model's pipeline on a cluster; gives its name there.

    Args:
        commit: what is run: its code, contracts and pins.
        raw: key of a raw file in the artifact repository, to be ingested first; empty: none.
        tune: search parameters too.

    Raises:
        BadInput: with everything that the run would lack.
        ClusterError: when the cluster does not take it.
    """
    repo.model(model)
    if raw:
        refuse_raw(repo, model)
    if tune:
        search_of(repo.commit(commit), model)
    if problems := _lacking(repo, commit):
        raise BadInput(problems)
    given = {"revision": commit, "raw": raw, **({"tune": "true"} if tune else {})}
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
