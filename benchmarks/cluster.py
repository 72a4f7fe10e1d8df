"""Argo CD and Kubernetes, real ones: how long a revert takes, and what is lost meanwhile.

The cluster, the team and what people do are those of tests/e2e/cluster, which says what it needs.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from benchmarks.table import Figure, quantile
from mlops.demo.load import DEADLINE
from mlops.demo.stage import Stage
from tests.e2e.cluster.canary import canaries, right_on_a_laptop
from tests.e2e.cluster.fleet import ENVIRONMENTS, SERVICE, Fleet
from tests.e2e.cluster.harness import running
from tests.e2e.cluster.place import proxied, until

UNSEEN = 60 + 60 + 15
"""Seconds that a push goes unseen at most without a webhook, as infra/bootstrap has it: the pause
between two questions, twice, since what Git said is kept as long, and their jitter."""
TEMPLATE = Path(__file__).parent.parent


@dataclass(frozen=True)
class Round:
    """One push to prod under load, in seconds since the forge had it, and the tally.

    Attributes:
        seen: until Argo CD had read the commit.
        applied: until the workload named the other image.
        ready: until every pod of the other release was ready.
        last: until the last answer of the release that was replaced.
    """

    seen: float
    applied: float
    ready: float
    last: float
    sent: int
    lost: int


@contextmanager
def team() -> Iterator[tuple[Fleet, float]]:
    """A team with release 1 in prod and release 2 before it; seconds that bootstrap took."""
    with (
        running() as place,
        tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder,
        proxied(place) as api,
        Stage(TEMPLATE, Path(folder) / "demo", Console(quiet=True)) as stage,
    ):
        fleet = Fleet(place, api, stage)
        try:
            fleet.start()
            fleet.ingest(1, 2, 3)
            fleet.release(1)
            fleet.promote(1, "staging")
            fleet.promote(1, "prod")
            started = time.monotonic()
            fleet.bootstrap()
            for environment in ENVIRONMENTS:
                fleet.wait(environment, 1)
            yield fleet, time.monotonic() - started
        finally:
            fleet.leave()


def measure(*, small: bool) -> list[Figure]:
    """What a new environment, a promotion and a revert take, and what is healed."""
    rounds, polls = (2, 1) if small else (10, 5)
    with team() as (fleet, provisioned):
        fleet.ingest(4, 5, 6)
        fleet.release(2)
        fleet.promote(2, "staging")
        aborted = _aborted(fleet)
        branch = f"promote/{SERVICE}-2-to-prod"
        promoted = _reviewed(fleet, 2, branch, "promote", SERVICE, "--to", "prod")
        branch = f"rollback/{SERVICE}-prod-to-1"
        why = ("--env", "prod", "--reason", "Its answers are too high")
        rolled_back = _reviewed(fleet, 1, branch, "rollback", SERVICE, *why)
        fleet.switch()
        fleet.wait("prod", 2)
        measured = [*of_pushes(fleet, rounds, polls), of_images(fleet, polls)]
    return [
        _provisioned(provisioned),
        _of_a_pull_request("promotion", "mlops promote", promoted),
        _of_a_pull_request("rollback", "mlops rollback", rolled_back),
        aborted,
        *measured,
    ]


def of_pushes(fleet: Fleet, rounds: int, polls: int, deadline: float = DEADLINE) -> list[Figure]:
    """Reverts and promotions under load, and what is healed, of a team that serves.

    Args:
        fleet: whose last change of prod can be reverted.
        rounds: reverts by webhook, and promotions, and edits that are healed.
        polls: pushes of which Argo CD is not told, the last that are made.
        deadline: seconds after which an answer counts as lost.
    """
    reverts, promotions = [], []
    for _ in range(rounds):
        reverts.append(_pushed(fleet, deadline))
        promotions.append(_pushed(fleet, deadline))
    healed = [_heal(fleet) for _ in range(rounds)]
    polled = []
    if polls and fleet.place.harness is not None:
        fleet.place.harness.hear_no_pushes(fleet.repository)
        polled = [_pushed(fleet) for _ in range(polls)]
    return [
        *_of_reverts(reverts, promotions, deadline),
        *(_of_polls(polled) if polled else ()),
        Figure(
            what="what somebody changed on the cluster, taken back",
            value=statistics.median(healed),
            unit="s",
            goal=5,
            detail=f"median of {len(healed)} one after another; {_range(healed)}",
        ),
    ]


def _aborted(fleet: Fleet) -> Figure:
    """A canary that answers nonsense, which its own metrics notice."""
    with (
        tempfile.TemporaryDirectory(prefix="mlops-benchmark-") as folder,
        canaries(fleet, Path(folder)),
    ):
        before, bad = fleet.held("prod"), right_on_a_laptop(fleet)
        load = fleet.load("prod", DEADLINE)
        fleet.promote(bad, "prod")
        fleet.told(f"canary of release {bad} aborted", seconds=180)
        fleet.wait("prod", before)
        tally = load.end()
    seen = tally["releases"][str(bad)]
    return Figure(
        what="a canary that answers nonsense, from its first answer to its last",
        value=seen["last"] - seen["first"],
        unit="s",
        goal=60,
        detail=f"once; found by its own metrics; {seen['answers']} of {tally['sent']} answers",
    )


def of_images(fleet: Fleet, count: int) -> Figure:
    """An image each time that a month of data more made another model."""
    built = [_built(fleet, 7 + number) for number in range(count)]
    return Figure(
        what="image made and pushed after a change of the model alone",
        value=statistics.median(built),
        unit="s",
        goal=10,
        detail=f"median of {len(built)}; {_range(built)}; mlops build --image, the bento included",
    )


def _reviewed(fleet: Fleet, release: int, branch: str, *command: str) -> tuple[float, float, float]:
    """Propose a release for prod, check and merge it; seconds of each, until it alone serves."""
    times = [time.monotonic()]
    fleet.mlops(*command)
    times.append(time.monotonic())
    fleet.check(branch)
    times.append(time.monotonic())
    fleet.merge(branch)
    fleet.wait("prod", release)
    times.append(time.monotonic())
    proposed, checked, merged = (after - before for before, after in pairwise(times))
    return proposed, checked, merged


def _pushed(fleet: Fleet, deadline: float = DEADLINE) -> Round:
    """Revert the newest change of prod under load, and wait until the other release serves."""
    before = fleet.held("prod")
    load = fleet.load("prod", deadline)
    after, pushed = fleet.switch()
    name = f"prod-{SERVICE}"
    head = fleet.git("rev-parse", "HEAD")
    until("Argo CD has read it", 180, lambda: fleet.state(name)[1] == head)
    seen = time.time() - pushed
    until("the workload is changed", 180, lambda: fleet.wanted("prod") == fleet.images[after])
    applied = time.time() - pushed
    until("all are ready", 180, lambda: fleet.ready("prod", after))
    ready = time.time() - pushed
    fleet.wait("prod", after)
    load.go_on(1)
    tally = load.end()
    releases = tally["releases"]
    named = (str(before), str(after))
    wrong = sum(each["answers"] for name, each in releases.items() if name not in named)
    last = releases[str(before)]["last"] - pushed
    return Round(seen, applied, ready, last, tally["sent"], tally["lost"] + wrong)


def _heal(fleet: Fleet) -> float:
    """Change the port of the Service, and wait until it is what it was."""
    path = f"/api/v1/namespaces/ml-dev/services/{SERVICE}"
    found = fleet.api.get(path)
    assert found is not None  # noqa: S101 - it serves
    (port,) = found["spec"]["ports"]
    fleet.api.patch(path, {"spec": {"ports": [{**port, "targetPort": 9}]}})

    def healed() -> bool:
        now = fleet.api.get(path) or {}
        return bool(now["spec"]["ports"][0]["targetPort"] == port["targetPort"])

    return until("it is healed", 180, healed)


def _built(fleet: Fleet, month: int) -> float:
    """Pin a month more, train, and make the image; seconds of the last."""
    fleet.ingest(month)
    fleet.mlops("train", SERVICE)
    started = time.monotonic()
    fleet.mlops("build", SERVICE, "--image", fleet.place.registry)
    return time.monotonic() - started


def _provisioned(seconds: float) -> Figure:
    return Figure(
        what="three new environments with a service in each, from the one command on",
        value=seconds,
        unit="s",
        goal=120,
        detail="once; images are pulled, Argo CD runs",
    )


def _of_reverts(
    reverts: Sequence[Round], promotions: Sequence[Round], deadline: float
) -> list[Figure]:
    everything = [*reverts, *promotions]
    last = [one.last for one in reverts]
    stretches = "; ".join(
        f"{name} {statistics.median(getattr(one, name) for one in reverts):.1f}"
        for name in ("seen", "applied", "ready", "last")
    )
    return [
        Figure(
            what="revert pushed to the last answer of the withdrawn model, by webhook",
            value=quantile(last, 0.95),
            unit="s",
            goal=15,
            detail=(
                f"95th percentile of {len(last)}; {_range(last)}; medians of the stretches, all "
                f"from the push on: {stretches}"
            ),
        ),
        Figure(
            what=f"requests lost in {len(promotions)} promotions and {len(reverts)} reverts",
            value=sum(one.lost for one in everything),
            unit=f"of {sum(one.sent for one in everything)}",
            goal=0,
            detail=(
                f"lost, late (over {deadline:g} s) or of a wrong release; "
                "kept and fresh connections"
            ),
        ),
    ]


def _of_a_pull_request(what: str, command: str, seconds: tuple[float, float, float]) -> Figure:
    proposed, checked, merged = seconds
    return Figure(
        what=f"{what} by pull request: proposed, checked, and serving with the last old pod gone",
        value=sum(seconds),
        unit="s",
        goal=120,
        detail=(
            f"once; {command} {proposed:.1f} s, mlops check {checked:.1f} s, "
            f"from the merge on {merged:.1f} s; a person's approval comes on top"
        ),
    )


def _of_polls(polled: Sequence[Round]) -> list[Figure]:
    last = [one.last for one in polled]
    seen = statistics.median(one.seen for one in polled)
    return [
        Figure(
            what="the same without a webhook",
            value=quantile(last, 0.95),
            unit="s",
            goal=UNSEEN + 15,
            detail=f"95th percentile of {len(last)}; {_range(last)}; seen after {seen:.1f} s",
        )
    ]


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"
