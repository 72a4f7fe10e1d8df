"""The pods of a pipeline, made with Hera.

Each has the repository at a commit in /work and calls the same `mlops` line as a laptop.
What steps hand on lies in the stores, named by digest; files go through the artifact repository of
Argo Workflows.
"""

from collections.abc import Mapping, Sequence
from posixpath import join, normpath

from hera.workflows import (
    Artifact,
    Container,
    Env,
    GitArtifact,
    NoneArchiveStrategy,
    Parameter,
    RetryStrategy,
    S3Artifact,
    SecretEnv,
    SecretEnvFrom,
)
from hera.workflows import models as argo

from mlops.pipelines.graph import Artifact as Thing
from mlops.pipelines.graph import Step
from mlops.pipelines.names import FORGE_LOGIN, RAW, SETTINGS
from mlops.specs.model import Model
from mlops.specs.model import Pipeline as PipelineSettings
from mlops.specs.project import Project, Workflows

WORK, TMP = "/work", "/tmp"  # noqa: S108 - paths in a pod
IMAGE = "{{workflow.parameters.image}}"
READY, TOLD = "ready", "tell-forge"
SPEAKS = ("propose", "suggest")
"""Steps that open a pull request, and therefore get the forge's token."""
# What a person has to mend (1: not good, 2: wrong files) is not tried again; a lost node, a pod
# that was ended, a store that did not answer (3 and up, or no exit code) is.
AGAIN = "lastRetry.status == 'Error' or not (lastRetry.exitCode in ['1', '2'])"


def container(
    project: Project, repository: str, model: Model, step: Step, raw: Mapping[str, str]
) -> Container:
    """A step of a model."""
    inputs: list[Artifact] = [_checkout(project.workflows, repository)]
    if step.verb == "ingest":
        inputs.append(S3Artifact(name="raw", path=RAW, key=value_of(raw[step.subject])))
    else:
        inputs += pins(step.reads)
    outputs = pins(step.writes)
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


def part(project: Project, repository: str, model: Model, step: Step) -> Container:
    """One of the pods that make a search's tries; the step after them tells what was found."""
    checkout = _checkout(project.workflows, repository)
    return Container(
        name=part_name(step),
        image=IMAGE,
        args=[*step.line, "--share", "{{inputs.parameters.share}}"],
        inputs=[Parameter(name="share"), checkout, *pins(step.reads)],
        env_from=[SecretEnvFrom(name=SETTINGS, optional=True)],
        active_deadline_seconds=_limit(model.pipeline),
        retry_strategy=_again(),
    )


def ready(settings: Workflows, repository: str) -> Container:
    """Prints the models that have data, and says what the others wait for.

    Like a step of a model it has no token of the cluster; what starts the runs has one.
    """
    needs = PipelineSettings()
    shared = alike(needs).container
    return Container(
        name=READY,
        image=IMAGE,
        command=shared.command,
        args=["pipeline", "ready", "--json"],
        working_dir=shared.working_dir,
        env=shared.env,
        resources=shared.resources,
        security_context=shared.security_context,
        volume_mounts=shared.volume_mounts,
        inputs=[_checkout(settings, repository)],
        automount_service_account_token=False,
        service_account_name=settings.service_account,
        executor=argo.ExecutorConfig(service_account_name=settings.service_account),
        active_deadline_seconds=_limit(needs),
        retry_strategy=_again(),
    )


def told(settings: Workflows, repository: str, model: Model) -> Container:
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


def part_name(step: Step) -> str:
    """The name of a search's pods."""
    return f"{step.name}-part"


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


def alike(needs: PipelineSettings) -> argo.Template:
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


def nobody() -> argo.PodSecurityContext:
    """Who pods run as."""
    return argo.PodSecurityContext(
        run_as_non_root=True,
        run_as_user=65532,
        fs_group=65532,
        seccomp_profile=argo.SeccompProfile(type="RuntimeDefault"),
    )


def tmp() -> argo.Volume:
    """The one folder that a pod may write to beside its work tree."""
    return argo.Volume(name="tmp", empty_dir=argo.EmptyDirVolumeSource())


def _pin(dataset: str) -> Artifact:
    """The pin of a version that this run ingested; without one, that of the commit counts."""
    return Artifact(
        name=pin_name(dataset),
        path=f"{WORK}/data-contracts/{dataset}.dvc",
        archive=NoneArchiveStrategy(),
        optional=True,
    )


def pin_name(dataset: str) -> str:
    """The name of an artifact with a dataset's pin."""
    return f"pin-{dataset}"


def pins(artifacts: Sequence[Thing]) -> list[Artifact]:
    """The pins of the datasets among what a step reads, or writes."""
    return [_pin(each.name) for each in sorted(artifacts) if each.kind == "dataset"]


def value_of(parameter: str) -> str:
    """A parameter of the run."""
    return f"{{{{workflow.parameters.{parameter}}}}}"
