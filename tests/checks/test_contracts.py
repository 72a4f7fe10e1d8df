"""Part `contracts`: versions raised as far as a change asks, and data that holds to them."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mlops import digests
from mlops.checks.contracts import run
from mlops.specs.result import Result
from tests.checks.contexts import context_of, told
from tests.team import ROOT, Team

INVALID = ROOT / "tests" / "fixtures" / "invalid"
CONTRACT = "data-contracts/toy-points.odcs.yaml"


def edit(team: Team, old: str, new: str, path: str = CONTRACT) -> None:
    text = (team.root / path).read_text()
    assert old in text
    team.write(path, text.replace(old, new))


def test_a_breaking_change_without_a_new_major_version_is_told_with_its_readers(
    team: Team,
) -> None:
    folder = INVALID / "check-breaking-contract"
    shutil.copy(folder / "toy-points.odcs.yaml", team.root / CONTRACT)
    found = run(context_of(team, "contracts", "toy-points"))
    assert told(found) == (folder / "message.txt").read_text()
    assert found.outcome == "not good"
    (contract,) = found.contracts
    assert (contract.before, contract.after, contract.needs) == ("1.0.0", "1.0.0", "major")
    assert (contract.models, contract.services) == (("toy-line",), ("toy",))


def test_a_breaking_change_with_a_new_major_version_is_good(team: Team) -> None:
    edit(team, "maximum: 10}", "maximum: 5}")
    edit(team, "version: 1.0.0", "version: 2.0.0")
    found = run(context_of(team, "contracts", "toy-points"))
    assert (found.outcome, told(found)) == ("good", "")
    assert [each.breaking for each in found.contracts[0].differences] == [True]


@pytest.mark.parametrize(
    ("old", "new", "version"),
    [("maximum: 10}", "maximum: 20}", "1.1.0"), ("with noise", "with more noise", "1.0.1")],
)
def test_smaller_changes_ask_for_smaller_steps(
    team: Team, old: str, new: str, version: str
) -> None:
    edit(team, old, new)
    found = run(context_of(team, "contracts", "toy-points"))
    assert found.problems[0].fix == f"write `version: {version}`"
    edit(team, "version: 1.0.0", f"version: {version}")
    assert run(context_of(team, "contracts", "toy-points")).outcome == "good"


def test_a_model_without_a_contract_is_told(team: Team) -> None:
    (team.root / CONTRACT).unlink()
    found = run(context_of(team, "contracts", "toy-points"))
    expected = INVALID / "check-model-without-contract" / "message.txt"
    assert (found.outcome, told(found)) == ("not good", expected.read_text())


def test_a_contract_nobody_reads_may_go(team: Team) -> None:
    shutil.copy(team.root / CONTRACT, team.root / "data-contracts/spare.odcs.yaml")
    edit(team, "name: toy-points", "name: spare", "data-contracts/spare.odcs.yaml")
    team.commit("Spare")
    team.git("fetch", "--quiet", "origin")
    (team.root / "data-contracts/spare.odcs.yaml").unlink()
    found = run(context_of(team, "contracts", "spare"))
    assert found.outcome == "good"
    assert found.contracts[0].after is None


def test_a_new_contract_is_good_whatever_its_version(team: Team) -> None:
    shutil.copy(team.root / CONTRACT, team.root / "data-contracts/spare.odcs.yaml")
    edit(team, "name: toy-points", "name: spare", "data-contracts/spare.odcs.yaml")
    found = run(context_of(team, "contracts", "spare"))
    assert (found.outcome, found.contracts[0].before) == ("good", None)


def _pinned(team: Team) -> None:
    raw = "data-contracts/toy-points/raw/2024-01.csv"
    assert team.mlops("data", "ingest", "toy-points", raw).returncode == 0


@pytest.mark.slow
def test_pinned_data_is_held_to_the_contract_as_it_is_now(team: Team, tmp_path: Path) -> None:
    def found_in(folder: str) -> tuple[Result, Path]:
        context = context_of(team, "contracts", "toy-points")
        found = run(replace(context, out=tmp_path / folder))
        return found, tmp_path / folder / "data-toy-points.html"

    _pinned(team)
    found, page = found_in("good")
    assert (found.outcome, found.problems) == ("good", ())
    validation = found.datasets[0].validation
    assert validation is not None
    assert validation.failed == 0
    assert found.datasets[0].page == digests.of_file(page)
    assert "Good: all" in page.read_text()
    assert "right (" in page.read_text(), "how often a value comes"
    team.commit("Pin a month")
    found, page = found_in("same")
    assert (found.datasets[0].page, page.exists()) == (None, False)

    edit(team, "maximum: 10}", "maximum: 5}")
    edit(team, "version: 1.0.0", "version: 2.0.0")
    edit(team, "name: side\n", "name: side\n        classification: restricted\n")
    broken, page = found_in("broken")
    assert broken.outcome == "not good"
    assert "values of `x` are not at least 0 and at most 5" in broken.problems[0].what
    assert broken.datasets[0].page == digests.of_file(page)
    assert "Not good: 1 of" in page.read_text()
    assert "right (" not in page.read_text(), "a value of a restricted column"


@pytest.mark.slow
def test_data_that_is_in_no_store_is_not_evaluated(team: Team) -> None:
    _pinned(team)
    shutil.rmtree(team.stores)
    for file in Path(team.root / "data-contracts/toy-points/raw").iterdir():
        file.unlink()
    found = run(context_of(team, "contracts", "toy-points"))
    assert found.outcome == "not evaluated"
    assert found.datasets[0].validation is None
