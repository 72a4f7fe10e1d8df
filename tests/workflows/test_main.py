"""main.yaml, run for real as far as it goes without a forge."""

import pytest

from tests.team import Team
from tests.workflows.harness import add_template, run, with_dead_ends

pytestmark = pytest.mark.slow


def test_without_stores_the_first_push_ends_neutral_and_names_init(team: Team) -> None:
    add_template(team)
    team.commit("Start with the template")
    team.write("models/toy-line/features.py", "# changed\n")
    team.commit("Change the model")
    ran = run(team, "push", "main.yaml", runner=with_dead_ends(team.root.parent))
    assert ran.code == 0, ran.log
    assert "mlops init --registry URL --data URL" in ran.summary
    assert ran.jobs() == {"due/Due/due"}
