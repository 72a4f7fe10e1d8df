"""A pull request with new data: one branch for one content, whatever happens."""

from mlops.forges.choice import forge_of
from mlops.versions.proposal import Proposed, propose
from tests.data.test_ingest import FEBRUARY, JANUARY, ingested
from tests.team import Team


def proposed(team: Team) -> Proposed:
    return propose(team.repo, forge_of(team.repo), "toy-points")


def test_the_pin_is_proposed_and_the_work_tree_stays_as_it_is(team: Team) -> None:
    digest = ingested(team, JANUARY)
    before = team.git("status", "--porcelain"), team.git("rev-parse", "HEAD")
    found = proposed(team)
    assert found.opened is not None
    assert found.opened.branch == f"data/toy-points-{digest.removeprefix('sha256:')[:12]}"
    assert (team.git("status", "--porcelain"), team.git("rev-parse", "HEAD")) == before
    changed = team.git("diff", "--name-only", "origin/main", found.opened.commit)
    assert changed == "data-contracts/toy-points.dvc"
    assert team.git("rev-parse", f"origin/{found.opened.branch}") == found.opened.commit
    text = (team.stores / "pull-requests").glob("data__toy-points-*.md")
    assert "| models that learn from it | toy-line |" in next(text).read_text()


def test_the_same_rows_again_are_the_same_branch(team: Team) -> None:
    ingested(team, JANUARY)
    first, again = proposed(team).opened, proposed(team).opened
    assert first is not None
    assert again is not None
    assert (again.branch, again.commit, again.new) == (first.branch, first.commit, False)


def test_a_raw_file_that_main_lacks_comes_with_it(team: Team) -> None:
    team.write("data-contracts/toy-points/raw/2024-03.csv", (team.root / FEBRUARY).read_text())
    ingested(team, JANUARY.with_name("2024-03.csv"))
    found = proposed(team).opened
    assert found is not None
    assert team.git("diff", "--name-only", "origin/main", found.commit).splitlines() == [
        "data-contracts/toy-points.dvc",
        "data-contracts/toy-points/raw/2024-03.csv",
    ]


def test_what_main_pins_already_is_not_proposed(team: Team) -> None:
    ingested(team, JANUARY)
    team.commit("Pin the data")
    assert proposed(team).opened is None
