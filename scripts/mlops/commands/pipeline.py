"""mlops pipeline: a model from raw files to predictions, on this machine or on a cluster."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops import digests
from mlops.errors import Exit, bad_input
from mlops.repository import Repository

if TYPE_CHECKING:
    from mlops.pipelines.graph import Pipeline, Step
    from mlops.pipelines.running import Ran

MARKS = {
    "done": "[green]done[/]",
    "done before": "[green]done before[/]",
    "failed": "[red]failed[/]",
    "waits": "[dim]waits[/]",
}


@click.group()
def group() -> None:
    """A model's steps, from raw files to predictions: run them, show them, submit them.

    Example: mlops pipeline run bike-demand
    """


@group.command("run")
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option(
    "--raw",
    multiple=True,
    metavar="[DATASET=]FILE",
    help="Ingest this raw file first; may be given more than once, oldest first. With one MODEL. "
    "DATASET where its data is made of several.",
)
@click.option(
    "--tune", is_flag=True, help="Search parameters at the end, where model.yaml says how."
)
@click.option(
    "--propose", is_flag=True, help="Open pull requests with what was ingested, and what was found."
)
@click.option("--json", "as_json", is_flag=True, help="For machines: a line for each step.")
def run_command(
    models: tuple[str, ...], *, raw: tuple[str, ...], tune: bool, propose: bool, as_json: bool
) -> int:
    """Do each step of MODEL (default: of all models that have data) that is not done yet.

    A step is known by all that decides it: its line, code, packages, data, what it is compared
    with. One that finished before is not done again, and a run that was killed goes on where it
    was. The first step that fails ends the run with its exit code; what it says is the way on.

    \b
    Example: mlops pipeline run bike-demand
    Example: mlops pipeline run bike-demand --raw 2011-04.csv
    Example: mlops pipeline run flight-delay --raw flights=2013-12.csv --raw weather=12.csv
    Example: mlops pipeline run bike-demand --tune --propose
    """
    return run(Repository.at(), models, raw=raw, tune=tune, propose=propose, as_json=as_json)


@group.command("show")
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For machines: a line for each step.")
def show_command(models: tuple[str, ...], as_json: bool) -> int:
    """The steps of MODEL (default: of all models), and which are done; nothing is run.

    Example: mlops pipeline show bike-demand
    """
    return show(Repository.at(), models, as_json=as_json)


@group.command("submit")
@click.argument("model")
@click.option(
    "--raw",
    multiple=True,
    metavar="[DATASET=]KEY",
    help="Ingest this raw file of the artifact store; one for each DATASET of several.",
)
@click.option("--tune", is_flag=True, help="Search parameters, too.")
@click.option("--context", metavar="NAME", help="Of the kubeconfig; default: the current one.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def submit_command(
    model: str, *, raw: tuple[str, ...], tune: bool, context: str | None, as_json: bool
) -> int:
    """Run MODEL's pipeline on the cluster, with what HEAD holds.

    HEAD has to be pushed. With --raw the run opens a pull request that pins the new versions, with
    --tune one that has better parameters, when some are found.

    \b
    Example: mlops pipeline submit bike-demand
    Example: mlops pipeline submit bike-demand --raw incoming/2011-04.csv
    """
    return submit(Repository.at(), model, raw=raw, tune=tune, context=context, as_json=as_json)


@group.command("ready")
@click.option("--json", "as_json", is_flag=True, help="For machines: a list of names.")
def ready_command(as_json: bool) -> int:
    """The models that have data, so that their pipelines can run; on standard error the others.

    Data made of other datasets is made by the pipeline: only these have to be pinned.

    Example: mlops pipeline ready
    """
    return ready(Repository.at(), as_json=as_json)


@group.command("tell")
@click.argument("model")
@click.option("--status", required=True, metavar="STATUS", help="How the run of HEAD ended.")
def tell_command(model: str, status: str) -> int:
    """Say on the forge how a run of MODEL ended on the cluster; the last step of each run.

    Example: mlops pipeline tell bike-demand --status Succeeded
    """
    return tell(Repository.at(), model, status)


def run(
    repo: Repository,
    models: Sequence[str] = (),
    *,
    raw: Sequence[str] = (),
    tune: bool = False,
    propose: bool = False,
    as_json: bool = False,
) -> int:
    """Run pipelines one after another; the exit code is the first that is not 0.

    Raises:
        BadInput: when a model or a file is wrong, before anything is run.
    """
    from mlops.pipelines.running import run as run_steps

    ended: list[int] = []
    for pipeline in _asked(repo, models, raw, tune=tune, propose=propose):
        # What the steps say is for people.
        with redirect_stdout(sys.stderr) if as_json else nullcontext():
            ran = run_steps(repo, pipeline, _starting)
        ended.append(_told(pipeline, ran, as_json=as_json))
    return next((code for code in ended if code), Exit.DONE)


def show(repo: Repository, models: Sequence[str] = (), *, as_json: bool = False) -> int:
    """Print the steps of each model and whether they are done."""
    from mlops.pipelines.running import states

    for pipeline in _pipelines(repo, models or repo.models()):
        _told(pipeline, states(repo, pipeline), as_json=as_json)
    return Exit.DONE


def ready(repo: Repository, *, as_json: bool = False) -> int:
    """Print the models that have data; each other has a line on standard error."""
    found = _with_data(repo)
    click.echo(json.dumps(found) if as_json else "\n".join(found))
    return Exit.DONE


def submit(
    repo: Repository,
    model: str,
    *,
    raw: Sequence[str] = (),
    tune: bool = False,
    context: str | None = None,
    as_json: bool = False,
) -> int:
    """Create a run on the cluster and say its name; raises like `submitting.submit`."""
    from mlops.cluster.kubectl import Kubectl
    from mlops.pipelines.submitting import submit as create

    commit = repo.git.head()
    name = create(repo, Kubectl(context), model, commit, raw, tune=tune)
    namespace = repo.project.workflows.namespace
    if as_json:
        body = {"model": model, "commit": commit, "workflow": name, "namespace": namespace}
        click.echo(json.dumps(body))
    else:
        click.echo(f"submitted {name}, with commit {commit[:12]}")
        click.echo(f"  look at it: kubectl --namespace {namespace} get workflow {name} --watch")
    return Exit.DONE


def tell(repo: Repository, model: str, status: str) -> int:
    """Set the status of HEAD on the forge; a forge without a server has none."""
    from mlops.forges.choice import hosted_of
    from mlops.pipelines import submitting

    repo.model(model)
    if repo.project.forge.kind == "local":
        click.echo(f"{model}: {status}; `forge.kind` is local, so there is nobody to tell")
        return Exit.DONE
    commit = repo.git.head()
    state = submitting.tell(hosted_of(repo), model, commit, status)
    click.echo(f"{model}: {status}; commit {commit[:12]} has the status {state}")
    return Exit.DONE


def _asked(
    repo: Repository, models: Sequence[str], raw: Sequence[str], *, tune: bool, propose: bool
) -> "list[Pipeline]":
    from mlops.pipelines.graph import raw_files

    if propose and not (raw or tune):
        what, fix = "stands without --raw or --tune", "name what is to be ingested, or search"
        raise bad_input("--propose", what, fix)
    if raw and len(models) != 1:
        raise bad_input("--raw", "stands with no MODEL or with several", "name one model")
    given = raw_files(repo, models[0], raw) if raw else {}
    files = {name: [str(Path(file).absolute()) for file in each] for name, each in given.items()}
    return _pipelines(repo, models or _with_data(repo), files, tune=tune, propose=propose)


def _pipelines(
    repo: Repository,
    models: Sequence[str],
    raw: Mapping[str, Sequence[str]] | None = None,
    *,
    tune: bool = False,
    propose: bool = False,
) -> "list[Pipeline]":
    from mlops.pipelines.graph import pipeline_of

    return [pipeline_of(repo, model, raw, propose=propose, tune=tune) for model in models]


def _with_data(repo: Repository) -> list[str]:
    """The models that have data; of the others a line is told on standard error."""
    from mlops.data.waiting import waits_for_data

    waiting = {model: waits_for_data(repo, model, derives=True) for model in repo.models()}
    for line in filter(None, waiting.values()):
        click.echo(line, err=True)
    return [model for model, line in waiting.items() if not line]


def _starting(step: "Step") -> None:
    click.secho(f"$ mlops {shlex.join(step.line)}", bold=True)


def _told(pipeline: "Pipeline", ran: "Sequence[Ran]", *, as_json: bool) -> int:
    if as_json:
        for one in ran:
            click.echo(json.dumps({"model": pipeline.model, **_body(one)}))
    else:
        _table(pipeline, ran)
    return next((one.code for one in ran if one.code), Exit.DONE)


def _body(one: "Ran") -> dict[str, object]:
    return {
        "step": one.step.name,
        "state": one.state,
        "code": int(one.code),
        "key": one.key,
        "seconds": round(one.seconds, 3),
        "line": one.step.line,
        "reads": [str(each) for each in one.step.reads],
        "writes": [str(each) for each in one.step.writes],
    }


def _table(pipeline: "Pipeline", ran: "Sequence[Ran]") -> None:
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=None, pad_edge=False)
    for heading in (pipeline.model, "", "seconds", "comes after", "key"):
        grid.add_column(heading, justify="right" if heading == "seconds" else "left")
    for one in ran:
        before = ", ".join(each.name for each in pipeline.after(one.step))
        seconds = f"{one.seconds:.1f}" if one.seconds else ""
        key = digests.short(one.key) if one.key else ""
        grid.add_row(one.step.name, MARKS[one.state], seconds, before, key)
    Console().print(grid)
