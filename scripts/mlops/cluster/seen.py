"""What Argo CD and an environment's cluster say about its services, as their own objects."""

import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mlops.cluster.kubectl import ClusterError, Kubectl, NotThere, Object
from mlops.environments.notifications import notifies
from mlops.errors import bad_input
from mlops.repository import Layout
from mlops.specs.environment import IN_CLUSTER, Environment

ARGO = "/apis/argoproj.io/v1alpha1/namespaces"
AUTOSCALING, AUTOSCALERS = "autoscaling/v2", "horizontalpodautoscalers"
OURS = "app.kubernetes.io/managed-by=mlops"
"""Labels of every workload and pod that is rendered from infra/base."""


@dataclass(frozen=True)
class Seen:
    """The objects of one environment; `blind` says why none of its cluster's were seen."""

    environment: str
    kubectl: str
    """How a person calls kubectl for the objects of Argo CD, with their namespace."""
    pods_kubectl: str
    """The same for the environment's own namespace."""
    applications: tuple[Object, ...] = ()
    application_set: Object | None = None
    project: Object | None = None
    workloads: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    autoscalers: tuple[Object, ...] = ()
    blind: str = ""
    tells_forge: bool = False
    """Whether an aborted canary asks the forge for a rollback."""

    @property
    def path(self) -> str:
        """The folder of the environment's services."""
        return f"environments/{self.environment}/"

    def application(self, service: str) -> Object | None:
        """The Application of a service's folder; None when Argo CD has none."""
        named = (one for one in self.applications if service_of(one, self.path) == service)
        return next(named, None)

    def services(self) -> list[str]:
        """The services that have an Application."""
        named = (service_of(one, self.path) for one in self.applications)
        return sorted({name for name in named if name})

    def workload(self, service: str) -> Object | None:
        """The Deployment or the Rollout of a service."""
        named = (one for one in self.workloads if one["metadata"]["name"] == service)
        return next(named, None)

    def autoscaler(self, service: str) -> Object | None:
        """The HorizontalPodAutoscaler of a service."""
        named = (one for one in self.autoscalers if one["metadata"]["name"] == service)
        return next(named, None)

    def pods_of(self, service: str) -> list[Object]:
        """The pods of a service that are not on their way out."""
        return [
            pod
            for pod in self.pods
            if (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/name") == service
            and not pod["metadata"].get("deletionTimestamp")
        ]


def service_of(application: Object, path: str) -> str:
    """The service whose folder an Application reads; empty when it reads another."""
    source = (application.get("spec") or {}).get("source") or {}
    folder = str(source.get("path", ""))
    name = folder.removeprefix(path)
    return name if folder.startswith(path) and "/" not in name else ""


def cluster_of(argocd: Kubectl, env: Environment) -> Kubectl | None:
    """The environment's own cluster; None when no context of the kubeconfig leads there.

    Raises:
        ClusterError: when the kubeconfig cannot be read.
    """
    cluster = env.place[0]
    if cluster == IN_CLUSTER:
        return argocd
    contexts = argocd.contexts()
    current = argocd.context or argocd.current()
    if contexts.get(current, "").rstrip("/") == cluster:
        return argocd
    if cluster in contexts:
        return Kubectl(cluster)
    servers = (name for name, server in contexts.items() if server.rstrip("/") == cluster)
    return next((Kubectl(name) for name in servers), None)


def look(layout: Layout, environment: str, argocd: Kubectl) -> Seen:
    """Everything `live.rows` needs of one environment.

    Raises:
        ClusterError: when Argo CD's cluster does not answer, or has no Argo CD.
        BadInput: when env.yaml is broken.
    """
    env, namespace = layout.environment(environment), layout.project.argocd.namespace
    argo = f"{ARGO}/{namespace}"
    with ThreadPoolExecutor(4) as pool:
        applications = pool.submit(argocd.listed, f"{argo}/applications")
        sets = pool.submit(argocd.listed, f"{argo}/applicationsets")
        projects = pool.submit(argocd.listed, f"{argo}/appprojects")
        target = cluster_of(argocd, env)
        workloads, pods, autoscalers, blind = _running(pool, target, env)
        try:
            found = applications.result()
        except NotThere as error:
            what = f"has no Argo CD in namespace {namespace} (it knows no Application)"
            raise bad_input(argocd.name, what, "mlops doctor --cluster") from error
        path = f"environments/{environment}/"
        return Seen(
            environment,
            kubectl=call(argocd, namespace),
            pods_kubectl=call(target or argocd, env.namespace),
            applications=tuple(one for one in found if service_of(one, path)),
            application_set=_named(sets.result(), environment),
            project=_named(projects.result(), environment),
            workloads=workloads,
            pods=pods,
            autoscalers=autoscalers,
            blind=blind,
            tells_forge=bool(layout.project.argocd.rollouts) and notifies(layout.project),
        )


def _running(
    pool: ThreadPoolExecutor, target: Kubectl | None, env: Environment
) -> tuple[tuple[Object, ...], tuple[Object, ...], tuple[Object, ...], str]:
    """Workloads, pods, autoscalers, and why there are none."""
    if target is None:
        return (), (), (), f"no context of the kubeconfig leads to {env.cluster}"
    core, name = f"/api/v1/namespaces/{env.namespace}", env.namespace
    asked: list[Callable[[], tuple[Object, ...]]] = [
        lambda: target.listed(f"/apis/apps/v1/namespaces/{name}/deployments", OURS),
        lambda: _if_known(target, f"{ARGO}/{name}/rollouts"),
        lambda: target.listed(f"{core}/pods", OURS),
        lambda: target.listed(f"/apis/{AUTOSCALING}/namespaces/{name}/{AUTOSCALERS}", OURS),
    ]
    futures = [pool.submit(one) for one in asked]
    try:
        deployments, rollouts, pods, autoscalers = (future.result() for future in futures)
    except ClusterError as error:
        return (), (), (), error.problems[0].what
    return (*deployments, *rollouts), pods, autoscalers, ""


def _if_known(kubectl: Kubectl, path: str) -> tuple[Object, ...]:
    """A cluster without Argo Rollouts has no Rollout."""
    try:
        return kubectl.listed(path, OURS)
    except NotThere:
        return ()


def _named(objects: tuple[Object, ...], name: str) -> Object | None:
    return next((one for one in objects if one["metadata"]["name"] == name), None)


def call(kubectl: Kubectl, namespace: str) -> str:
    """How a person calls kubectl for the objects of a namespace."""
    context = f" --context {shlex.quote(kubectl.context)}" if kubectl.context else ""
    return f"kubectl{context} -n {namespace}"
