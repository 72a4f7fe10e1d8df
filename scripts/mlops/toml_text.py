"""Setting values in a TOML file as a person would: comments, order and all else stay."""

import json
import re
import tomllib
from collections.abc import Mapping

from mlops.errors import BadInput, bad_input

Values = Mapping[str, Mapping[str, object]]
"""Strings and lists of strings by section and key."""
SECTION = re.compile(r"\s*\[")


def with_values(text: str, wanted: Values, path: str) -> str:
    """The text with values set, each on a line of its section.

    Args:
        text: a TOML file of sections with keys.
        wanted: what is to hold afterwards.
        path: the file's name, for problems.

    Raises:
        BadInput: when the file is not TOML, or a value stands on several lines.
    """
    lines = text.removesuffix("\n").split("\n")
    before = _parsed(text, path)
    expected = {**before}
    for section, values in wanted.items():
        held = before.get(section, {})
        for key, value in values.items():
            if held.get(key) != value:
                _set(lines, section, key, value)
        if values:
            expected[section] = {**held, **values}
    new = "".join(f"{line}\n" for line in lines)
    if _parsed(new, path) != expected:
        raise _unclear(path, wanted)
    return new


def _set(lines: list[str], section: str, key: str, value: object) -> None:
    start, end = _bounds(lines, section)
    entry = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    for number in range(start, end):
        if re.match(rf"\s*{re.escape(key)}\s*=", lines[number]):
            comment = _comment(lines[number])
            lines[number] = f"{entry}   {comment}" if comment else entry
            return
    lines.insert(_after_last(lines, start, end), entry)


def _bounds(lines: list[str], section: str) -> tuple[int, int]:
    """The lines of a section after its head, which is added when it is not there."""
    heads = [number for number, line in enumerate(lines) if SECTION.match(line)]
    for number, head in enumerate(heads):
        if re.fullmatch(rf"\s*\[{re.escape(section)}\]\s*(#.*)?", lines[head]):
            return head + 1, heads[number + 1] if number + 1 < len(heads) else len(lines)
    lines += ["", f"[{section}]"]
    return len(lines), len(lines)


def _after_last(lines: list[str], start: int, end: int) -> int:
    """Where a new key goes: before the blank lines and comments that introduce what follows."""
    while end > start and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _comment(line: str) -> str:
    """The comment at the end of a line with a whole value, or nothing."""
    for place in [number for number, char in enumerate(line) if char == "#"]:
        try:
            tomllib.loads(line[:place])
        except tomllib.TOMLDecodeError:
            continue
        return line[place:]
    return ""


def _parsed(text: str, path: str) -> dict[str, dict[str, object]]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise bad_input(path, f"is not valid TOML ({error})", "correct that line") from error


def _unclear(path: str, wanted: Values) -> BadInput:
    keys = ", ".join(f"{section}.{key}" for section in wanted for key in wanted[section])
    return bad_input(
        path,
        f"one of {keys} does not stand on a line of its own",
        "write each value on one line, or change it yourself",
    )
