"""Kubernetes objects as the text of a rendered file, in one canonical form."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

PATH = "scripts/mlops/manifest_text.py"
RENDERER = "1"
"""Raised whenever the same objects give another text."""
NOT_TEXT = re.compile(r"[-+.]*[0-9][-+.0-9a-fox_]*|[yn]", re.IGNORECASE)
"""What some reader of YAML takes for a number or a truth value, though this one's does not."""


class _Dumper(yaml.CSafeDumper):
    """Block style, keys in the order given, a text of several lines as one."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if NOT_TEXT.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)


def text_of(documents: Sequence[Mapping[str, Any]], source: str) -> str:
    """The text of a rendered file: a head that says what it is made of, then each object."""
    head = (
        f"# Rendered by mlops, renderer {RENDERER}, from {source}.\n"
        "# Never edit this file: change those and run `mlops render`.\n"
    )
    texts = (
        yaml.dump(each, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
        for each in documents
    )
    return head + "".join(f"---\n{text}" for text in texts)
