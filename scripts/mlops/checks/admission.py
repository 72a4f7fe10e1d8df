"""The admission policies of infra/policies, held to rendered manifests before any cluster is.

The expressions are those that the API server evaluates, in the same language (CEL, Google's own
C++ implementation). What differs there: objects are typed by their schema, and here by what is in
them, so that a key which is absent is an error in both, and a number in a text's place only there.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import yaml

from mlops.environments.clusters import POLICIES, policies
from mlops.errors import Problem, bad_input
from mlops.repository import Layout

Document = Mapping[str, Any]
FIX = "change it back, or render it again: mlops render"


class Policy:
    """One ValidatingAdmissionPolicy, its expressions compiled once.

    Attributes:
        name: as in its file.
    """

    def __init__(self, path: str, policy: Document) -> None:
        self._path, self._spec = path, policy["spec"]
        self.name: str = policy["metadata"]["name"]

    def looks_at(self, document: Document) -> bool:
        """Whether the policy is asked when an object of this kind is created."""
        group, _, version = str(document["apiVersion"]).rpartition("/")
        plural = f"{str(document['kind']).lower()}s"
        rules = self._spec["matchConstraints"].get("resourceRules") or []
        return any(
            _is_among(group, rule.get("apiGroups"))
            and _is_among(version, rule.get("apiVersions"))
            and _is_among(plural, rule.get("resources"))
            and _is_among("CREATE", rule.get("operations"))
            for rule in rules
        )

    def refusals(self, document: Document) -> list[str]:
        """The message of each validation that an object does not meet, in their order.

        Raises:
            BadInput: when an expression is not one of CEL.
        """
        known: dict[str, Any] = {}
        given = {"object": json.loads(json.dumps(document, default=str)), "variables": known}
        for name, expression in self._variables:
            value = expression.eval(data=given)
            if _is_error(value):
                return [f"cannot be judged by policy {self.name} ({_words(value.value())})"]
            known[name] = value.plain_value()
        return [told for each in self._validations if (told := self._told(*each, given))]

    def _told(self, expression: Any, message: str, given: Mapping[str, Any]) -> str | None:
        value = expression.eval(data=given)
        if _is_error(value):
            return f"cannot be judged by policy {self.name} ({_words(value.value())})"
        return None if value.plain_value() is True else message

    @cached_property
    def _variables(self) -> list[tuple[str, Any]]:
        given = self._spec.get("variables") or []
        return [(str(each["name"]), self._compiled(each["expression"])) for each in given]

    @cached_property
    def _validations(self) -> list[tuple[Any, str]]:
        given = self._spec.get("validations") or []
        return [
            (self._compiled(each["expression"]), str(each.get("message") or each["expression"]))
            for each in given
        ]

    @cached_property
    def _language(self) -> Any:
        try:
            from cel_expr_python import cel
        except ImportError as error:
            fix = "run scripts/setup"
            raise bad_input("cel-expr-python", "is not installed here", fix) from error
        return cel.NewEnv(variables={"object": cel.Type.DYN, "variables": cel.Type.DYN})

    def _compiled(self, expression: str) -> Any:
        try:
            return self._language.compile(expression)
        except RuntimeError as error:
            what = f"an expression is not CEL ({_words(str(error))})"
            raise bad_input(
                self._path, what, "correct it, the API server would refuse it"
            ) from error


def refused(layout: Layout, paths: Iterable[str]) -> list[Problem]:
    """What the policies of a tree refuse in its rendered manifests.

    Args:
        layout: the files; a manifest that is no YAML is left to the checks of its text.
        paths: of the manifests; those that are not there are left out.

    Raises:
        BadInput: when a policy is wrong.
    """
    held = [Policy(path, policy) for path, policy in policies(layout).items()]
    texts = layout.tree.read_many(paths)
    return [
        Problem(path, f"{document['kind']} {_name(document)}: {what}", fix or FIX)
        for path, text in texts.items()
        for document in _documents(text)
        for policy in held
        if policy.looks_at(document)
        for what, _, fix in (message.partition("; ") for message in policy.refusals(document))
    ]


def is_policy(path: str) -> bool:
    """Whether a file is a policy: then every manifest is looked at."""
    return path.startswith(f"{POLICIES}/") and path.endswith(".yaml")


def _documents(text: bytes) -> Iterator[Document]:
    try:
        found = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError):
        return
    for each in found:
        if isinstance(each, dict) and {"apiVersion", "kind"} <= each.keys():
            yield each


def _name(document: Document) -> str:
    metadata = document.get("metadata")
    return str(metadata.get("name", "?")) if isinstance(metadata, dict) else "?"


def _is_among(given: str, wanted: Iterable[str] | None) -> bool:
    return any(each in ("*", given) for each in wanted or ())


def _is_error(value: Any) -> bool:
    return str(value.type()) == "ERROR"


def _words(text: object) -> str:
    """The first line of what CEL says, without its place in a file that is none."""
    first = str(text).strip().splitlines()[0]
    return first.removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: <input>:")
