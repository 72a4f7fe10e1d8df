"""The toy model with a search."""

from tests.team import Team
from tests.training.points import pin, points, start_registry

SPEC = "models/toy-line/model.yaml"
SEARCH = """\
search:
  metric: mae
  trials: 6
  folds: {count: 2, days: 3}
  space:
    learning_rate: {type: float, min: 0.05, max: 0.5, log: true}
    rounds: {type: int, min: 10, max: 60}
"""


def add(team: Team, path: str, text: str) -> None:
    """Add to a file's end."""
    team.write(path, (team.root / path).read_text() + text)


def searching(team: Team, search: str = SEARCH) -> Team:
    """The team with a search in its model.yaml, pinned rows and an empty registry, committed."""
    add(team, SPEC, search)
    pin(team, points())
    team.commit("Data and a search")
    start_registry(team)
    return team
