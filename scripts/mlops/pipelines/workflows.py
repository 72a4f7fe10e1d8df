"""A pipeline for a cluster: the same steps as an Argo WorkflowTemplate, made with Hera.

Each step is a pod that has the repository at a commit in /work and calls the same `mlops` line as
a laptop. What steps hand on lies in the stores, named by digest; files go through the artifact
repository of Argo Workflows.
"""

from collections.abc import Mapping, Sequence
from posixpath import join, normpath
from typing import Any

from hera.workflows import (
    DAG,
    Artifact,
    Container,
    CronWorkflow,
    Env,
    GitArtifact,
    NoneArchiveStrategy,
    Parameter,
    Resource,
    RetryStrategy,
    S3Artifact,
    SecretEnv,
    SecretEnvFrom,
    Task,
    WorkflowTemplate,
)
from hera.workflows import models as argo

from mlops.files import dump_yaml
from mlops.pipelines.graph import Artifact as Thing
from mlops.pipelines.graph import Pipeline, Step
from mlops.pipelines.names import ALL, FORGE_LOGIN, RAW, SETTINGS, name_of, raw_parameters
from mlops.specs.model import Model
from mlops.specs.model import Pipeline as PipelineSettings
from mlops.specs.project import Project, Workflows

Document = dict[str, Any]
WORK, TMP = "/work", "/tmp"  # noqa: S108 - paths in a pod
IMAGE = "{{workflow.parameters.image}}"
ENTRY, TOLD, START, READY = "pipeline", "tell-forge", "start", "ready"
TUNE = "'{{workflow.parameters.tune}}' == 'true'"
SEARCHES = ("tune", "suggest")
SPEAKS = ("propose", "suggest")
"""Steps that open a pull request, and therefore get the forge's token."""
AT_ONCE = 4
"""Models of `all-pipelines` that run at the same time."""
ARGO = "argoproj.io"
RBAC = "rbac.authorization.k8s.io"
# What a person has to mend (1: not good, 2: wrong files) is not tried again; a lost node, a pod
# that was ended, a store that did not answer (3 and up, or no exit code) is.
AGAIN = "lastRetry.status == 'Error' or not (lastRetry.exitCode in ['1', '2'])"


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
        security_context=_nobody(),
        volumes=[_tmp()],
        template_defaults=_alike(model.pipeline),
    ) as template:
        for step in pipeline.steps:
            _container(project, repository, model, step, raw)
            if step.verb == "tune" and _workers(model) > 1:
                _part(project, repository, model, step)
        _told(settings, repository, model)
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
        security_context=_nobody(),
        volumes=[_tmp()],
    )
    with whole as template:
        _ready(settings, repository)
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


def _ready(settings: Workflows, repository: str) -> Container:
    """Prints the models that have data, and says what the others wait for.

    Like a step of a model it has no token of the cluster; what starts the runs has one.
    """
    needs = PipelineSettings()
    alike = _alike(needs).container
    return Container(
        name=READY,
        image=IMAGE,
        command=alike.command,
        args=["pipeline", "ready", "--json"],
        working_dir=alike.working_dir,
        env=alike.env,
        resources=alike.resources,
        security_context=alike.security_context,
        volume_mounts=alike.volume_mounts,
        inputs=[_checkout(settings, repository)],
        automount_service_account_token=False,
        service_account_name=settings.service_account,
        executor=argo.ExecutorConfig(service_account_name=settings.service_account),
        active_deadline_seconds=_limit(needs),
        retry_strategy=_again(),
    )


def access(settings: Workflows) -> list[Document]:
    """What pods may do on the cluster.

    A step's own container has no token; Argo Workflows' containers beside it have that of a Secret
    which nobody but the cluster fills. `all-pipelines` alone may start runs.
    """
    subject = {"kind": "ServiceAccount", "name": ALL, "namespace": settings.namespace}
    rules = [
        {"apiGroups": [ARGO], "resources": ["workflows"], "verbs": ["create", "get"]},
        {"apiGroups": [ARGO], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]},
    ]
    token = _object(settings, "v1", "Secret", f"{settings.service_account}.service-account-token")
    token["metadata"]["annotations"] = {
        "kubernetes.io/service-account.name": settings.service_account
    }
    role = {"apiGroup": RBAC, "kind": "Role", "name": ALL}
    return [
        {**token, "type": "kubernetes.io/service-account-token"},
        _object(settings, "v1", "ServiceAccount", ALL),
        {**_object(settings, f"{RBAC}/v1", "Role", ALL), "rules": rules},
        {
            **_object(settings, f"{RBAC}/v1", "RoleBinding", ALL),
            "roleRef": role,
            "subjects": [subject],
        },
    ]


def settings(found: Workflows, image: str) -> list[Document]:
    """ConfigMap with what all pipelines share, so that a new image is one line of one file."""
    shared = _object(found, "v1", "ConfigMap", SETTINGS)
    # Without it Argo Workflows does not take a parameter from a ConfigMap.
    shared["metadata"]["labels"] = {"workflows.argoproj.io/configmap-type": "Parameter"}
    return [{**shared, "data": {"image": image}}]


def _object(settings: Workflows, version: str, kind: str, name: str) -> Document:
    metadata = {"name": name, "namespace": settings.namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _revision(project: Project) -> Parameter:
    return Parameter(name="revision", value=project.forge.main, description="commit or branch")


def _image() -> Parameter:
    found = argo.ConfigMapKeySelector(name=SETTINGS, key="image")
    return Parameter(name="image", value_from=argo.ValueFrom(config_map_key_ref=found))


def _raw(dataset: str, name: str) -> Parameter:
    what = f"key of a raw file of {dataset} to ingest first"
    return Parameter(name=name, value="", description=what)


def _tmp() -> argo.Volume:
    return argo.Volume(name="tmp", empty_dir=argo.EmptyDirVolumeSource())


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


def _nobody() -> argo.PodSecurityContext:
    return argo.PodSecurityContext(
        run_as_non_root=True,
        run_as_user=65532,
        fs_group=65532,
        seccomp_profile=argo.SeccompProfile(type="RuntimeDefault"),
    )


def _container(
    project: Project, repository: str, model: Model, step: Step, raw: Mapping[str, str]
) -> Container:
    inputs: list[Artifact] = [_checkout(project.workflows, repository)]
    if step.verb == "ingest":
        inputs.append(S3Artifact(name="raw", path=RAW, key=_value(raw[step.subject])))
    else:
        inputs += _pins(step.reads)
    outputs = _pins(step.writes)
    if step.verb == "score":
        root = normpath(join(WORK, project.stores.root))
        outputs = [Artifact(name="predictions", path=f"{root}/predictions/{model.model}")]
    return Container(
        name=step.name,
        image=IMAGE,
        args=list(step.line),
        inputs=inputs,
        outputs=outputs,
        env_from=[SecretEnvFrom(name=SETTINGS, optional=True)],
        env=[*_author(project), *_forge()] if step.verb in SPEAKS else [],
        active_deadline_seconds=_limit(model.pipeline),
        retry_strategy=_again(),
    )


def _part(project: Project, repository: str, model: Model, step: Step) -> Container:
    """One of the pods that make a search's tries; the step after them tells what was found."""
    checkout = _checkout(project.workflows, repository)
    return Container(
        name=_part_name(step),
        image=IMAGE,
        args=[*step.line, "--share", "{{inputs.parameters.share}}"],
        inputs=[Parameter(name="share"), checkout, *_pins(step.reads)],
        env_from=[SecretEnvFrom(name=SETTINGS, optional=True)],
        active_deadline_seconds=_limit(model.pipeline),
        retry_strategy=_again(),
    )


def _part_name(step: Step) -> str:
    return f"{step.name}-part"


def _workers(model: Model) -> int:
    return model.search.workers if model.search else 1


def _limit(needs: PipelineSettings) -> int:
    """Seconds that a step may take."""
    return needs.timeout_minutes * 60


def _again() -> RetryStrategy:
    """When a step is tried again, after 30, 60 and 120 s.

    No default of the template: the whole graph would be tried again, too. No `maxDuration`: it
    counts from the first start on, so a step that took longer would get no second one.
    """
    backoff = argo.Backoff(duration="30s", factor=argo.IntOrString(root=2))
    return RetryStrategy(limit=3, retry_policy="Always", expression=AGAIN, backoff=backoff)


def _alike(needs: PipelineSettings) -> argo.Template:
    """What the containers of all steps have in common; Argo Workflows puts it into each."""
    memory = argo.Quantity(root=needs.memory)
    requests = {"cpu": argo.Quantity(root=needs.cpu), "memory": memory}
    return argo.Template(
        container=argo.Container(
            image=IMAGE,
            command=["python3", "-m", "mlops"],
            working_dir=WORK,
            env=[
                argo.EnvVar(name="PYTHONPATH", value=f"{WORK}/scripts"),
                argo.EnvVar(name="HOME", value=TMP),
                # No image knows the user by name, and libraries ask who it is.
                argo.EnvVar(name="USER", value=SETTINGS),
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


def _author(project: Project) -> list[Env]:
    """Who commits in a pod, where nobody has told Git."""
    name = project.forge.bot or SETTINGS
    who = {"NAME": name, "EMAIL": f"{name}@localhost"}
    of = ("AUTHOR", "COMMITTER")
    return [
        Env(name=f"GIT_{role}_{part}", value=value) for role in of for part, value in who.items()
    ]


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


def _pins(artifacts: Sequence[Thing]) -> list[Artifact]:
    """The pins of the datasets among what a step reads, or writes."""
    return [_pin(each.name) for each in sorted(artifacts) if each.kind == "dataset"]


def _tasks(pipeline: Pipeline, workers: int, raw: Mapping[str, str]) -> None:
    """The steps in their order; a search of several pods has a task for these before its own."""
    made = [step for step in pipeline.steps if _pins(step.writes)]
    for step in pipeline.steps:
        depends = " && ".join(_ended(each) for each in pipeline.after(step)) or None
        pins = [_new_pin(each) for each in made if set(each.writes) & set(step.reads)]
        when = _when(step, raw)
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


def _new_pin(made: Step) -> Artifact:
    name = _pin_name(made.subject)
    place = f"{{{{tasks.{made.name}.outputs.artifacts.{name}}}}}"
    return Artifact(name=name, from_=place, optional=True)


def _value(parameter: str) -> str:
    return f"{{{{workflow.parameters.{parameter}}}}}"


def _when(step: Step, raw: Mapping[str, str]) -> str | None:
    """What a run has to ask for to have a step; None for those that each has."""
    if step.verb in SEARCHES:
        return TUNE
    return " || ".join(f"'{_value(raw[name])}' != ''" for name in step.raw) or None


def _ended(step: Step) -> str:
    if not step.raw and step.verb not in SEARCHES:
        return f"{step.name}.Succeeded"
    return f"({step.name}.Succeeded || {step.name}.Skipped)"


def _told(settings: Workflows, repository: str, model: Model) -> Container:
    """What a run came to, as a status of its commit; runs whatever became of the steps."""
    line = ("pipeline", "tell", model.model, "--status", "{{workflow.status}}")
    return Container(
        name=TOLD,
        image=IMAGE,
        args=list(line),
        inputs=[_checkout(settings, repository)],
        env=_forge(),
        active_deadline_seconds=_limit(model.pipeline),
        retry_strategy=_again(),
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
