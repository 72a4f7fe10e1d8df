"""A pipeline for a cluster: the same steps as an Argo WorkflowTemplate, made with Hera.

Each step is a pod that has the repository at a commit in /work and calls the same `mlops` line as
a laptop. What steps hand on lies in the stores, named by digest; files go through the artifact
repository of Argo Workflows.
"""

from collections.abc import Sequence
from typing import Any

from hera.workflows import (
    DAG,
    Artifact,
    Container,
    CronWorkflow,
    GitArtifact,
    NoneArchiveStrategy,
    Parameter,
    RetryStrategy,
    S3Artifact,
    SecretEnv,
    SecretEnvFrom,
    Task,
    WorkflowTemplate,
)
from hera.workflows import models as argo

from mlops.pipelines.graph import Pipeline, Step
from mlops.pipelines.names import ALL, FORGE_LOGIN, RAW, SETTINGS, name_of
from mlops.specs.model import Model
from mlops.specs.project import Project, Workflows

Document = dict[str, Any]
WORK, TMP = "/work", "/tmp"  # noqa: S108 - paths in a pod
IMAGE = "{{workflow.parameters.image}}"
ENTRY, TOLD = "pipeline", "tell-forge"
NEW_DATA = "'{{workflow.parameters.raw}}' != ''"
TUNE = "'{{workflow.parameters.tune}}' == 'true'"
WHEN = {"ingest": NEW_DATA, "propose": NEW_DATA, "tune": TUNE, "suggest": TUNE}
"""Steps that a run has only when it is asked for them."""
SPEAKS = ("propose", "suggest")
"""Steps that open a pull request, and therefore get the forge's token."""
AT_ONCE = 4
"""Models of `all-pipelines` that run at the same time."""
# What a person has to mend (1: not good, 2: wrong files) is not tried again; a lost node, a pod
# that was ended, a store that did not answer (3 and up, or no exit code) is.
AGAIN = "lastRetry.status == 'Error' or not (lastRetry.exitCode in ['1', '2'])"


def of_model(project: Project, repository: str, model: Model, pipeline: Pipeline) -> list[Document]:
    """WorkflowTemplate of a model, and its CronWorkflow when model.yaml has a schedule.

    Args:
        repository: its address, as the cluster reads it.
        pipeline: with an ingest of `RAW`; it is left out where a run brings no raw file.
    """
    settings = project.workflows
    with WorkflowTemplate(
        name=name_of(model.model),
        namespace=settings.namespace,
        entrypoint=ENTRY,
        on_exit=TOLD,
        arguments=[
            Parameter(name="revision", value=project.forge.main, description="commit or branch"),
            Parameter(name="raw", value="", description="key of a raw file to ingest first"),
            Parameter(name="tune", value="false", description="`true` searches parameters, too"),
            Parameter(
                name="image",
                value_from=argo.ValueFrom(
                    config_map_key_ref=argo.ConfigMapKeySelector(name=SETTINGS, key="image")
                ),
            ),
        ],
        # One run of a model at a time; two would train the same.
        synchronization=argo.Synchronization(mutexes=[argo.Mutex(name=model.model)]),
        archive_logs=True,
        pod_gc=argo.PodGC(strategy="OnPodSuccess"),
        ttl_strategy=argo.TTLStrategy(seconds_after_completion=7 * 24 * 3600),
        automount_service_account_token=False,
        service_account_name=settings.service_account,
        executor=argo.ExecutorConfig(service_account_name=settings.service_account),
        security_context=argo.PodSecurityContext(
            run_as_non_root=True,
            run_as_user=65532,
            fs_group=65532,
            seccomp_profile=argo.SeccompProfile(type="RuntimeDefault"),
        ),
        volumes=[argo.Volume(name="tmp", empty_dir=argo.EmptyDirVolumeSource())],
        template_defaults=_alike(model),
    ) as template:
        for step in pipeline.steps:
            _container(settings, repository, model, step)
            if step.verb == "tune" and _workers(model) > 1:
                _part(settings, repository, model, step)
        _told(settings, repository, model.model)
        with DAG(name=ENTRY):
            _tasks(pipeline, _workers(model))
    documents = [template.to_dict()]
    if model.pipeline.schedule:
        documents.append(_scheduled(settings, model).to_dict())
    return documents


def of_all(settings: Workflows, models: Sequence[str]) -> list[Document]:
    """WorkflowTemplate that runs the pipelines of all models, some at a time."""
    whole = WorkflowTemplate(
        name=ALL,
        namespace=settings.namespace,
        entrypoint=ENTRY,
        parallelism=AT_ONCE,
        service_account_name=settings.service_account,
    )
    # One that fails does not keep back the others.
    with whole as template, DAG(name=ENTRY, fail_fast=False):
        for model in models:
            Task(name=model, template_ref=argo.TemplateRef(name=name_of(model), template=ENTRY))
    return [template.to_dict()]


def settings(found: Workflows, image: str) -> list[Document]:
    """ConfigMap with what all pipelines share, so that a new image is one line of one file."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": SETTINGS,
                "namespace": found.namespace,
                # Without it Argo Workflows does not take a parameter from a ConfigMap.
                "labels": {"workflows.argoproj.io/configmap-type": "Parameter"},
            },
            "data": {"image": image},
        }
    ]


def _container(settings: Workflows, repository: str, model: Model, step: Step) -> Container:
    pins = _pins(step)
    inputs: list[Artifact] = [_checkout(settings, repository)]
    if step.verb == "ingest":
        inputs.append(S3Artifact(name="raw", path=RAW, key="{{workflow.parameters.raw}}"))
    else:
        inputs += pins
    outputs: list[Artifact] = pins if step.verb == "ingest" else []
    if step.verb == "score":
        folder = f"{WORK}/.mlops/predictions/{model.model}"
        outputs = [Artifact(name="predictions", path=folder)]
    return Container(
        name=step.name,
        image=IMAGE,
        args=list(step.line),
        inputs=inputs,
        outputs=outputs,
        env_from=[SecretEnvFrom(name=SETTINGS, optional=True)],
        env=_forge() if step.verb in SPEAKS else [],
    )


def _part(settings: Workflows, repository: str, model: Model, step: Step) -> Container:
    """One of the pods that make a search's tries; the step after them tells what was found."""
    return Container(
        name=_part_name(step),
        image=IMAGE,
        args=[*step.line, "--share", "{{inputs.parameters.share}}"],
        inputs=[Parameter(name="share"), _checkout(settings, repository), *_pins(step)],
        env_from=[SecretEnvFrom(name=SETTINGS, optional=True)],
    )


def _part_name(step: Step) -> str:
    return f"{step.name}-part"


def _workers(model: Model) -> int:
    return model.search.workers if model.search else 1


def _alike(model: Model) -> argo.Template:
    """What all steps have in common; Argo Workflows puts it into each."""
    needs = model.pipeline
    memory = argo.Quantity(root=needs.memory)
    requests = {"cpu": argo.Quantity(root=needs.cpu), "memory": memory}
    return argo.Template(
        active_deadline_seconds=argo.IntOrString(root=needs.timeout_minutes * 60),
        retry_strategy=RetryStrategy(
            limit=3,
            retry_policy="Always",
            expression=AGAIN,
            backoff=argo.Backoff(
                duration="30s", factor=argo.IntOrString(root=2), max_duration="15m"
            ),
        ).build(),
        container=argo.Container(
            image=IMAGE,
            command=["python", "-m", "mlops"],
            working_dir=WORK,
            env=[
                argo.EnvVar(name="PYTHONPATH", value=f"{WORK}/scripts"),
                argo.EnvVar(name="HOME", value=TMP),
            ],
            resources=argo.ResourceRequirements(requests=requests, limits={"memory": memory}),
            security_context=argo.SecurityContext(
                allow_privilege_escalation=False,
                read_only_root_filesystem=True,
                capabilities=argo.Capabilities(drop=["ALL"]),
            ),
            volume_mounts=[argo.VolumeMount(name="tmp", mount_path=TMP)],
        ),
    )


def _forge() -> list[SecretEnv]:
    name = "FORGE_TOKEN"
    return [SecretEnv(name=name, secret_name=FORGE_LOGIN, secret_key=name, optional=True)]


def _checkout(settings: Workflows, repository: str) -> GitArtifact:
    secret = settings.git_login
    user, password = (
        argo.SecretKeySelector(name=secret, key=key) if secret else None
        for key in ("username", "password")
    )
    return GitArtifact(
        name="repository",
        path=WORK,
        repo=repository,
        revision="{{workflow.parameters.revision}}",
        username_secret=user,
        password_secret=password,
    )


def _pin(dataset: str) -> Artifact:
    """The pin of a version that this run ingested; without one, that of the commit counts."""
    return Artifact(
        name=_pin_name(dataset),
        path=f"{WORK}/data-contracts/{dataset}.dvc",
        archive=NoneArchiveStrategy(),
        optional=True,
    )


def _pin_name(dataset: str) -> str:
    return f"pin-{dataset}"


def _pins(step: Step) -> list[Artifact]:
    """Of the datasets that a step reads or writes."""
    of = {each.name for each in (*step.reads, *step.writes) if each.kind == "dataset"}
    return [_pin(name) for name in sorted(of)]


def _tasks(pipeline: Pipeline, workers: int) -> None:
    """The steps in their order; a search of several pods has a task for these before its own."""
    ingests = [step for step in pipeline.steps if step.verb == "ingest"]
    for step in pipeline.steps:
        depends = " && ".join(_ended(each) for each in pipeline.after(step)) or None
        pins = [_new_pin(each) for each in ingests if set(each.writes) & set(step.reads)]
        when = WHEN.get(step.verb)
        if step.verb == "tune" and workers > 1:
            name, share = _part_name(step), Parameter(name="share", value=f"{{{{item}}}}/{workers}")
            Task(
                name=name,
                template=name,
                depends=depends,
                when=when,
                arguments=[share, *pins],
                with_sequence=argo.Sequence(
                    start=argo.IntOrString(root=1), end=argo.IntOrString(root=workers)
                ),
            )
            depends = f"{name}.Succeeded"
        Task(name=step.name, template=step.name, depends=depends, when=when, arguments=pins)


def _new_pin(ingest: Step) -> Artifact:
    name = _pin_name(ingest.subject)
    place = f"{{{{tasks.{ingest.name}.outputs.artifacts.{name}}}}}"
    return Artifact(name=name, from_=place, optional=True)


def _ended(step: Step) -> str:
    if step.verb not in WHEN:
        return f"{step.name}.Succeeded"
    return f"({step.name}.Succeeded || {step.name}.Skipped)"


def _told(settings: Workflows, repository: str, model: str) -> Container:
    """What a run came to, as a status of its commit; runs whatever became of the steps."""
    line = ("pipeline", "tell", model, "--status", "{{workflow.status}}")
    return Container(
        name=TOLD,
        image=IMAGE,
        args=list(line),
        inputs=[_checkout(settings, repository)],
        env=_forge(),
    )


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
