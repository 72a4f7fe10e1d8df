"""A contract's file as it was written: what it says, and where each thing stands."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from mlops.errors import Problem, bad_input
from mlops.files import load_yaml

Place = tuple[str | int, ...]
"""Keys and positions from the top of the file: `("schema", 0, "name")`."""
NAMED = ("schema", "properties")
"""Lists whose entries are called by name."""


@dataclass(frozen=True)
class Document:
    """A contract's file; one that has the same text is equal, wherever it lies.

    Attributes:
        path: of the file, for messages.
        text: the file.
        value: what it says, as JSON has it (dates are text).
    """

    path: str = field(compare=False)
    text: bytes
    value: Any = field(compare=False)

    def problem(self, place: Place, what: str, fix: str) -> Problem:
        """A problem at a place of the file."""
        if not place:
            return Problem(self.path, what, fix)
        return Problem(self.path, f"line {self.line(place)}: `{self.named(place)}` {what}", fix)

    def named(self, place: Place) -> str:
        """A place in words, tables and columns by name: `orders.amount.quality.0`."""
        words: list[str] = []
        value: Any = self.value
        for before, part in zip((None, *place), place, strict=False):
            value = _inside(value, part)
            if before in NAMED and isinstance(value, dict):
                words[-1:] = [str(value.get("name", f"{before}.{part}"))]
            else:
                words.append(str(part))
        return ".".join(words)

    def line(self, place: Place) -> int:
        """The line a place starts in, from 1; of what is not there, that of what is around it."""
        node, line = self._top, 1
        for part in place:
            found = _entry(node, part)
            if found is None:
                break
            line, node = found
        return line

    @cached_property
    def _top(self) -> Any:
        return yaml.compose(self.text, Loader=yaml.CSafeLoader)


def _inside(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _entry(node: Any, part: str | int) -> tuple[int, Any] | None:
    """Line and node of an entry of a YAML list or mapping."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
    return None


def document(text: bytes, path: str) -> Document:
    """A contract's file, parsed.

    Raises:
        BadInput: when it is not YAML, or says what JSON cannot.
    """
    value = load_yaml(text, path)
    try:
        plain = json.loads(json.dumps(value, default=str))
    except (ValueError, RecursionError) as error:
        raise bad_input(path, "has a value that contains itself", "write it out") from error
    except TypeError as error:
        raise bad_input(path, f"has a key that is no text ({error})", "write text") from error
    return Document(path, text, plain)
