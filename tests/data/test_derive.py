"""A dataset made of others: named by what it is made of, made again, and held to be current."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops import digests
from mlops.checks.contracts import run as check_contracts
from mlops.cli import run
from mlops.data import pin as pins
from mlops.data import table
from mlops.data.currency import outdated
from mlops.data.derivation import sources_of, with_derived
from mlops.data.derive import derive
from mlops.data.ingest import ingest
from mlops.errors import BadInput, Exit, NotGood, NotHere
from mlops.graph import affected
from mlops.service_levels.assessment import assess
from tests.checks.contexts import context_of, told
from tests.data.test_ingest import FEBRUARY, JANUARY, ingested
from tests.derived import DERIVE, NAME, PATH, STEP, add_derived, contract
from tests.team import Team

SOURCE = "data-contracts/toy-points.dvc"
CONTRACT = f"data-contracts/{NAME}.odcs.yaml"


@pytest.fixture
def made(team: Team) -> Team:
    """January ingested, the points of the left made of it, all committed."""
    add_derived(team)
    ingested(team, JANUARY)
    derive(team.repo, NAME)
    team.commit("January, and its left")
    return team


def test_it_holds_what_its_step_makes_and_its_pin_names_the_versions_it_is_made_of(
    made: Team,
) -> None:
    pin, source = pins.read_pin(made.repo, NAME), pins.read_pin(made.repo, "toy-points")
    assert [(each.dataset, digests.PREFIX + each.sha256) for each in pin.sources] == [
        ("toy-points", source.digest)
    ]
    points = table.load(pins.fetch(made.repo, source))
    rows = table.load(pins.fetch(made.repo, pin))
    assert len(rows) == pin.rows > 0
    assert rows["moment"].tolist() == points[points["side"] == "left"]["moment"].tolist()


def test_made_again_it_is_the_same_version_and_nothing_is_to_be_committed(
    made: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made.root)
    assert run(["data", "derive", NAME]) == Exit.DONE
    assert "still the same version, nothing to commit" in capsys.readouterr().out
    assert made.git("status", "--porcelain") == ""


def test_its_log_names_the_versions_that_each_of_its_own_is_made_of(
    made: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made.root)
    source = pins.read_pin(made.repo, "toy-points").digest
    assert run(["data", "log", NAME]) == Exit.DONE
    assert f"made of toy-points {digests.short(source)}" in capsys.readouterr().out
    assert run(["data", "log", NAME, "--json"]) == Exit.DONE
    (version,) = json.loads(capsys.readouterr().out)["versions"]
    assert version["sources"] == [
        {"dataset": "toy-points", "sha256": source.removeprefix(digests.PREFIX)}
    ]


def test_a_clone_without_stores_makes_it_again_of_sources_that_are_made_again(made: Team) -> None:
    pin = pins.read_pin(made.repo, NAME)
    shutil.rmtree(made.stores)
    assert digests.of_file(pins.fetch(made.repo, pin)) == pin.digest


def test_without_any_store_it_says_of_which_source_the_rows_are_missing(
    team: Team, tmp_path: Path
) -> None:
    add_derived(team)
    other = tmp_path / "january.csv"  # a raw file that is not in Git
    shutil.copy(team.root / JANUARY, other)
    ingest(team.repo, "toy-points", [other])
    derive(team.repo, NAME)
    team.commit("From elsewhere")
    shutil.rmtree(team.stores)
    source = pins.read_pin(team.repo, "toy-points").digest
    with pytest.raises(NotHere) as missing:
        pins.fetch(team.repo, pins.read_pin(team.repo, NAME))
    (problem,) = missing.value.problems
    where = "neither in ../stores/datasets nor in the DVC remote ../stores/dvc"
    assert f"from its sources ({SOURCE} pins {source}, which is {where})" in problem.what
    assert problem.fix == (
        "restore the remote, or take a pin whose content is there; the same raw files give the "
        f"same version: delete {SOURCE} and ingest these: mlops data ingest toy-points FILE..."
    )


def test_an_earlier_version_is_made_again_of_the_sources_of_its_commit(made: Team) -> None:
    pin = pins.read_pin(made.repo, NAME)
    ingested(made, FEBRUARY)
    derive(made.repo, NAME)
    made.commit("February, and its left")
    shutil.rmtree(made.stores)
    assert pins.read_pin(made.repo, NAME).digest != pin.digest
    assert digests.of_file(pins.fetch(made.repo, pin)) == pin.digest


def test_a_source_with_another_version_is_told_by_the_ingest_and_by_the_check(
    made: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made.root)
    assert outdated(made.repo, pins.read_pin(made.repo, NAME)) == []
    old = pins.read_pin(made.repo, "toy-points").digest
    assert run(["data", "ingest", "toy-points", str(FEBRUARY)]) == Exit.DONE
    assert f"  {NAME} is made of it: mlops data derive {NAME}\n" in capsys.readouterr().out
    new = pins.read_pin(made.repo, "toy-points").digest
    found = check_contracts(context_of(made, "contracts", NAME, "toy-points"))
    assert told(found) == (
        f"{PATH}: is made of {digests.short(old)} of toy-points, {SOURCE} pins "
        f"{digests.short(new)}; mlops data derive {NAME}, then commit the pin\n"
    )
    status = assess(made.repo, NAME, now=datetime(2024, 6, 1, tzinfo=UTC)).complete
    assert (status.verdict, status.detail) == ("bad", found.problems[0].what)
    derive(made.repo, NAME)
    assert check_contracts(context_of(made, "contracts", NAME, "toy-points")).outcome == "good"


def test_rows_that_break_its_contract_are_not_pinned(made: Team) -> None:
    before = (made.root / PATH).read_bytes()
    made.write(STEP, DERIVE.replace('left[["moment", "x"]]', 'left[["moment", "x"]].assign(x=11)'))
    with pytest.raises(NotGood, match="the new version of toy-left: outliers: "):
        derive(made.repo, NAME)
    assert (made.root / PATH).read_bytes() == before


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("def derive(sources):\n    return sources['weather']\n",
         f"{STEP}: derive(sources) failed with KeyError: 'weather'; correct it"),
        ("def ingest(raw):\n    return raw\n", f"{STEP}: does not define derive; define it"),
    ],
)  # fmt: skip
def test_a_step_that_cannot_run_is_told(made: Team, step: str, said: str) -> None:
    made.write(STEP, step)
    with pytest.raises(BadInput) as refused:
        derive(made.repo, NAME)
    assert str(refused.value) == said


def test_a_source_without_a_version_is_told(team: Team) -> None:
    add_derived(team)
    with pytest.raises(BadInput) as refused:
        derive(team.repo, NAME)
    assert str(refused.value) == (
        f"{SOURCE}: file is missing: no version of this dataset is pinned yet; "
        "mlops data ingest toy-points FILE..., then commit the pin"
    )
    with pytest.raises(BadInput, match=f"FILE..., mlops data derive {NAME}, then commit the pin"):
        pins.read_pin(team.repo, NAME)


def test_what_is_ingested_is_not_derived_and_the_other_way_round(team: Team) -> None:
    add_derived(team)
    with pytest.raises(BadInput) as refused:
        derive(team.repo, "toy-points")
    assert str(refused.value) == (
        "data-contracts/toy-points.odcs.yaml: names no `derivedFrom`: it is not made of other "
        "datasets; mlops data ingest toy-points FILE..."
    )
    with pytest.raises(BadInput) as refused:
        ingest(team.repo, NAME, [team.root / JANUARY])
    assert str(refused.value) == (
        f"{STEP}: {NAME} is not ingested, it is made of other datasets; mlops data derive {NAME}"
    )


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (
            "[toy-pints]",
            "`derivedFrom` names 'toy-pints', which is no dataset; name some of toy-left, toy-points",
        ),
        ("[toy-left]", "`derivedFrom` leads back to toy-left itself; make it of other datasets"),
        ("toy-points", "`derivedFrom` is 'toy-points'; write a list of datasets"),
        ("[]", "`derivedFrom` is []; write a list of datasets"),
        (
            "null",
            (
                "names no datasets that derive.py makes it of; name them below "
                "`customProperties`: {property: derivedFrom, value: [...]}"
            ),
        ),
    ],
)
def test_sources_that_cannot_be_are_told(team: Team, of: str, said: str) -> None:
    add_derived(team)
    team.write(CONTRACT, contract(NAME, of))
    with pytest.raises(BadInput) as refused:
        sources_of(team.repo, NAME)
    assert str(refused.value) == f"{CONTRACT}: {said}"


def test_a_change_of_a_source_reaches_what_is_made_of_it_through_others_and_their_models(
    team: Team,
) -> None:
    add_derived(team)
    add_derived(team, "toy-far-left", of=(NAME,))
    assert with_derived(team.repo, ["toy-points"]) == {"toy-points", NAME, "toy-far-left"}
    assert with_derived(team.repo, [NAME]) == {NAME, "toy-far-left"}
    model = Path("models/toy-line/model.yaml")
    text = (team.root / model).read_text().replace("dataset: toy-points", "dataset: toy-far-left")
    team.write(str(model), text)
    found = affected(team.repo, [SOURCE])
    assert found.datasets == ("toy-far-left", NAME, "toy-points")
    assert found.models == ("toy-line",)
    assert found.services == ("toy",)


def test_the_command_tells_machines_what_it_was_made_of(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_derived(team)
    source = ingested(team, JANUARY)
    monkeypatch.chdir(team.root)
    assert run(["data", "derive", NAME, "--json"]) == Exit.DONE
    body = json.loads(capsys.readouterr().out)
    assert (body["old"], body["changed"]) == (None, True)
    assert body["sources"] == {"toy-points": source}
    assert body["new"] == pins.read_pin(team.repo, NAME).digest
