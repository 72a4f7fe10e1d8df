"""One cluster and one team for all tests of this folder."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from rich.console import Console

from mlops.demo.stage import Stage
from mlops.errors import BadInput, Exit
from tests.e2e.cluster.fleet import Fleet
from tests.e2e.cluster.harness import running
from tests.e2e.cluster.place import Place, proxied
from tests.team import ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story before all else: it promotes what nobody has promoted yet."""
    items.sort(key=lambda item: item.path.name != "test_story.py")


@pytest.fixture(scope="session")
def place(pytestconfig: pytest.Config) -> Iterator[Place]:
    """The cluster; never one that somebody's KUBECONFIG happens to name."""
    if pytestconfig.getoption("-m") != "cluster":
        pytest.skip("runs by scripts/test --cluster")
    with ExitStack() as stack:
        try:
            found = stack.enter_context(running())
        except BadInput as error:
            pytest.exit(f"no cluster: {error}", returncode=Exit.BAD_INPUT)
        yield found


@pytest.fixture(scope="session")
def fleet(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The team: release 1 in all environments, release 2 in dev and staging."""
    folder = tmp_path_factory.mktemp("fleet")
    with (
        proxied(place) as api,
        (folder / "story.log").open("w", buffering=1) as log,
        Stage(ROOT, folder / "demo", Console(file=log, width=120)) as stage,
    ):
        fleet = Fleet(place, api, stage)
        try:
            fleet.start()
            fleet.bootstrap()
            fleet.ingest(1, 2, 3)
            fleet.release(1)
            fleet.promote(1, "staging")
            fleet.promote(1, "prod")
            fleet.ingest(4, 5, 6)
            fleet.release(2)
            fleet.promote(2, "staging")
            yield fleet
        finally:
            fleet.leave()


@pytest.fixture(scope="session")
def promoted(fleet: Fleet) -> Fleet:
    """Release 2 was promoted to prod, too: a revert leads from one release to the other."""
    if fleet.held("prod") == 1 and not fleet.git(
        "log", "--format=%h", "--grep=promote/.*2-to-prod"
    ):
        fleet.promote(2, "prod")
    fleet.wait("prod", fleet.held("prod"))
    return fleet
