"""Writing files whole or not at all, and YAML in one canonical form."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from mlops.errors import BadInput, Problem, bad_input
from mlops.lineage import told


def read_whole(path: Path) -> bytes:
    """A file's bytes, told to the step under way; raises `OSError` when it cannot be read."""
    content = path.read_bytes()
    told.read(path, content)
    return content


def write_whole(path: Path, content: bytes | str) -> None:
    """Replace a file in one step: temporary file beside it, fsync, rename.

    A kill or a full disk at any moment leaves the old file as it was.

    Raises:
        BadInput: when the disk refuses (full, read-only, no permission).
    """
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file to write to and read; it takes the file's place when the block ends well.

    The step under way is told of it.

    Raises:
        BadInput: when the disk refuses, also for an OSError of the block.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _refused(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        told.wrote_file(path, temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _refused(path: Path, error: OSError) -> Exception:
    return bad_input(
        path,
        f"could not be written ({error.strerror})",
        "free the disk or the permission and run the command again, this file is as it was",
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Loader(yaml.CSafeLoader):
    """Safe YAML in which a key given twice is an error instead of the last one winning."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, list | dict | set):
            what = "a key is a list or a mapping"
            raise yaml.constructor.ConstructorError(None, None, what, key_node.start_mark)
        if key in keys:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} stands twice", key_node.start_mark
            )
        keys.add(key)
    loader.flatten_mapping(node)
    return yaml.constructor.SafeConstructor.construct_mapping(loader, node, deep=True)


def _timestamp(loader: _Loader, node: yaml.ScalarNode) -> Any:
    try:
        return yaml.constructor.SafeConstructor.construct_yaml_timestamp(loader, node)
    except ValueError as error:
        what = f"{node.value} is no date: {error}"
        raise yaml.constructor.ConstructorError(None, None, what, node.start_mark) from error


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)
MOST_VALUES = 1_000_000
"""Of a document, written out: a few lines of aliases to aliases stand for more than fits."""


def load_yaml(text: bytes | str, path: str) -> Any:
    """Parse one YAML document.

    Raises:
        BadInput: with the line, when the text is not YAML or has a key twice, or is no text; when
            it nests too deeply, or stands for too many values.
    """
    if isinstance(text, bytes) and (binary := not_text(text, path)):
        raise BadInput(binary)
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
        many = _values(value, {})
    except RecursionError as error:
        raise bad_input(path, "nests too deeply to be read", "write it flatter") from error
    except yaml.YAMLError as error:
        raise bad_input(
            path, f"is not valid YAML ({_where(error)})", "correct that line"
        ) from error
    if many > MOST_VALUES:
        what = f"stands for {many:,} values, by aliases to aliases"
        raise bad_input(path, what, f"write {MOST_VALUES:,} at most")
    return value


def _values(value: Any, known: dict[int, int]) -> int:
    """How many values there are when each alias is written out; counted once for each object."""
    if not isinstance(value, list | dict):
        return 1
    if id(value) not in known:
        inside = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_values(each, known) for each in inside)
    return known[id(value)]


def not_text(content: bytes, path: str) -> Problem | None:
    """What is wrong with a file that should be text (UTF-8, no NUL) and is not; None when it is."""
    zero = content.find(b"\0")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        zero = error.start if zero < 0 else min(error.start, zero)
    if zero < 0:
        return None
    kind = "YAML" if path.endswith((".yaml", ".yml")) else "text"
    what = f"is binary (byte {zero} is not UTF-8 text) where {kind} is expected"
    return Problem(path, what, "restore the file, or name it for what it is")


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = " ".join((getattr(error, "problem", None) or str(error)).split())
    return f"line {mark.line + 1}: {problem}" if mark else problem


class _Dumper(yaml.CSafeDumper):
    """Block style, keys in the order given, no aliases: diffs stay one line a change."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump_yaml(value: Any) -> str:
    """The one canonical text of a value; keys keep their order."""
    return yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=False,
    )
