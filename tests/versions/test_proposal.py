"""A pull request with new data: one branch for one content, whatever happens."""

import pytest

from mlops.data.currency import outdated
from mlops.data.derive import derive
from mlops.data.pin import fetch, read_pin
from mlops.errors import BadInput
from mlops.forges.choice import forge_of
from mlops.versions.proposal import Proposed, propose
from tests.data.test_ingest import FEBRUARY, JANUARY, ingested
from tests.derived import NAME, PATH, STEP, add_derived, add_ingested
from tests.team import Team

SOURCE = "data-contracts/toy-points.dvc"


def proposed(team: Team, dataset: str = "toy-points") -> Proposed:
    return propose(team.repo, forge_of(team.repo), dataset)


def pull_request(team: Team, found: Proposed) -> tuple[list[str], str]:
    """The files that it changes, and its text."""
    assert found.opened is not None
    changed = team.git("diff", "--name-only", "origin/main", found.opened.commit).splitlines()
    name = found.opened.branch.replace("/", "__")
    return changed, (team.stores / "pull-requests" / f"{name}.md").read_text()


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
    assert "Models that learn from these: toy-line." in next(text).read_text()


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


def test_what_is_made_of_it_is_made_again_and_pinned_with_it(team: Team) -> None:
    add_derived(team)
    add_derived(team, "toy-few", of=(NAME,), step="def derive(s): return s['toy-left'].head(3)\n")
    team.commit("Two made of others")
    ingested(team, JANUARY)
    found = proposed(team)
    assert [each.pin.dataset for each in found.versions] == ["toy-points", NAME, "toy-few"]
    assert found.opened is not None
    changed, text = pull_request(team, found)
    assert changed == ["data-contracts/toy-few.dvc", PATH, SOURCE]
    assert f"| `{NAME}` | " in text
    assert team.git("status", "--porcelain", "--", PATH) == "", "the work tree stays as it is"
    there = team.repo.commit(found.opened.commit)
    pins = [read_pin(there, name) for name in (NAME, "toy-few")]
    assert [outdated(there, pin) for pin in pins] == [[], []]
    assert all(fetch(team.repo, pin).is_file() for pin in pins)
    again = proposed(team).opened
    assert again is not None
    assert (again.commit, again.new) == (found.opened.commit, False)


def test_asked_for_what_is_made_of_others_they_come_with_it(team: Team) -> None:
    add_derived(team)
    team.commit("Made of others")
    ingested(team, JANUARY)
    assert pull_request(team, proposed(team, NAME))[0] == [PATH, SOURCE]
    derive(team.repo, NAME)
    team.commit("Both pinned")
    assert proposed(team, NAME).opened is None


def test_what_cannot_be_made_of_it_remains_and_is_told(team: Team) -> None:
    add_derived(team, of=("toy-points", "toy-other"))
    add_ingested(team, "toy-other")
    team.commit("Made of two")
    ingested(team, JANUARY)
    found = proposed(team)
    assert [str(each) for each in found.remains] == [
        (
            "data-contracts/toy-other.dvc: file is missing: no version of this dataset is pinned "
            "yet; mlops data ingest toy-other FILE..., then commit the pin"
        )
    ]
    changed, text = pull_request(team, found)
    assert changed == [SOURCE]
    assert "- **remains** " in text


def test_a_step_that_fails_is_an_error_when_there_is_nothing_else_to_propose(team: Team) -> None:
    add_derived(team)
    ingested(team, JANUARY)
    team.write(STEP, "def derive(sources): return 1 / 0\n")
    team.commit("January, and a step that fails")
    with pytest.raises(BadInput, match=r"derive\(sources\) failed with ZeroDivisionError"):
        proposed(team, NAME)
