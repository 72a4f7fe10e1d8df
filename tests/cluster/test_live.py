"""What a cluster's objects say becomes one line: what is wrong, and the next step."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops.cluster.live import LiveRow, Reading, reading_of, rows
from mlops.cluster.seen import Seen
from mlops.files import write_whole
from mlops.repository import Layout
from mlops.tree import WorkTree
from tests.cluster import objects as made
from tests.releases import files_of, make_release
from tests.strict_schemas import problems
from tests.team import PROJECT, Team

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
ROLLBACK = "mlops rollback toy --env prod --reason TEXT"
OLD = made.pod(1, name="toy-1")
DEGRADED: dict[str, Any] = {"health": "Degraded"}
BAD: dict[str, Any] = {"sync": "OutOfSync", "health": "Progressing"}


def current(path: str, commit: str) -> str:
    assert path == "environments/prod/toy/manifests.yaml"
    assert commit == made.COMMIT
    return "current"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Files that say release 2 for prod."""
    root = tmp_path_factory.mktemp("released") / "project"
    shutil.copytree(PROJECT, root)
    for path, content in files_of(make_release(2, image=True), "prod").items():
        write_whole(root / path, content)
    return Layout(WorkTree(root))


def row_of(layout: Layout, seen: Seen, reading: Reading = current) -> LiveRow:
    [row] = rows(layout, seen, reading, NOW)
    return row


def test_a_service_that_is_as_git_says_has_no_remark(released: Layout) -> None:
    row = row_of(released, made.seen(made.application(), made.deployment(), made.pod(2)))
    assert (row.desired, row.serving, row.health, row.sync) == (2, 2, "Healthy", "Synced")
    assert row.since == "2026-11-23T20:00:00Z"
    assert row.is_good
    assert row.remarks() == []


CASES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "the image does not exist": (
        [
            made.application(health="Progressing"),
            made.pod(2, ready=False, waiting=("ImagePullBackOff", made.NO_IMAGE)),
            OLD,
        ],
        (
            "the image of release 2 does not exist (ImagePullBackOff); release 1 goes on serving; "
            f"next: {ROLLBACK}"
        ),
    ),
    "the registry is down": (
        [
            made.application(health="Progressing"),
            made.pod(
                2, ready=False, waiting=("ErrImagePull", "dial tcp 10.0.0.1:443: connect: refused")
            ),
        ],
        (
            "the image of release 2 cannot be pulled (ErrImagePull); nothing serves; next: kubectl -n "
            f"toys-prod describe pod toy-6b7f-x2x4p, or {ROLLBACK}"
        ),
    ),
    "the registry asks for a login": (
        [
            made.application(health="Progressing"),
            made.pod(2, ready=False, waiting=("ErrImagePull", "401 Unauthorized")),
            OLD,
        ],
        (
            "the registry refuses the image of release 2 (ErrImagePull); release 1 goes on serving; "
            "next: give the nodes or the namespace a login for the registry"
        ),
    ),
    "the container ends after its start": (
        [
            made.application(**DEGRADED),
            OLD,
            made.pod(
                2,
                ready=False,
                waiting=("CrashLoopBackOff", "back-off 5m0s restarting failed container"),
                ended=("Error", 1),
                restarts=3,
            ),
        ],
        "release 2 ends after its start (exit code 1, restarted 3 times); release 1 goes on "
        "serving; next: kubectl -n toys-prod logs toy-6b7f-x2x4p --previous, or " + ROLLBACK,
    ),
    "the container needs more memory": (
        [
            made.application(**DEGRADED),
            made.pod(2, ready=False, ended=("OOMKilled", 137), restarts=1),
        ],
        (
            "release 2 is out of memory (restarted once); nothing serves; next: raise memory_limit in "
            f"settings.yaml, or {ROLLBACK}"
        ),
    ),
    "the pod never gets ready": (
        [made.application(**DEGRADED), OLD, made.pod(2, ready=False)],
        (
            "release 2: its pod never got ready; release 1 goes on serving; next: kubectl -n "
            f"toys-prod logs toy-6b7f-x2x4p, or {ROLLBACK}"
        ),
    ),
    "no node takes the pod": (
        [
            made.application(health="Progressing"),
            OLD,
            made.pod(2, ready=False, unschedulable="0/3 nodes are available: Insufficient cpu."),
        ],
        (
            "no node takes a pod of release 2 (0/3 nodes are available: Insufficient cpu.); release 1 "
            "goes on serving; next: free or add nodes, or ask for less in settings.yaml"
        ),
    ),
    "the node has no room any more": (
        [made.application(**DEGRADED), OLD, made.evicted(2)],
        (
            "release 2: its pod was put off its node (Evicted: The node was low on resource: "
            "ephemeral-storage.); release 1 goes on serving; next: kubectl -n toys-prod describe node "
            "node-a, or free the disk or memory of the node, or add nodes"
        ),
    ),
    "the node has no room, and no other has": (
        [
            made.application(**DEGRADED),
            OLD,
            made.evicted(2),
            made.pod(2, ready=False, unschedulable="0/1 nodes are available."),
        ],
        (
            "no node takes a pod of release 2 (0/1 nodes are available.); release 1 goes on serving; "
            "next: free or add nodes, or ask for less in settings.yaml"
        ),
    ),
    "the pods are refused by a quota": (
        [
            made.application(health="Progressing"),
            OLD,
            made.deployment(
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "reason": "FailedCreate",
                    "message": 'pods "toy-1" is forbidden: exceeded quota: toys',
                }
            ),
        ],
        (
            'its pods are refused (pods "toy-1" is forbidden: exceeded quota: toys); release 1 goes '
            f"on serving; next: {ROLLBACK}"
        ),
    ),
    "a pod is starting": (
        [made.application(health="Progressing"), OLD, made.pod(2, ready=False)],
        (
            "release 2 is coming up; release 1 goes on serving; next: mlops status --env prod "
            "--wait 600"
        ),
    ),
    "the cluster measures no pods": (
        [
            made.application(),
            made.pod(2),
            made.autoscaler(
                "FailedGetResourceMetric",
                "the HPA was unable to compute the replica count: the server could not find the "
                "requested resource (get pods.metrics.k8s.io)",
            ),
        ],
        (
            "its autoscaler does not work, the pods that there are serve (the HPA was unable to "
            "compute the replica count: the server could not find the requested resource (get "
            "pods.metrics.k8s.io)); next: see that metrics-server runs in the cluster; kubectl -n "
            "toys-prod describe hpa toy"
        ),
    ),
    "a pod never got ready, says the Deployment": (
        [
            made.application(**DEGRADED),
            made.deployment({"type": "Progressing", "status": "False"}),
            OLD,
            made.pod(2, ready=False),
        ],
        (
            "release 2: its pod never got ready; release 1 goes on serving; next: kubectl -n "
            f"toys-prod logs toy-6b7f-x2x4p, or {ROLLBACK}"
        ),
    ),
    "the canary aborted": (
        [
            made.application(**DEGRADED),
            OLD,
            made.rollout(
                abort=True,
                phase="Degraded",
                message='RolloutAborted: Rollout aborted update to revision 2: Metric "error-rate" '
                "assessed Failed due to failed (1) > failureLimit (0)",
            ),
        ],
        (
            "canary of release 2 aborted (RolloutAborted: Rollout aborted update to revision 2: "
            'Metric "error-rate" assessed Failed due to failed (1) > failureLimit (0)); release 1 '
            f"goes on serving; next: {ROLLBACK}"
        ),
    ),
    "the canary aborted, and the old release has fewer pods yet": (
        [
            made.application(**DEGRADED),
            OLD,
            made.pod(1, name="toy-2", ready=False),
            made.rollout(
                abort=True,
                phase="Degraded",
                message="RolloutAborted: Rollout aborted update to revision 2",
                conditions=[{"type": "Progressing", "status": "False"}],
            ),
        ],
        (
            "canary of release 2 aborted (RolloutAborted: Rollout aborted update to revision 2); "
            f"release 1 goes on serving; next: {ROLLBACK}"
        ),
    ),
    "the canary's metrics decide nothing": (
        [
            made.application(health="Suspended"),
            OLD,
            made.rollout(
                phase="Paused",
                message="InconclusiveAnalysisRun",
                pauseConditions=[{"reason": "InconclusiveAnalysisRun"}],
            ),
        ],
        (
            "canary of release 2 waits: its metrics decide nothing; release 1 goes on serving; next: "
            f"look at them, then kubectl argo rollouts promote toy -n toys-prod, or {ROLLBACK}"
        ),
    ),
    "the canary waits at a step": (
        [
            made.application(health="Suspended"),
            OLD,
            made.rollout(
                phase="Paused",
                message="CanaryPauseStep",
                pauseConditions=[{"reason": "CanaryPauseStep"}],
            ),
        ],
        (
            "release 2 is coming up (CanaryPauseStep); release 1 goes on serving; next: mlops status "
            "--env prod --wait 600"
        ),
    ),
    "the project forbids the kind": (
        [
            made.application(
                **BAD,
                operation=made.failed(
                    "resource :Secret is not permitted in project prod", kind="Secret", name="x"
                ),
            ),
            OLD,
        ],
        (
            "Secret/x refused: its project allows no Secret; release 1 goes on serving; next: take it "
            "out of Git again (git revert)"
        ),
    ),
    "the project does not reach the namespace": (
        [
            made.application(
                **BAD,
                operation=made.failed("namespace kube-system is not permitted in project 'prod'"),
            ),
            OLD,
        ],
        (
            "Deployment/toy refused: its project does not reach namespace kube-system; release 1 goes "
            "on serving; next: take it out of Git again (git revert)"
        ),
    ),
    "the policy refuses it": (
        [
            made.application(
                **BAD,
                operation=made.failed(
                    'deployments.apps "toy" is forbidden: ValidatingAdmissionPolicy '
                    "'releases-prod' with binding 'releases-prod' denied request: an image is not "
                    "named by its digest; release it, so that its digest is known"
                ),
            ),
            OLD,
        ],
        (
            "Deployment/toy refused by policy: an image is not named by its digest; release 1 goes on "
            "serving; next: release it, so that its digest is known"
        ),
    ),
    "the kind is not installed": (
        [
            made.application(
                **BAD,
                operation=made.failed(
                    "The Kubernetes API could not find monitoring.coreos.com/ServiceMonitor for "
                    "requested resource toys-prod/toy. Make sure the "
                    '"ServiceMonitor" CRD is installed on the destination cluster.',
                    kind="ServiceMonitor",
                ),
            ),
            made.pod(2),
        ],
        (
            "ServiceMonitor/toy refused: the cluster does not know the kind (The Kubernetes API could "
            "not find monitoring.coreos.com/ServiceMonitor for requested resource toys-prod/toy. Make "
            'sure the "ServiceMonitor" CRD is installed on the destination cluster.); next: mlops '
            "doctor --cluster"
        ),
    ),
    "the folder is broken": (
        [
            made.application(
                sync="Unknown",
                conditions=(
                    (
                        "ComparisonError",
                        (
                            "Failed to load target state: failed to generate manifest for source 1 of "
                            '1: rpc error: code = Unknown desc = Failed to unmarshal "manifests.yaml"'
                        ),
                    ),
                ),
            ),
            OLD,
        ],
        (
            "Argo CD cannot use environments/prod/toy (Failed to load target state: failed to "
            "generate manifest for source 1 of 1: rpc error: code = Unknown desc = Failed to "
            'unmarshal "manifests.yaml"); release 1 goes on serving; next: mlops render --check, then '
            "correct it or git revert"
        ),
    ),
    "the deploy key is wrong": (
        [
            made.application(
                sync="Unknown",
                conditions=(
                    (
                        "ComparisonError",
                        "failed to list refs: authentication required: Repository not found.",
                    ),
                ),
            ),
            OLD,
        ],
        (
            "Argo CD cannot read the repository (failed to list refs: authentication required: "
            "Repository not found.); release 1 goes on serving; next: check that the forge is "
            "up; mlops doctor --cluster looks for the deploy key"
        ),
    ),
    "the environment's cluster is gone": (
        [
            made.application(
                sync="Unknown",
                health="Unknown",
                conditions=(
                    (
                        "ComparisonError",
                        (
                            'Failed to load live state: failed to get cluster info for "https://prod-'
                            'cluster.example.com": dial tcp 10.0.0.1:443: connect: connection refused'
                        ),
                    ),
                ),
            ),
        ],
        (
            "Argo CD does not reach the cluster https://prod-cluster.example.com (Failed to load "
            'live state: failed to get cluster info for "https://prod-cluster.example.com": dial '
            "tcp 10.0.0.1:443: connect: connection refused); nothing serves; next: check that "
            "cluster, and Argo CD's login to it"
        ),
    ),
    "somebody paused it": (
        [made.application(sync="OutOfSync", automated=None), OLD],
        (
            "paused by hand (break-glass): Argo CD leaves it as it is; next: bring the mending into "
            "Git, then kubectl -n argocd patch application prod-toy --type merge -p "
            '\'{"spec":{"syncPolicy":{"automated":{"prune":true,"selfHeal":true,"enabled":null}}}}\''
        ),
    ),
    "somebody changed the live object": (
        [made.application(sync="OutOfSync"), made.pod(2)],
        (
            "differs from Git (Deployment/toy); next: wait some seconds for self-heal; if it stays, "
            "kubectl -n argocd describe application prod-toy"
        ),
    ),
    "its workload is gone from Git": (
        [
            made.application(
                sync="OutOfSync",
                operation={
                    "phase": "Running",
                    "message": "waiting for pruning confirmation of apps/Deployment/toy",
                },
            ),
            made.pod(2),
        ],
        (
            "its workload is gone from Git: waiting for pruning confirmation of apps/Deployment/toy; "
            "next: bring environments/prod/toy back by a revert, or confirm: kubectl -n argocd "
            "annotate application prod-toy --overwrite "
            "argocd.argoproj.io/deletion-approved=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_line_names_the_cause_and_the_next_step(case: str, released: Layout) -> None:
    found, line = CASES[case]
    assert row_of(released, made.seen(*found)).remarks() == [f"prod/toy: {line}"]


@pytest.mark.parametrize("case", CASES)
def test_the_applications_are_as_argo_cds_schema_has_them(case: str) -> None:
    applications = [one for one in CASES[case][0] if one["kind"] == "Application"]
    assert [problems(one) for one in applications] == [[]]


def test_what_stays_of_a_pod_that_was_replaced_is_no_remark(released: Layout) -> None:
    row = row_of(released, made.seen(made.application(), made.evicted(2), made.pod(2, name="b")))
    assert (row.serving, row.remarks()) == (2, [])


def test_objects_that_nobody_has_looked_at_yet_have_no_status(released: Layout) -> None:
    found = [made.application(), made.deployment(), made.rollout(), made.pod(2)]
    row = row_of(released, made.seen(*({**one, "status": {}} for one in found)))
    assert (row.health, row.sync, row.serving, row.since) == ("Unknown", "Unknown", None, None)
    assert row.message == "differs from Git (Argo CD has not compared it yet)"


def test_an_abort_that_the_forge_hears_of_has_a_pull_request_to_merge(released: Layout) -> None:
    found = made.seen(made.application(**DEGRADED), OLD, made.rollout(abort=True))
    row = row_of(released, replace(found, tells_forge=True))
    assert row.next == f"merge the rollback pull request it opened, or {ROLLBACK}"


def test_a_paused_one_tells_what_is_wrong_first(released: Layout) -> None:
    crash = made.pod(2, ready=False, waiting=("ImagePullBackOff", made.NO_IMAGE))
    paused = made.application(health="Progressing", automated={"enabled": False})
    row = row_of(released, made.seen(paused, crash, OLD))
    assert row.paused
    first, second = row.remarks()
    assert first.startswith("prod/toy: the image of release 2 does not exist")
    assert second.startswith("prod/toy: paused by hand")


GONE = "2026-11-23T20:00:00Z"


@pytest.mark.parametrize(
    ("approved", "said"),
    [
        (None, "its folder is gone from Git and its removal waits for a confirmation; next: "),
        ("2026-11-22T20:00:00Z", "its folder is gone from Git and its removal waits for a conf"),
        ("2026-11-23T20:00:01Z", "its folder is gone from Git and it is being removed; next: wa"),
    ],
)
def test_a_removal_waits_for_a_confirmation_of_its_own(
    approved: str | None, said: str, tmp_path: Path
) -> None:
    shutil.copy(PROJECT / "mlops.toml", tmp_path)
    found = made.application(deleted=GONE, approved=approved)
    [row] = rows(Layout(WorkTree(tmp_path)), made.seen(found, OLD), current, NOW)
    assert (row.desired, row.serving) == (None, 1)
    assert row.remarks()[0].startswith(f"prod/toy: {said}")


@pytest.mark.parametrize(
    ("schedule", "hours", "until"),
    [("0 20 * * 1", "2h", "2026-11-23 22:00"), ("30 21 * * *", "23h45m", "2026-11-23 21:15")],
)
def test_a_sync_window_is_named_with_its_end(
    schedule: str, hours: str, until: str, released: Layout
) -> None:
    window = {"kind": "deny", "schedule": schedule, "duration": hours, "timeZone": "UTC"}
    project = {"metadata": {"name": "prod"}, "spec": {"syncWindows": [window]}}
    found = made.seen(made.application(sync="OutOfSync"), OLD, project=project)
    assert row_of(released, found).remarks() == [
        (
            f"prod/toy: a sync window holds the change until {until} UTC; release 1 goes on serving; "
            "next: wait, or sync by hand: kubectl -n argocd patch application prod-toy --type merge "
            '-p \'{"operation":{"sync":{"prune":true}}}\''
        )
    ]


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ("behind", "Argo CD has read commit cccccccccccc, Git has a newer one of this folder"),
        ("unfetched", "Argo CD and this clone know different commits; next: git fetch, and look "),
    ],
)
def test_a_commit_that_argo_cd_has_not_read_is_not_in_sync(
    reading: str, said: str, released: Layout
) -> None:
    row = row_of(released, made.seen(made.application(), OLD), lambda *_: reading)
    assert row.sync == "OutOfSync"
    assert row.remarks()[0].startswith(f"prod/toy: {said}")


def test_a_commit_is_behind_only_where_its_folder_differs(team: Team) -> None:
    path = "environments/prod/toy/manifests.yaml"
    first = team.git("rev-parse", "HEAD")
    team.write("README.md", "Other words.\n")
    second = team.commit("Elsewhere")
    reading = reading_of(team.repo.git, "origin/main")
    assert [reading(path, commit) for commit in (first, second)] == ["current", "current"]
    team.write(path, "# other\n")
    third = team.commit("Render")
    reading = reading_of(team.repo.git, "origin/main")
    assert [reading(path, commit) for commit in (first, third)] == ["behind", "current"]
    assert reading_of(team.repo.git, second)(path, third) == "unfetched"
    assert reading(path, "d" * 40) == "unfetched"


def test_pods_that_cannot_be_seen_are_taken_from_argo_cds_word(released: Layout) -> None:
    row = row_of(released, made.seen(made.application(), blind="no context leads there"))
    assert (row.serving, row.is_good) == (2, True)
    assert row.remarks() == ["prod/toy: its pods were not looked at: no context leads there"]


def test_pods_on_their_way_out_do_not_count(released: Layout) -> None:
    found = made.seen(made.application(), made.pod(1, leaving=True), made.pod(2))
    assert row_of(released, found).serving == 2


def test_what_argo_cd_does_not_know_says_why(released: Layout) -> None:
    row = row_of(released, made.seen())
    assert (row.health, row.sync) == ("Missing", "OutOfSync")
    assert row.remarks() == [
        "prod/toy: Argo CD has no ApplicationSet prod; next: mlops doctor --cluster"
    ]
    broken = {"type": "ErrorOccurred", "status": "True", "message": "cannot read\nGit"}
    row = row_of(released, made.seen(application_set={"status": {"conditions": [broken]}}))
    assert row.message == "Argo CD has no Application for it (cannot read Git)"


def test_a_release_without_an_image_is_not_for_clusters(tmp_path: Path) -> None:
    shutil.copytree(PROJECT, tmp_path / "project")
    for path, content in files_of(make_release(3), "prod").items():
        write_whole(tmp_path / "project" / path, content)
    row = row_of(Layout(WorkTree(tmp_path / "project")), made.seen())
    assert row.message == "release 3 has no image, so a cluster runs nothing of it"
    assert row.next == "mlops build toy --image REGISTRY, then release it"


def test_an_environment_without_a_release_is_good(tmp_path: Path) -> None:
    shutil.copytree(PROJECT, tmp_path / "project")
    write_whole(tmp_path / "project/environments/prod/toy/settings.yaml", "service: toy\n")
    for path, content in files_of(make_release(3), "staging").items():
        write_whole(tmp_path / "project" / path, content)
    row = row_of(Layout(WorkTree(tmp_path / "project")), made.seen())
    assert row.is_good
    assert row.remarks() == ["prod/toy: no release yet; next: mlops promote toy --to prod"]


def test_a_folder_that_lost_its_release_and_stayed_takes_nothing_away(tmp_path: Path) -> None:
    """As after a revert of the first promotion, which leaves settings.yaml."""
    shutil.copytree(PROJECT, tmp_path / "project")
    write_whole(tmp_path / "project/environments/prod/toy/settings.yaml", "service: toy\n")
    said = f"Skipping sync attempt to {made.COMMIT}: auto-sync will wipe out all resources"
    found = made.application(sync="OutOfSync", conditions=(("SyncError", said),))
    row = row_of(Layout(WorkTree(tmp_path / "project")), made.seen(found, OLD))
    assert not row.is_good
    assert row.remarks() == [
        (
            "prod/toy: its release is gone from Git, its folder is not, so nothing is taken away; "
            "release 1 goes on serving; next: bring the release back by a revert, or remove "
            "environments/prod/toy by a pull request"
        )
    ]


def test_words_of_the_cluster_cannot_write_on_the_terminal(released: Layout) -> None:
    said = "\x1b[2Jbad\nenvironments/prod/other: fine"
    found = made.application(sync="Unknown", conditions=(("ComparisonError", said),))
    [line] = row_of(released, made.seen(found, OLD)).remarks()
    assert "\x1b" not in line
