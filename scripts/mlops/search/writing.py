"""Found parameters in model.yaml: the values alone change, every other byte stays."""

from collections.abc import Mapping

import yaml

from mlops.errors import BadInput, bad_input
from mlops.specs.base import parse
from mlops.specs.model import Model
from mlops.specs.search import Value

PLACE = ("training", "params")


def with_params(content: bytes, path: str, params: Mapping[str, Value]) -> bytes:
    """A model.yaml whose `training.params` has these values; comments and layout stay.

    Raises:
        BadInput: when it is wrong, or a value has no place of its own in it.
    """
    before = parse(content, path, Model)
    written = _replaced(content.decode(), params).encode()
    if _read(written, path) != _expected(before, params):
        raise bad_input(
            path,
            "has values of `training.params` that stand or are used elsewhere (`*`, `&`)",
            "write them out in `training.params`, then run this again",
        )
    return written


def _replaced(text: str, params: Mapping[str, Value]) -> str:
    """The text with other values in the places where these stand."""
    nodes = _nodes(text)
    for name in sorted(params, key=lambda name: nodes[name].start_mark.index, reverse=True):
        start, end = nodes[name].start_mark.index, nodes[name].end_mark.index
        text = text[:start] + _scalar(params[name]) + text[end:]
    return text


def _read(content: bytes, path: str) -> Model | None:
    try:
        return parse(content, path, Model)
    except BadInput:
        return None


def _nodes(text: str) -> dict[str, yaml.Node]:
    """The node of each value of `training.params`."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    for key in PLACE:
        node = _values(node)[key]
    return _values(node)


def _values(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value}


def _scalar(value: Value) -> str:
    """A value as YAML reads it again; `1e-05` alone would be text."""
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip()


def _expected(before: Model, params: Mapping[str, Value]) -> Model:
    merged = {**before.training.params, **params}
    training = before.training.model_copy(update={"params": merged})
    return before.model_copy(update={"training": training})
