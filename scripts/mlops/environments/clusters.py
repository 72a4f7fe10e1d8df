"""The rendered files of a whole environment: what Argo CD reads of it, and what its cluster gets.

infra/argocd/, infra/clusters/<env>/ and a part of infra/bootstrap/ are a pure function of env.yaml,
mlops.toml, infra/policies and infra/platform. Where mlops.toml does not say which repository Argo
CD reads, there are none of them.
"""

from collections.abc import Collection
from typing import Any

from mlops import manifest_text
from mlops.environments import argocd, notifications, platform
from mlops.errors import BadInput, Problem, bad_input
from mlops.files import load_yaml
from mlops.manifest_text import text_of
from mlops.repository import PROJECT_FILE, Layout, folder_of
from mlops.specs.environment import Environment

ARGOCD, CLUSTERS, BOOTSTRAP = "infra/argocd", "infra/clusters", "infra/bootstrap"
POLICIES = "infra/policies"
POLICY = "ValidatingAdmissionPolicy"
ROOT, START = f"{BOOTSTRAP}/root.yaml", f"{BOOTSTRAP}/kustomization.yaml"
NOTES = f"{BOOTSTRAP}/notifications.yaml"
STARTED = frozenset({ROOT, START, NOTES})
"""What is rendered in infra/bootstrap; the rest there is written by hand."""
CODE = ("argocd.py", "clusters.py", "notifications.py", "platform.py")
LABEL = "mlops/environment"
"""On the namespace of an environment: its name."""


def is_rendered(path: str) -> bool:
    """Whether a file is one that is rendered for a whole environment, or stands where these do."""
    folders = (f"{ARGOCD}/", f"{CLUSTERS}/")
    return path in STARTED or (path.startswith(folders) and path.endswith((".yaml", ".yml")))


def concerns(path: str) -> bool:
    """Whether the rendered files of environments are made of a file, or are it."""
    own = path.removeprefix("scripts/mlops/environments/")
    return (
        is_rendered(path)
        or path in {PROJECT_FILE, manifest_text.PATH}
        or platform.concerns(path)
        or (own != path and own in CODE)
        or (path.startswith(f"{POLICIES}/") and path.endswith(".yaml"))
    )


def expected(layout: Layout, environments: Collection[str] | None = None) -> dict[str, str]:
    """The text of each rendered file, by path.

    Args:
        environments: only these beside infra/bootstrap; None means all.

    Raises:
        BadInput: when an env.yaml or a policy cannot be read, or two environments have one
            namespace of one cluster.
    """
    repository, chosen = layout.project.watched, layout.order
    if repository is None:
        return {}
    if problems := _unreadable(layout) or shared(layout):
        raise BadInput(problems)
    found = {**_bootstrap(layout, repository), **_platform(layout, repository)}
    read = policies(layout)
    for name in (name for name in chosen if environments is None or name in environments):
        env = layout.environment(name)
        source = f"environments/{name}/env.yaml and {PROJECT_FILE}"
        own = argocd.of_environment(layout.project, repository, env)
        found[f"{ARGOCD}/{name}.yaml"] = text_of(own, source)
        folder = f"{CLUSTERS}/{name}"
        found[f"{folder}/namespace.yaml"] = text_of(_namespace(env), source)
        found[f"{folder}/policies.yaml"] = text_of(
            [each for policy in read.values() for each in _bound(policy, env)],
            f"environments/{name}/env.yaml and {POLICIES}",
        )
        if notes := _abort_notes(layout, env):
            found[f"{folder}/rollouts.yaml"] = text_of(
                [notes], f"{PROJECT_FILE} and the env.yaml of this cluster"
            )
    return found


def _abort_notes(layout: Layout, env: Environment) -> argocd.Document | None:
    """What Argo Rollouts tells the forge: once a cluster, in the folder of its first canaries."""
    namespace = layout.project.argocd.rollouts
    if namespace is None or not notifications.notifies(layout.project):
        return None
    every = (layout.environment(name) for name in layout.order)
    here = [each for each in every if each.prometheus and each.place[0] == env.place[0]]
    if not here or here[0].name != env.name:
        return None
    names = {each.namespace: each.name for each in here}
    return notifications.rollout_notifications(layout.project, namespace, names)


def stale(layout: Layout, environments: Collection[str] | None = None) -> dict[str, str | None]:
    """The rendered files that are not current, with what they have to hold (None: removed).

    Args:
        environments: only these, infra/bootstrap and what belongs to none; None means all.

    Raises:
        BadInput: like `expected`.
    """
    wanted = expected(layout, environments)
    there = [path for top in (ARGOCD, CLUSTERS, BOOTSTRAP) for path in layout.tree.files(top)]
    left = {path for path in there if is_rendered(path) and path not in wanted}
    if environments is not None and layout.project.watched is not None:
        left = {path for path in left if _environment(path) not in layout.order}
    given = layout.tree.read_many(wanted)
    found: dict[str, str | None] = {
        path: text for path, text in wanted.items() if given.get(path) != text.encode()
    }
    return {**found, **dict.fromkeys(sorted(left))}


def stale_problem(layout: Layout, path: str, text: str | None) -> Problem:
    """What is wrong with a rendered file that is not current; `text` is what it has to hold."""
    fix = "run `mlops render` and commit the result, never edit it by hand"
    if text is not None:
        return Problem(path, f"is not what env.yaml, {PROJECT_FILE} and {POLICIES} render to", fix)
    if layout.project.watched is None:
        what = f"is there, but {PROJECT_FILE} does not say which repository Argo CD reads"
        fix = "write `repository` below [argocd], or run `mlops render`, which removes the file"
        return Problem(path, what, fix)
    return Problem(path, "belongs to no environment", "run `mlops render` and commit the result")


def shared(layout: Layout) -> list[Problem]:
    """What two environments would both have: a namespace of a cluster, an Application's name.

    Raises:
        BadInput: when an env.yaml cannot be read.
    """
    return [*_taken(layout), *_shared_namespaces(layout), *_shared_names(layout)]


def _unreadable(layout: Layout) -> list[Problem]:
    problems: list[Problem] = []
    for name in layout.order:
        try:
            layout.environment(name)
        except BadInput as error:
            problems += error.problems
    return problems


def _taken(layout: Layout) -> list[Problem]:
    """Argo CD's own AppProject, and that of this repository, are no environment's."""
    return [
        Problem(
            f"environments/{name}/env.yaml",
            f"`name` {name} is that of another AppProject of Argo CD",
            "give the environment another name",
        )
        for name in layout.order
        if name in ("default", argocd.PROJECT, platform.PROJECT)
    ]


def _shared_names(layout: Layout) -> list[Problem]:
    """`a-b` and `c` give the name that `a` and `b-c` give, and `cluster` is not a service's."""
    taken = {f"{name}-cluster": f"the cluster of {name}" for name in layout.order}
    for part in platform.chosen(layout):
        names = (part.application, f"{part.application}-objects")
        taken.update(dict.fromkeys(names, f"{part.name} of the platform"))
    problems = []
    for name in layout.order:
        for service in layout.served_in(name):
            other = taken.setdefault(f"{name}-{service}", f"{service} in {name}")
            if other != f"{service} in {name}":
                what = f"its Application would be {name}-{service}, as is that of {other}"
                fix = "give the service another name"
                problems.append(Problem(folder_of(name, service), what, fix))
    return problems


def _shared_namespaces(layout: Layout) -> list[Problem]:
    taken: dict[tuple[str, str], str] = {}
    problems = []
    for name in layout.order:
        env = layout.environment(name)
        other = taken.setdefault(env.place, name)
        if other != name:
            what = f"`namespace` {env.namespace} of {env.cluster} is that of {other} already"
            fix = "give each environment a namespace of its own, or another cluster"
            problems.append(Problem(f"environments/{name}/env.yaml", what, fix))
    return problems


def policies(layout: Layout) -> dict[str, dict[str, Any]]:
    """The admission policies of infra/policies, by path.

    Raises:
        BadInput: when a file is not one ValidatingAdmissionPolicy.
    """
    paths = [path for path in layout.tree.files(POLICIES) if path.endswith(".yaml")]
    texts = layout.tree.read_many(sorted(paths))
    return {path: _policy(path, texts[path]) for path in sorted(paths)}


def _policy(path: str, text: bytes) -> dict[str, Any]:
    found = load_yaml(text, path)
    match found:
        case {"kind": kind, "metadata": {"name": str()}, "spec": {"matchConstraints": {}}}:
            if kind == POLICY:
                policy: dict[str, Any] = found
                return policy
    raise bad_input(
        path,
        f"is not one {POLICY} with a name and `matchConstraints`",
        "write one policy a file, `mlops render` adds where it holds",
    )


def _bound(policy: dict[str, Any], env: Environment) -> list[argocd.Document]:
    """A policy for the namespace of one environment alone, and its binding.

    Their names are those of the namespace: environments may share a cluster, never a namespace.
    """
    name = f"{env.namespace}-{policy['metadata']['name']}"
    selector = {"matchLabels": {"kubernetes.io/metadata.name": env.namespace}}
    constraints = {**policy["spec"]["matchConstraints"], "namespaceSelector": selector}
    head = {"apiVersion": policy["apiVersion"]}
    metadata = {**policy["metadata"], "name": name, "labels": {LABEL: env.name}}
    return [
        {
            **head,
            "kind": POLICY,
            "metadata": metadata,
            "spec": {**policy["spec"], "matchConstraints": constraints},
        },
        {
            **head,
            "kind": f"{POLICY}Binding",
            "metadata": {"name": name, "labels": {LABEL: env.name}},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    ]


def _namespace(env: Environment) -> list[argocd.Document]:
    """The namespace, in which pods run without privileges and talk to nobody unasked."""
    levels = ("enforce", "warn", "audit")
    kept = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": env.namespace,
                "annotations": kept,
                "labels": {
                    LABEL: env.name,
                    **{f"pod-security.kubernetes.io/{level}": "restricted" for level in levels},
                },
            },
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "default-deny", "namespace": env.namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
    ]


def _bootstrap(layout: Layout, repository: str) -> dict[str, str]:
    project = layout.project
    found = {ROOT: text_of(argocd.root(project, repository), PROJECT_FILE)}
    notes = notifications.notifications(project)
    if notes:
        found[NOTES] = text_of([notes], PROJECT_FILE)
    names = {path.rpartition("/")[2] for path in layout.tree.files(BOOTSTRAP)}
    by_hand = {name for name in names if f"{BOOTSTRAP}/{name}" not in STARTED}
    drawn = {path.rpartition("/")[2] for path in found}
    start = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": project.argocd.namespace,
        "resources": sorted(name for name in by_hand | drawn if name.endswith(".yaml")),
    }
    return {**found, START: text_of([start], f"{PROJECT_FILE} and the files beside it")}


def _platform(layout: Layout, repository: str) -> dict[str, str]:
    parts = platform.chosen(layout)
    if not parts:
        return {}
    text = text_of(
        argocd.platform(layout.project, repository, parts), f"{PROJECT_FILE} and {platform.FOLDER}"
    )
    return {f"{ARGOCD}/{platform.PROJECT}.yaml": text}


def _environment(path: str) -> str:
    """The environment that a file of infra/argocd or infra/clusters is of, by its name."""
    return path.split("/")[2].removesuffix(".yaml").removesuffix(".yml")
