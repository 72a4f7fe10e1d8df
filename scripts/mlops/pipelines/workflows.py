"""A pipeline for a cluster: the same steps as an Argo WorkflowTemplate, made with Hera.

Each step is a pod of `pods.py`.
"""

from collections.abc import Mapping

from hera.workflows import DAG, Artifact, CronWorkflow, Parameter, Resource, Task, WorkflowTemplate
from hera.workflows import models as argo

from mlops.files import dump_yaml
from mlops.pipelines.graph import Pipeline, Step
from mlops.pipelines.names import ALL, ARGO, SETTINGS, Document, name_of, raw_parameters
from mlops.pipelines.pods import (
    READY,
    TOLD,
    alike,
    container,
    nobody,
    part,
    part_name,
    pin_name,
    pins,
    ready,
    tmp,
    told,
    value_of,
)
from mlops.specs.model import Model
from mlops.specs.project import Project, Workflows

ENTRY, START = "pipeline", "start"
TUNE = "'{{workflow.parameters.tune}}' == 'true'"
SEARCHES = ("tune", "suggest")
AT_ONCE = 4
"""Models of `all-pipelines` that run at the same time."""


def of_model(project: Project, repository: str, model: Model, pipeline: Pipeline) -> list[Document]:
    """WorkflowTemplate of a model, and its CronWorkflow when model.yaml has a schedule.

    Args:
        repository: its address, as the cluster reads it.
        pipeline: with an ingest of `RAW` for each dataset that is ingested; those that a run
            brings no raw file of are left out.
    """
    settings = project.workflows
    raw = raw_parameters([step.subject for step in pipeline.steps if step.verb == "ingest"])
    with WorkflowTemplate(
        name=name_of(model.model),
        namespace=settings.namespace,
        entrypoint=ENTRY,
        on_exit=TOLD,
        arguments=[
            _revision(project),
            *(_raw(name, parameter) for name, parameter in raw.items()),
            Parameter(name="tune", value="false", description="`true` searches parameters, too"),
            _image(),
        ],
        # One run of a model at a time; two would train the same.
        synchronization=argo.Synchronization(mutexes=[argo.Mutex(name=model.model)]),
        archive_logs=True,
        pod_gc=argo.PodGC(strategy="OnPodSuccess"),
        ttl_strategy=argo.TTLStrategy(seconds_after_completion=7 * 24 * 3600),
        automount_service_account_token=False,
        service_account_name=settings.service_account,
        executor=argo.ExecutorConfig(service_account_name=settings.service_account),
        security_context=nobody(),
        volumes=[tmp()],
        template_defaults=alike(model.pipeline),
    ) as template:
        for step in pipeline.steps:
            container(project, repository, model, step, raw)
            if step.verb == "tune" and _workers(model) > 1:
                part(project, repository, model, step)
        told(settings, repository, model)
        with DAG(name=ENTRY):
            _tasks(pipeline, _workers(model), raw)
    documents = [template.to_dict()]
    if model.pipeline.schedule:
        documents.append(_scheduled(settings, model).to_dict())
    return documents


def of_all(project: Project, repository: str) -> list[Document]:
    """WorkflowTemplate that runs the pipelines of all models that have data, some at a time.

    Which these are is what the revision says, not what was rendered: the first step tells. Each is
    a run of its own: what a WorkflowTemplate says of all its steps (parameters, mutex, who they run
    as, whom they tell) does not come along with one of its templates.
    """
    settings = project.workflows
    whole = WorkflowTemplate(
        name=ALL,
        namespace=settings.namespace,
        entrypoint=ENTRY,
        parallelism=AT_ONCE,
        arguments=[_revision(project), _image()],
        service_account_name=ALL,
        security_context=nobody(),
        volumes=[tmp()],
    )
    with whole as template:
        ready(settings, repository)
        Resource(
            name=START,
            inputs=[Parameter(name="model")],
            action="create",
            manifest=dump_yaml(_run(settings, name_of("{{inputs.parameters.model}}"))),
            success_condition="status.phase == Succeeded",
            failure_condition="status.phase in (Failed, Error)",
        )
        # One that fails does not keep back the others.
        with DAG(name=ENTRY, fail_fast=False):
            Task(name=READY, template=READY)
            Task(
                name=START,
                template=START,
                depends=f"{READY}.Succeeded",
                arguments=[Parameter(name="model", value="{{item}}")],
                with_param=f"{{{{tasks.{READY}.outputs.result}}}}",
            )
    return [template.to_dict()]


def _revision(project: Project) -> Parameter:
    return Parameter(name="revision", value=project.forge.main, description="commit or branch")


def _image() -> Parameter:
    found = argo.ConfigMapKeySelector(name=SETTINGS, key="image")
    return Parameter(name="image", value_from=argo.ValueFrom(config_map_key_ref=found))


def _raw(dataset: str, name: str) -> Parameter:
    what = f"key of a raw file of {dataset} to ingest first"
    return Parameter(name=name, value="", description=what)


def _run(settings: Workflows, template: str) -> Document:
    """A run of a model's pipeline, of the revision that is asked for."""
    revision = {"name": "revision", "value": "{{workflow.parameters.revision}}"}
    return {
        "apiVersion": f"{ARGO}/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"{template}-", "namespace": settings.namespace},
        "spec": {
            "workflowTemplateRef": {"name": template},
            "arguments": {"parameters": [revision]},
        },
    }


def _workers(model: Model) -> int:
    return model.search.workers if model.search else 1


def _tasks(pipeline: Pipeline, workers: int, raw: Mapping[str, str]) -> None:
    """The steps in their order; a search of several pods has a task for these before its own."""
    made = [step for step in pipeline.steps if pins(step.writes)]
    for step in pipeline.steps:
        depends = " && ".join(_ended(each) for each in pipeline.after(step)) or None
        given = [_new_pin(each) for each in made if set(each.writes) & set(step.reads)]
        when = _when(step, raw)
        if step.verb == "tune" and workers > 1:
            name, share = part_name(step), Parameter(name="share", value=f"{{{{item}}}}/{workers}")
            Task(
                name=name,
                template=name,
                depends=depends,
                when=when,
                arguments=[share, *given],
                with_sequence=argo.Sequence(
                    start=argo.IntOrString(root=1), end=argo.IntOrString(root=workers)
                ),
            )
            depends = f"{name}.Succeeded"
        Task(name=step.name, template=step.name, depends=depends, when=when, arguments=given)


def _new_pin(made: Step) -> Artifact:
    name = pin_name(made.subject)
    place = f"{{{{tasks.{made.name}.outputs.artifacts.{name}}}}}"
    return Artifact(name=name, from_=place, optional=True)


def _when(step: Step, raw: Mapping[str, str]) -> str | None:
    """What a run has to ask for to have a step; None for those that each has."""
    if step.verb in SEARCHES:
        return TUNE
    return " || ".join(f"'{value_of(raw[name])}' != ''" for name in step.raw) or None


def _ended(step: Step) -> str:
    if not step.raw and step.verb not in SEARCHES:
        return f"{step.name}.Succeeded"
    return f"({step.name}.Succeeded || {step.name}.Skipped)"


def _scheduled(settings: Workflows, model: Model) -> CronWorkflow:
    return CronWorkflow(
        name=name_of(model.model),
        namespace=settings.namespace,
        schedules=[model.pipeline.schedule or ""],
        timezone="UTC",
        concurrency_policy="Forbid",
        starting_deadline_seconds=3600,
        workflow_template_ref=argo.WorkflowTemplateRef(name=name_of(model.model)),
    )
