"""GitHub's own OpenAPI description: whether a request is one of its, and an answer too."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, ValidationError
from jsonschema.validators import extend

from tests.team import ROOT

LOCKED = ROOT / "requirements" / "openapi"
CACHE = ROOT / ".venv" / "openapi"
FILE = "node_modules/@octokit/openapi/generated/api.github.com.json"


def _unless_nullable(keyword: str) -> Any:
    """A keyword as OpenAPI 3.0 reads it: null is of every type that says `nullable`."""
    plain = Draft4Validator.VALIDATORS[keyword]

    def check(
        validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        if not (instance is None and schema.get("nullable")):
            yield from plain(validator, value, instance, schema) or ()

    return check


OpenApiValidator: Any = extend(  # type: ignore[no-untyped-call]  # untyped
    Draft4Validator,
    {name: _unless_nullable(name) for name in ("type", "enum", "allOf", "anyOf", "oneOf")},
)


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    template: str
    method: str
    values: Mapping[str, str]
    spec: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Description:
    """The whole description."""

    document: Mapping[str, Any]

    def operation(self, method: str, path: str) -> Operation | None:
        """What a request asks for; the path that says most literally counts."""
        for pattern, template in _patterns(tuple(self.document["paths"])):
            found = pattern.fullmatch(path)
            spec = self.document["paths"][template].get(method.lower())
            if found and spec:
                return Operation(template, method, found.groupdict(), spec)
        return None

    def wrong_request(self, operation: Operation, query: Mapping[str, str], body: Any) -> list[str]:
        """What the description does not know of a request, or forbids."""
        known = {
            each["name"]: each
            for each in map(self.at, operation.spec.get("parameters", []))
            if each["in"] == "query"
        }
        wrong = [f"unknown query parameter {name}" for name in query if name not in known]
        for name, value in query.items():
            if name in known:
                wrong += self.wrong(known[name]["schema"], _typed(value), name)
        return wrong + self._wrong_body(operation, body)

    def _wrong_body(self, operation: Operation, body: Any) -> list[str]:
        said = operation.spec.get("requestBody")
        if said is None:
            return [] if body is None else ["a body where none is taken"]
        if body is None:
            return ["no body"] if said.get("required") else []
        schema = self.at(said)["content"]["application/json"]["schema"]
        unknown = set(body) - self._keys(schema)
        return [f"unknown key {key}" for key in sorted(unknown)] + self.wrong(schema, body, "body")

    def _keys(self, schema: Mapping[str, Any]) -> set[str]:
        schema = self.at(schema)
        keys = set(schema.get("properties", {}))
        for part in ("oneOf", "anyOf", "allOf"):
            for each in schema.get(part, []):
                keys |= self._keys(each)
        return keys

    def wrong_answer(self, operation: Operation, status: int, value: Any) -> list[str]:
        """What the description does not know of an answer."""
        responses = operation.spec["responses"]
        if str(status) not in responses:
            return [f"answer {status} is not described"]
        content = self.at(responses[str(status)]).get("content")
        if not content:
            return [] if value is None else ["a body where none is described"]
        schema = content["application/json"]["schema"]
        # Some examples break their own schema; what they break, an answer made from them may.
        known = {_somewhere(each) for each in self._wrong_example(schema, operation, status)}
        wrong = self.wrong(schema, value, "answer")
        return [each for each in wrong if _somewhere(each) not in known]

    def _wrong_example(self, schema: Any, operation: Operation, status: int) -> list[str]:
        return self.wrong(schema, self.example(operation, status), "answer")

    def example(self, operation: Operation, status: int) -> Any:
        """The first example of an answer, to be changed as one likes."""
        content = self.at(operation.spec["responses"][str(status)])["content"]["application/json"]
        return deepcopy(self.at(next(iter(content["examples"].values())))["value"])

    def at(self, value: Mapping[str, Any]) -> Any:
        """What a reference points at; anything else is itself."""
        if "$ref" not in value:
            return value
        found: Any = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found

    def wrong(self, schema: Any, value: Any, name: str) -> list[str]:
        """What a value breaks of a schema of the description."""
        errors = _validator_of(self, json.dumps(schema)).iter_errors(value)
        return [f"{name}.{'.'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in errors]


@cache
def _validator_of(description: Description, schema: str) -> Any:
    # References are looked up from the root, so the schema goes beside the components.
    root = {"components": description.document["components"], "allOf": [json.loads(schema)]}
    return OpenApiValidator(root)


@cache
def _patterns(templates: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    ordered = sorted(templates, key=lambda template: (template.count("{"), template))
    return tuple(
        (re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))), template)
        for template in ordered
    )


def _somewhere(wrong: str) -> str:
    return re.sub(r"\.\d+", ".*", wrong.partition(":")[0])


def _typed(value: str) -> Any:
    return int(value) if value.isdigit() else {"true": True, "false": False}.get(value, value)


@cache
def description() -> Description:
    """The description that is locked; taken by npm the first time, kept in .venv.

    Without npm the test is skipped; where CI is set that is a failure.
    """
    lock = (LOCKED / "package-lock.json").read_bytes()
    kept = CACHE / f"{hashlib.sha256(lock).hexdigest()[:16]}.json"
    if not kept.is_file():
        _install(kept)
    return Description(json.loads(kept.read_bytes()))


def _install(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed, GitHub's OpenAPI description cannot be taken")
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy2(LOCKED / name, folder)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            missing(f"GitHub's OpenAPI description cannot be taken: {done.stderr[-500:]}")
        (Path(folder) / FILE).rename(kept)


def missing(what: str) -> None:
    """Skip the test and say why; in CI what is missing is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
