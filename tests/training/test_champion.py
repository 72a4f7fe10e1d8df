"""What an environment serves, opened from its bento: as a champion, and month by month."""

import json
from dataclasses import dataclass

import pandas as pd
import pytest

from mlops import bento
from mlops.errors import BadInput
from mlops.registry import Registered, Registry
from mlops.repository import release_path
from mlops.training.champion import champion_in, serving_in
from tests.releases import make_release
from tests.team import Team
from tests.training.points import MODEL, pin, points, registered, start_registry

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Served:
    """A team whose prod serves a model trained on January, with February's data pinned."""

    team: Team
    january: Registered


def drifted() -> pd.DataFrame:
    """January's points, and February's further up the line, where trees cannot follow."""
    january, february = points(days=31), points(days=29, seed=2)
    february["moment"] += pd.Timedelta(days=31)
    february["x"] += 10
    february["y"] += 30
    return pd.concat([january, february], ignore_index=True)


@pytest.fixture
def served(team: Team) -> Served:
    pin(team, points(days=31))
    team.commit("January")
    start_registry(team)
    january = registered(team)
    repo = team.repo
    artifact = bento.Artifact(january.digest, Registry.of(repo).fetch(january))
    built = bento.build(repo, repo.commit("HEAD"), "toy", {MODEL: artifact})
    release = make_release(1, bento=built.digest, model=january.digest)
    team.write(release_path("prod", "toy"), release.release_text)
    pin(team, drifted())
    team.commit("prod serves January's model, February arrived")
    return Served(team, january)


def test_a_champion_is_the_model_that_the_release_pins_and_nothing_else(served: Served) -> None:
    repo = served.team.repo
    found = serving_in(repo, repo, MODEL, "prod")
    assert found.scorer.digest == served.january.digest
    assert found.scorer.card.trained_until == "2024-01-27T23:00:00"
    assert champion_in(repo, repo, MODEL, "staging") is None
    with pytest.raises(BadInput, match="environments/staging: no release here serves toy-line"):
        serving_in(repo, repo, MODEL, "staging")


def test_a_retrained_model_is_compared_with_what_serves(served: Served) -> None:
    team = served.team
    registered(team)
    done = team.mlops("evaluate", MODEL)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Against release 1, which prod serves" in done.stdout
    answer = json.loads(team.mlops("evaluate", MODEL, "--json").stdout)
    (compared,) = answer["comparisons"]
    assert answer["against"] == {"environment": "prod", "release": 1}
    assert compared["champion"] == served.january.digest
    assert compared["high"] < 0
    old = team.mlops("evaluate", MODEL, "--version", "1")
    assert old.returncode == 1
    assert "gate `absolute mae` is not met" in old.stderr


def test_month_by_month_the_serving_model_gets_worse_on_rows_it_has_not_seen(
    served: Served,
) -> None:
    done = served.team.mlops("evaluate", MODEL, "--serving", "prod", "--json")
    assert done.returncode == 0
    january, february = json.loads(done.stdout)
    assert (january["month"], january["rows"], january["trained_on"]) == ("2024-01", 744, 648)
    assert (february["month"], february["rows"], february["trained_on"]) == ("2024-02", 696, 0)
    assert february["metrics"]["mae"] > 5 * january["metrics"]["mae"]
    distance = {one["column"]: one["statistic"] for one in february["drift"]}
    assert distance["x"] == 1
    assert distance["side"] < 0.2
    shown = served.team.mlops("evaluate", MODEL, "--serving", "prod")
    assert "toy-line as release 1 serves it in prod" in shown.stdout
    assert "2024-02" in shown.stdout
