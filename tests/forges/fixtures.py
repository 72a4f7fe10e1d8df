"""Teams on forges with servers: a described GitHub and a real Gitea."""

import threading
from collections.abc import Iterator

import pytest

from tests.forges.described import description
from tests.forges.gitea_stage import GiteaStage, add_repository
from tests.forges.github_stage import GitHubStage
from tests.forges.hub import Hub
from tests.forges.hub_answers import ANSWERS
from tests.forges.hub_server import Server
from tests.forges.stage import Settings, Stage, settle
from tests.gitea import NEEDED, Gitea, running
from tests.team import Team


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    """A real server for the whole run."""
    with running(tmp_path_factory.mktemp("gitea") / "forge") as server:
        yield server


@pytest.fixture
def github_stage(team: Team) -> Iterator[GitHubStage]:
    """A team on a small GitHub, which fails the test when something is not as described."""
    hub = Hub(description(), team.forge, "team/toy", ANSWERS)
    with Server(hub) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        settle(team, Settings("github", server.url, "team/toy"))
        team.commit("The project is on GitHub")
        yield GitHubStage(team, server)
        server.shutdown()
        thread.join()
    assert hub.wrong == []


@pytest.fixture
def gitea_stage(team: Team, gitea: Gitea) -> GiteaStage:
    """A team on a real Gitea, in a repository of its own."""
    return add_repository(team, gitea)


@pytest.fixture(params=["github", pytest.param("gitea", marks=NEEDED)])
def stage(request: pytest.FixtureRequest) -> Stage:
    """A team on each of the forges."""
    found: Stage = request.getfixturevalue(f"{request.param}_stage")
    return found
