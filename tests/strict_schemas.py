"""Whether a cluster would take a document as it is: schemas in which unknown fields are errors.

Built-in kinds by Kubernetes' own schemas, others by the custom resources' in tests/schemas.
`python -m tests.strict_schemas CRD.yaml...` takes these from a release's files.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator, FormatChecker
from kubernetes_validate.utils import InvalidSchemaError, SchemaNotFoundError

SCHEMAS = Path(__file__).parent / "schemas"
KUBERNETES = ("1.34.0", "1.37.0")
"""The oldest and the newest Kubernetes that documents are held to."""
METADATA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {
            "type": "string",
            "pattern": r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
            "maxLength": 253,
        },
        "namespace": {
            "type": "string",
            "pattern": r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
            "maxLength": 63,
        },
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "labels": {
            "type": "object",
            "additionalProperties": {
                "type": "string",
                "maxLength": 63,
                "pattern": r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$",
            },
        },
    },
}
INT_OR_STRING = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
NOT_STRICT = ("description", "x-kubernetes-validations", "default", "example")
NESTED = ("properties", "additionalProperties", "items", "allOf", "anyOf", "oneOf", "not")


def problems(document: Mapping[str, Any]) -> list[str]:
    """What a cluster would refuse or drop in a document, sorted; each as `field: what`.

    Raises:
        KeyError: when the kind is neither built in nor in tests/schemas.
    """
    found = {f"metadata.{each}" for each in _told(METADATA, document.get("metadata", {}))}
    if (own := _file(document)).is_file():
        return sorted(found.union(_told(_strict(own), document)))
    for version in KUBERNETES:
        found.update(_built_in(document, version))
    return sorted(found)


def _built_in(document: Mapping[str, Any], version: str) -> Iterator[str]:
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"
    except (SchemaNotFoundError, InvalidSchemaError) as error:
        kind = f"{document['apiVersion']} {document['kind']}"
        raise KeyError(f"no schema of {kind} in Kubernetes {version} or {SCHEMAS}") from error


def _file(document: Mapping[str, Any]) -> Path:
    name = f"{document['apiVersion'].replace('/', '_')}_{document['kind']}.json"
    return SCHEMAS / name


def _told(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    for error in checker.iter_errors(value):
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


@cache
def _strict(file: Path) -> dict[str, Any]:
    schema = _closed(json.loads(file.read_text()))
    properties = schema.get("properties", {})
    schema["properties"] = {**properties, "metadata": METADATA}
    schema["required"] = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
    return dict(schema)


def _closed(schema: Any) -> Any:
    """A custom resource's OpenAPI schema as JSON Schema, closed where Kubernetes would drop fields."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = dict(schema)
    for key in NESTED:
        if key == "properties" and key in closed:
            closed[key] = {name: _closed(each) for name, each in closed[key].items()}
        elif key in closed:
            closed[key] = _closed(closed[key])
    if closed.pop("x-kubernetes-int-or-string", False):
        closed.pop("type", None)
        closed = {**INT_OR_STRING, **closed}
    open_on_purpose = closed.get("x-kubernetes-preserve-unknown-fields", False)
    if closed.get("type") == "object" and "properties" in closed and not open_on_purpose:
        closed.setdefault("additionalProperties", False)
    if closed.pop("nullable", False) and isinstance(closed.get("type"), str):
        closed["type"] = [closed["type"], "null"]
    return closed


def take(definition: Mapping[str, Any], folder: Path = SCHEMAS) -> list[Path]:
    """Write the schema of each served version of a CustomResourceDefinition; the files."""
    spec = definition["spec"]
    kind, written = spec["names"]["kind"], []
    for version in spec["versions"]:
        if version.get("served") and not version.get("deprecated"):
            file = folder / f"{spec['group']}_{version['name']}_{kind}.json"
            lean = _lean(version["schema"]["openAPIV3Schema"])
            file.write_text(json.dumps(lean, sort_keys=True, separators=(",", ":")) + "\n")
            written.append(file)
    return written


def _lean(schema: Any) -> Any:
    """Without texts, defaults and rules in CEL, which are not looked at here."""
    if isinstance(schema, list):
        return [_lean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _lean(each) for name, each in value.items()}
        if key == "properties"
        else _lean(value)
        for key, value in schema.items()
        if key not in NOT_STRICT
    }


def main(paths: list[str]) -> None:
    """Take the schemas of these files of CustomResourceDefinitions."""
    for path in paths:
        for document in yaml.load_all(Path(path).read_text(), Loader=yaml.CSafeLoader):
            for file in take(document) if document else ():
                sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
