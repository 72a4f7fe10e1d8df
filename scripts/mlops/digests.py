"""Content digests: of bytes, of JSON values, of sets of files."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PREFIX = "sha256:"


def of_bytes(content: bytes) -> str:
    """`sha256:<64 hex>` of the bytes."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def of_json(value: Any) -> str:
    """Digest of a JSON value, independent of the order of its keys."""
    return of_bytes(canonical_json(value))


def canonical_json(value: Any) -> bytes:
    """One byte string for one JSON value: sorted keys, no spaces, UTF-8, no NaN."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def of_files(files: Mapping[str, bytes]) -> str:
    """Digest of a set of files, given as relative POSIX path to content."""
    return of_json({path: of_bytes(content) for path, content in files.items()})


def of_folder(folder: Path, *, leave_out: Iterable[str] = ()) -> str:
    """Digest of all files below a folder: names and contents, not times or modes."""
    skipped = frozenset(leave_out)
    entries = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    return of_json({name: of_file(path) for name, path in entries.items() if name not in skipped})


def of_file(path: Path) -> str:
    """Digest of a file's content, read in pieces."""
    with path.open("rb") as file:
        return PREFIX + hashlib.file_digest(file, "sha256").hexdigest()


def short(digest: str) -> str:
    """The first twelve hex digits, for people."""
    return digest.removeprefix(PREFIX)[:12]
