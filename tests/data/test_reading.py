"""Any contract of the standard is read; one that is none is told, each place by its line."""

from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.cli import run
from mlops.data import odcs
from mlops.data.contract import FEATURES_FILE, Contract, FeaturesContract
from mlops.data.enforcement import findings
from mlops.data.reading import read, usable
from mlops.errors import BadInput, Exit
from mlops.files import dump_yaml, load_yaml
from tests.team import PROJECT, ROOT

INVALID = ROOT / "tests" / "fixtures" / "invalid"
WRONG = sorted(folder.name for folder in INVALID.glob("contract-*"))
EXAMPLES = sorted((ROOT / "tests" / "fixtures" / "odcs").glob("*.yaml"))
OURS = sorted((ROOT / "data-contracts").glob("*.yaml"))
ALL_KINDS = load_yaml((ROOT / "tests/fixtures/odcs/all-kinds.odcs.yaml").read_bytes(), "all-kinds")
TOY = (PROJECT / "data-contracts" / "toy-points.odcs.yaml").read_text()


@pytest.mark.parametrize("reason", WRONG)
def test_a_contract_that_is_wrong_is_told_place_by_place(
    reason: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(INVALID / reason)
    assert run(["contract", "check", "contract.odcs.yaml"]) == Exit.BAD_INPUT
    told = capsys.readouterr()
    assert told.err == (INVALID / reason / "message.txt").read_text()
    assert told.out == ""


@pytest.mark.parametrize("reason", WRONG)
def test_whatever_acts_on_data_says_the_same_of_it(reason: str) -> None:
    content = (INVALID / reason / "contract.odcs.yaml").read_bytes()
    with pytest.raises(BadInput) as caught:
        usable(content, "contract.odcs.yaml", Contract)
    assert str(caught.value) + "\n" == (INVALID / reason / "message.txt").read_text()


@pytest.mark.parametrize("file", [*EXAMPLES, *OURS], ids=lambda file: file.name)
def test_every_example_of_the_standard_is_read(file: Path) -> None:
    reading = read(file.read_bytes(), file.name)
    assert len(reading.tables) == len(reading.document.value["schema"])


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_the_contracts_shipped_ask_nothing_that_is_not_checked(file: Path) -> None:
    found = findings(read(file.read_bytes(), file.name))
    assert [each for each in found if each.in_the_way] == []
    assert usable(file.read_bytes(), file.name, Contract).dataset == file.name.removesuffix(
        ".odcs.yaml"
    )


@pytest.mark.parametrize("version", [name for name in odcs.SCHEMAS if name < "v3.1"])
def test_versions_before_3_1_are_read_by_their_own_schema(version: str) -> None:
    text = (ROOT / "tests/fixtures/odcs/v3.0.odcs.yaml").read_text()
    assert read(text.replace("v3.0.2", version).encode(), "c.yaml").tables
    with pytest.raises(BadInput, match="exclusiveMaximum` is false, not a number"):
        read(text.replace("v3.0.2", "v3.1.0").encode(), "c.yaml")


def test_lines_are_those_of_the_file_whatever_stands_around(tmp_path: Path) -> None:
    content = "# a comment\n\n" + TOY.replace("logicalType: string", "logicalType: text")
    with pytest.raises(BadInput) as caught:
        read(content.encode(), "c.yaml")
    (problem,) = caught.value.problems
    line = problem.what.split(":")[0].removeprefix("line ")
    assert content.splitlines()[int(line) - 1].strip() == "logicalType: text"


def test_a_text_that_was_read_before_is_told_by_the_path_it_has_now() -> None:
    content = TOY.replace("logicalType: string", "logicalType: text").encode()
    for path in ("c.yaml", "other.yaml"):
        with pytest.raises(BadInput) as caught:
            read(content, path)
        assert [problem.path for problem in caught.value.problems] == [path]


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        inside = list(value.items() if isinstance(value, dict) else enumerate(value))
    return [at, *(place for key, each in inside for place in places(each, (*at, key)))]


PLACES = places(ALL_KINDS)[1:]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text("ab", min_size=1), st.integers(), max_size=2),
    st.sampled_from(["string", "object", "time", "library", "sql", "custom", "rowCount", "[a-z"]),
)


@given(st.sampled_from(PLACES), VALUES)
def test_whatever_stands_at_a_place_is_read_or_told_and_nothing_fails(
    place: tuple[Any, ...], value: Any
) -> None:
    changed = deepcopy(ALL_KINDS)
    around = changed
    for part in place[:-1]:
        around = around[part]
    around[place[-1]] = value
    text = dump_yaml(changed).encode()
    with suppress(BadInput):
        read(text, "c.yaml")
    for path, kind in (("c.yaml", Contract), (FEATURES_FILE, FeaturesContract)):
        with suppress(BadInput):
            usable(text, path, kind)
