"""What all files of the project share: strictness, digests, names, reading with good errors."""

import json
import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from mlops.errors import BadInput, Problem
from mlops.files import dump_yaml, load_yaml, not_text
from mlops.tree import Tree


class Spec(BaseModel):
    """A file, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
LONGEST_NAME = 50
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=LONGEST_NAME)]
"""A name that Kubernetes, MLflow, Git branches and file names all take."""
PINNED_IMAGE = (
    r"^(localhost|[a-z0-9-]+([.][a-z0-9-]+)+)(:[0-9]+)?(/[a-z0-9._-]+)+"
    r"(:[A-Za-z0-9._-]+)?@sha256:[0-9a-f]{64}$"
)
ENVIRONMENT_VARIABLE = r"^[A-Z][A-Z0-9_]*$"
STORE_PATH = r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"
LOG_PLACE = r"^(s3:/)?(/[A-Za-z0-9][A-Za-z0-9._=-]*)+$"
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]

SpecT = TypeVar("SpecT", bound=Spec)

FIXES = {
    "extra_forbidden": "remove the key or correct its name",
    "missing": "add the key",
    "string_too_long": "shorten it",
}
WHATS = {
    "extra_forbidden": "unknown key",
    "missing": "key is missing",
}
# What a string that does not match one of the patterns above is not.
PATTERNS = {
    r"^sha256:[0-9a-f]{64}$": (
        "not a digest: a tag or an alias can name something else tomorrow",
        "write `sha256:` and the 64 hex digits of what is meant",
    ),
    r"^[0-9a-f]{40}$": (
        "not a full commit: a branch or a tag moves",
        "write the 40 hex digits of `git rev-parse`",
    ),
    NAME: (
        "not a name",
        "use lower-case letters, digits and single hyphens, a letter first",
    ),
    ENVIRONMENT_VARIABLE: (
        "not the name of an environment variable",
        "use upper-case letters, digits and underscores, a letter first",
    ),
    STORE_PATH: (
        "not a path in a secret store",
        "write where the value is, never the value itself",
    ),
    r"^\d+\.\d+\.\d+$": ("not a version", "write it as 1.2.3"),
    r"^[0-9*/,-]+( [0-9*/,-]+){4}$": (
        "not a schedule",
        "write five fields in UTC: minute, hour, day, month, weekday, as `0 4 * * 1`",
    ),
    r"^[0-9]+(\.[0-9]+|m)?$": ("not an amount of processors", "write it as `2` or `500m`"),
    r"^[0-9]+[MG]i$": ("not an amount of memory", "write it as `2Gi` or `512Mi`"),
    r"^[a-z0-9]+([._/-][a-z0-9]+)*$": (
        "not the name of an image alone",
        "leave registry host, tag and digest out, `digest` says which one it is",
    ),
    PINNED_IMAGE: (
        "not an image by its digest: a tag can name something else tomorrow",
        "write REGISTRY/NAME:TAG@sha256:HEX, or let `mlops init --base-image` find the digest",
    ),
    r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?$": (
        "not the address of a forge alone",
        "write `https://HOST`; a token belongs into FORGE_TOKEN, never into a file",
    ),
    r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._-]+$": (
        "not a repository on a forge",
        "write it as OWNER/NAME",
    ),
    r"^(https?://[A-Za-z0-9.:\[\]-]+/|ssh://[A-Za-z0-9._-]+@[A-Za-z0-9.:\[\]-]+/"
    r"|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:)[A-Za-z0-9._/-]+$": (
        "not the address of a repository alone",
        "write `https://HOST/PATH` or `git@HOST:PATH`; a key belongs into a secret of the cluster",
    ),
    r"^(https://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?|[A-Za-z0-9][A-Za-z0-9._-]*)$": (
        "neither the address of an API server nor a name",
        "write `https://HOST`, or the name that Argo CD knows the cluster by",
    ),
    LOG_PLACE: (
        "not a place for a log",
        "write s3://BUCKET/PREFIX, or the absolute path of a folder that pods have",
    ),
    r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?$": (
        "not an address alone",
        "write `https://HOST/PATH` without a user or a token, which belong into a secret",
    ),
}


def is_name(text: str) -> bool:
    """Whether a text is a `Name`."""
    return len(text) <= LONGEST_NAME and re.fullmatch(NAME, text) is not None


def parse(content: bytes, path: str, kind: type[SpecT]) -> SpecT:
    """A YAML (or JSON) file's content as its spec.

    Raises:
        BadInput: with every problem, each as `path: key: what; fix`.
    """
    value = _load_json(content, path) if path.endswith(".json") else load_yaml(content, path)
    return validated(value, path, kind)


def _load_json(content: bytes, path: str) -> Any:
    if binary := not_text(content, path):
        raise BadInput(binary)
    try:
        return json.loads(content)
    except ValueError as error:
        raise BadInput(Problem(path, f"is not valid JSON ({error})", "restore the file")) from error


def validated(value: Any, path: str, kind: type[SpecT]) -> SpecT:
    """A parsed value as its spec; raises `BadInput` with every problem."""
    try:
        # JSON mode: a YAML file has lists and strings where the spec has tuples and enums.
        return kind.model_validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        raise BadInput(_problem(path, entry) for entry in error.errors()) from error


def _problem(path: str, entry: Any) -> Problem:
    kind = entry["type"]
    key = ".".join(str(part) for part in entry["loc"]) or "the file"
    if kind in WHATS:
        return Problem(path, f"{WHATS[kind]} `{key}`", FIXES[kind])
    pattern = (entry.get("ctx") or {}).get("pattern")
    if pattern in PATTERNS:
        what, fix = PATTERNS[pattern]
        # Where a secret's place belongs, the secret itself may have been written.
        given = "***" if pattern == STORE_PATH else shortened(json.dumps(entry["input"]))
        return Problem(path, f"`{key}` is {given}, {what}", fix)
    message = entry["msg"].removeprefix("Value error, ")
    given = json.dumps(entry["input"], default=str)
    fix = FIXES.get(kind, "correct the value")
    return Problem(path, f"`{key}` is {shortened(given)}: {message}", fix)


def shortened(text: str) -> str:
    """A value for a message: no password of an address, at most 60 characters."""
    text = re.sub(r"//[^/@\s]*@", "//***@", text)  # a password in an address
    return text if len(text) <= 60 else text[:57] + "..."


def read(tree: Tree, path: str, kind: type[SpecT]) -> SpecT:
    """Read and validate one file.

    Raises:
        BadInput: when it is missing or wrong.
    """
    found = read_if_there(tree, path, kind)
    if found is None:
        raise BadInput(Problem(path, "file is missing", f"add it ({_purpose(kind)})"))
    return found


def read_if_there(tree: Tree, path: str, kind: type[SpecT]) -> SpecT | None:
    """Like `read`, but None when there is no such file."""
    content = tree.read(path)
    return None if content is None else parse(content, path, kind)


def _purpose(kind: type[Spec]) -> str:
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0].rstrip(".")


def to_yaml(spec: Spec, *, schema: str) -> str:
    """The canonical text of a spec: keys in the order of its fields, absent ones left out."""
    body = dump_yaml(spec.model_dump(mode="json", exclude_none=True, exclude_defaults=False))
    return f"# yaml-language-server: $schema={schema}\n{body}"
