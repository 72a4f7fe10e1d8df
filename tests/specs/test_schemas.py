"""The JSON Schemas that editors use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from mlops import digests
from mlops.errors import BadInput
from mlops.specs.base import validated
from mlops.specs.schemas import HERE, SPECS, file_name, schema_of, text_of
from tests.releases import make_decision, make_release
from tests.team import PROJECT, ROOT

NAMED = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)
KIND_OF = {
    "env.yaml": "environment",
    "settings.yaml": "settings",
    "release.yaml": "release",
    "decision.yaml": "decision",
    "experiment.yaml": "experiment",
    "model.yaml": "model",
    "service.yaml": "service",
}


def files_of_the_project() -> Iterator[Path]:
    for top in ("environments", "apps", "models"):
        for folder in (ROOT / top, PROJECT / top, ROOT / "tests/fixtures/valid" / top):
            yield from (file for file in sorted(folder.rglob("*.yaml")) if file.name in KIND_OF)


@pytest.mark.parametrize("name", SPECS)
def test_the_schema_beside_the_spec_is_current(name: str) -> None:
    assert (HERE / file_name(name)).read_text() == text_of(name), (
        "run python -m mlops.specs.schemas"
    )


@pytest.mark.parametrize("name", SPECS)
def test_the_schema_is_itself_valid(name: str) -> None:
    Draft202012Validator.check_schema(schema_of(name))


def test_no_schema_is_left_over() -> None:
    own = [path.name for path in HERE.glob("*.json") if not path.name.startswith("odcs-")]
    assert sorted(own) == [file_name(name) for name in SPECS]


def test_the_standard_s_schemas_are_the_bytes_that_the_readme_names() -> None:
    told = (HERE / "README.md").read_text()
    found = {file.name: digests.of_file(file) for file in HERE.glob("odcs-*.json")}
    assert [name for name, digest in found.items() if digest.split(":")[1] not in told] == []


@pytest.mark.parametrize(
    "file", files_of_the_project(), ids=lambda file: str(file.relative_to(ROOT))
)
def test_a_shipped_file_validates_by_the_schema_of_its_kind(file: Path) -> None:
    schema = schema_of(KIND_OF[file.name])
    Draft202012Validator(schema).validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize(
    "file",
    [file for file in files_of_the_project() if file.is_relative_to(ROOT / "environments")],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_a_shipped_file_names_its_schema_by_the_right_path(file: Path) -> None:
    named = NAMED.match(file.read_text())
    assert named is not None
    assert (file.parent / named[1]).resolve() == HERE / file_name(KIND_OF[file.name])


def test_what_the_tool_writes_validates_too() -> None:
    made = make_release(3, image=True)
    for name, spec in {
        "release": made.release,
        "evidence": made.evidence,
        "decision": make_decision(made, "dev"),
    }.items():
        value = spec.model_dump(mode="json", exclude_none=True)
        Draft202012Validator(schema_of(name)).validate(value)


@pytest.mark.parametrize("name", SPECS)
def test_schema_and_spec_both_refuse_an_unknown_key(name: str) -> None:
    value = {"no-such-key": 1}
    said = [error.validator for error in Draft202012Validator(schema_of(name)).iter_errors(value)]
    assert "additionalProperties" in said
    with pytest.raises(BadInput, match="unknown key `no-such-key`"):
        validated(value, "file", SPECS[name])


def test_the_schemas_are_plain_json() -> None:
    for path in HERE.glob("*.json"):
        assert json.loads(path.read_text())["type"] == "object"
