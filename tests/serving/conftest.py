"""One toy bento for the tests of this folder that only read it."""

import pytest

from tests.serving.toy import Toy, make_toy
from tests.team import make_team


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Trained and built once."""
    folder = tmp_path_factory.mktemp("toy")
    return make_toy(make_team(folder), folder)
