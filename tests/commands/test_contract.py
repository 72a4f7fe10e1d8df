"""`mlops contract check`: what becomes of each thing that a contract says."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlops.cli import run
from mlops.data.enforcement import KINDS, NOT_CHECKED
from mlops.errors import Exit
from mlops.files import load_yaml
from tests.team import PROJECT, ROOT, Team

FIXTURES = ROOT / "tests" / "fixtures"
ALL_KINDS = FIXTURES / "odcs" / "all-kinds.odcs.yaml"
FULL = FIXTURES / "odcs" / "full-example.odcs.yaml"
WRONG = FIXTURES / "invalid" / "contract-minimum-above-maximum" / "contract.odcs.yaml"


def checked(*paths: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    run(["contract", "check", "--json", *map(str, paths)])
    told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return told


def test_all_that_is_asked_is_either_enforced_or_told_as_not_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (told,) = checked(ALL_KINDS, capsys=capsys)
    places = [place for each in told["findings"] for place in each["places"]]
    for number, table in enumerate(load_yaml(ALL_KINDS.read_bytes(), "c")["schema"]):
        for place in asked(table, table.get("name", f"schema.{number}")):
            assert place in places


def asked(element: dict[str, Any], called: str) -> list[str]:
    """Where an element, and what is in it, asks something of the data."""
    rules = [f"{called}.quality.{number}" for number, _ in enumerate(element.get("quality", ()))]
    columns = [
        place
        for column in element.get("properties", ())
        for place in asked(column, f"{called}.{column['name']}")
    ]
    return [called, *rules, *columns]


def test_each_key_of_the_standard_s_full_example_is_accounted_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (told,) = checked(FULL, capsys=capsys)
    kinds = {each["kind"] for each in told["findings"] if each["group"] != "enforced"}
    value = load_yaml(FULL.read_bytes(), "c")
    named = {"apiVersion", "kind", "version", "name", "schema"}
    assert set(value) - named <= set(KINDS) | set(NOT_CHECKED)
    assert {KINDS[key] for key in value if key in KINDS} <= kinds


def test_of_each_server_it_is_told_whether_it_is_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (told,) = checked(ALL_KINDS, capsys=capsys)
    found = [each for each in told["findings"] if each["kind"] == "servers"]
    assert [(each["text"], each["why"], each["fix"]) for each in found] == [
        (
            "server lake (s3)",
            "not used: is of the type s3, of which no address can be made here",
            "write its SQLAlchemy URL in mlops.toml, below [data.servers.lake]",
        ),
        (
            "server warehouse (postgres)",
            (
                "used by `mlops data validate --server warehouse`, with WAREHOUSE_USER and "
                "WAREHOUSE_PASSWORD set"
            ),
            "",
        ),
    ]


def test_what_becomes_of_late_and_duplicate_rows_is_told_as_enforced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = (
        "customProperties:\n"
        "  - {property: deduplication, value: keepFirst}\n"
        "  - {property: allowedLateness, value: 36h}\n"
        "  - {property: lateRows, value: drop}\n"
    )
    path = tmp_path / "points.odcs.yaml"
    path.write_text((PROJECT / "data-contracts" / "toy-points.odcs.yaml").read_text() + said)
    (told,) = checked(path, capsys=capsys)
    assert told["usable"] is True
    assert {
        each["text"]: each["places"] for each in told["findings"] if each["kind"] == "deliveries"
    } == {
        "of rows with one key the first is kept, and the version's": ["customProperties.0"],
        "rows with `moment` more than 1 day, 12:00:00 before the newest event are dropped": [
            "customProperties.1",
            "customProperties.2",
        ],
    }


def test_one_that_can_be_read_and_not_be_used_is_no_bad_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["contract", "check", str(ALL_KINDS)]) == Exit.DONE
    assert "rules enforced once what is marked is changed (" in capsys.readouterr().out
    (told,) = checked(ALL_KINDS, capsys=capsys)
    assert (told["valid"], told["usable"], told["problems"]) == (True, False, [])


def test_of_several_each_is_told_and_one_wrong_is_bad_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["contract", "check", str(WRONG), str(FULL), "nowhere.yaml"]) == Exit.BAD_INPUT
    told = capsys.readouterr()
    assert f"{FULL}: 53581432-6c55-4ba2-a65f-72344a91553a 1.1.0, valid by ODCS v3.1.0" in told.out
    lines = told.err.splitlines()
    assert [line.split(":")[0] for line in lines] == [*[str(WRONG)] * 3, "nowhere.yaml"]
    assert (
        lines[-1] == "nowhere.yaml: could not be read (No such file or directory); name a contract"
    )


def test_what_it_refuses_data_for_is_said_in_the_words_of_the_data_commands(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(team.root)
    monkeypatch.setenv("COLUMNS", "250")
    path = "data-contracts/toy-points.odcs.yaml"
    folder = FIXTURES / "invalid" / "data-contract-without-key"
    team.write(path, (folder / "toy-points.odcs.yaml").read_text())
    assert run(["contract", "check", path]) == Exit.DONE
    why = (folder / "message.txt").read_text().partition("` ")[2].strip()
    told = capsys.readouterr().out
    assert "x  points" in told
    assert why in told


def test_columns_that_not_everybody_may_read_need_somebody_who_may(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = load_yaml(FULL.read_bytes(), "c")
    without = json.dumps(value | {"roles": [{"role": "writer", "access": "write"}]})
    (tmp_path / "without.yaml").write_text(without)
    named, nobody = checked(FULL, tmp_path / "without.yaml", capsys=capsys)
    readers = [each for each in nobody["findings"] if each["kind"] == "readers"]
    assert [(each["text"], each["why"]) for each in readers] == [
        ("columns that not everybody may read (3)", "have no reader named")
    ]
    assert not [each for each in named["findings"] if each["kind"] == "readers"]


def test_all_contracts_shipped_are_good() -> None:
    done = subprocess.run(
        ["sh", "-c", "mlops contract check data-contracts/*.odcs.yaml"],
        cwd=ROOT,
        env={"PATH": f"{ROOT / '.venv' / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (Exit.DONE, "")
