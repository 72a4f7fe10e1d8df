"""The ruleset of the main branch: the file in GitHub's form, and a forge's settings beside it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.errors import Problem, bad_input
from mlops.forges.base import Check, Protection
from mlops.repository import Layout

PATH = ".github/rulesets/main.json"
CHECKS = "required_status_checks"


@dataclass(frozen=True)
class Required:
    """A check that has to be green; `app` says it when anybody else's word does not count."""

    name: str
    app: int | None

    def met(self, checks: tuple[Check, ...]) -> bool:
        """Whether it was said, and whoever said it said it is good."""
        said = [check for check in checks if check.name == self.name and self._counts(check)]
        return bool(said) and all(check.state == "success" for check in said)

    def state(self, checks: tuple[Check, ...]) -> str:
        """What is lacking, in words."""
        said = {check.state for check in checks if check.name == self.name and self._counts(check)}
        if not said:
            return "has not said anything"
        return "has failed" if "failure" in said else "is still running"

    def _counts(self, check: Check) -> bool:
        return self.app is None or check.app == self.app


@dataclass(frozen=True)
class Ruleset:
    """What .github/rulesets/main.json asks for; `values` is flat, see `flat`."""

    name: str
    values: Mapping[str, object]
    required: tuple[Required, ...]

    def required_on(self, kind: str) -> tuple[Required, ...]:
        """The required checks; only GitHub knows which app said what."""
        if kind == "github":
            return self.required
        return tuple(Required(each.name, None) for each in self.required)

    def get(self, name: str) -> Any:
        """A value, or None when the file does not ask for it."""
        return self.values.get(name)


def read_ruleset(layout: Layout) -> Ruleset:
    """The ruleset of a tree.

    Raises:
        BadInput: when the file is missing or not of GitHub's form.
    """
    content = layout.tree.read(PATH)
    if content is None:
        raise bad_input(PATH, "file is missing", "restore it from the template")
    try:
        value = json.loads(content)
        values = flat(value)
        required = tuple(_required(value))
        return Ruleset(str(value["name"]), values, required)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"is not a ruleset in GitHub's form ({type(error).__name__}: {error})"
        raise bad_input(PATH, what, "restore it, or export it again from GitHub") from error


def _required(value: Any) -> Iterator[Required]:
    for rule in value["rules"]:
        if rule["type"] == CHECKS:
            for check in rule["parameters"][CHECKS]:
                yield Required(check["context"], check.get("integration_id"))


def flat(value: Any) -> dict[str, object]:
    """A ruleset as settings by name: `<rule>` and `<rule>.<parameter>`, lists sorted."""
    refs = value["conditions"]["ref_name"]
    found: dict[str, object] = {
        "enforcement": value["enforcement"],
        "include": _sorted(refs["include"]),
        "exclude": _sorted(refs["exclude"]),
        "bypass_actors": _sorted(value.get("bypass_actors") or []),
    }
    for rule in value["rules"]:
        found[rule["type"]] = True
        for name, parameter in (rule.get("parameters") or {}).items():
            listed = isinstance(parameter, list)
            found[f"{rule['type']}.{name}"] = _sorted(parameter) if listed else parameter
    return found


def _sorted(values: Any) -> list[str]:
    return sorted(each if isinstance(each, str) else _shown(each) for each in values)


def _shown(value: Any) -> str:
    """An entry in words; what a forge adds to it without meaning is left out."""
    return json.dumps({key: one for key, one in value.items() if one is not None}, sort_keys=True)


def differences(ruleset: Ruleset, found: Protection, kind: str, main: str) -> list[Problem]:
    """One problem for each setting of the forge that is not what the file asks for.

    Args:
        ruleset: what the file asks for.
        found: what the forge has.
        kind: of the forge, "github" or "gitea".
        main: the name of the main branch.
    """
    where = f"ruleset {ruleset.name}" if kind == "github" else f"protection of {main}"
    if not found.values:
        fix = _import_fix() if kind == "github" else f"protect {main} in Settings, Branches"
        return [Problem(where, "is not on the forge", fix)]
    wanted = dict(ruleset.values) if kind == "github" else gitea_values(ruleset)
    problems = [
        Problem(where, f"`{name}` is {_told(found.values.get(name))}", _fix(kind, name, value))
        for name, value in wanted.items()
        if name not in found.unseen and not _meets(kind, name, found.values.get(name), value)
    ]
    if kind == "github":
        more = [name for name in found.values if "." not in name and name not in wanted]
        fix = f"take it out there, or add it to {PATH}"
        problems += [
            Problem(where, f"has the rule `{name}` beside the file's", fix) for name in more
        ]
    return problems


def gitea_values(ruleset: Ruleset) -> dict[str, object]:
    """What the file asks for in the words of Gitea's branch protection, which has fewer."""
    strict = ruleset.get(f"{CHECKS}.strict_required_status_checks_policy")
    wanted: dict[str, object] = {}
    if ruleset.get("pull_request"):
        stale = ruleset.get("pull_request.dismiss_stale_reviews_on_push")
        wanted |= {
            "enable_push": False,
            "required_approvals": ruleset.get("pull_request.required_approving_review_count"),
            "dismiss_stale_approvals": stale,
        }
    if ruleset.get(CHECKS):
        wanted |= {
            "enable_status_check": True,
            "status_check_contexts": sorted(each.name for each in ruleset.required),
            "block_on_outdated_branch": bool(strict),
        }
    if ruleset.get("non_fast_forward"):
        wanted["enable_force_push"] = False
    if not ruleset.get("bypass_actors"):
        wanted["block_admin_merge_override"] = True
    return wanted


def _meets(kind: str, name: str, value: object, wanted: object) -> bool:
    if kind == "gitea" and name == "required_approvals":
        return isinstance(value, int) and isinstance(wanted, int) and value >= wanted
    if isinstance(value, list) and kind == "gitea":
        value = sorted(value)
    return value == wanted


def _told(value: object) -> str:
    if value is None:
        return "not set"
    return json.dumps(value)


def _fix(kind: str, name: str, value: object) -> str:
    if kind == "github":
        return f"make it {json.dumps(value)} there, or {_import_fix()}"
    return f"set it to {json.dumps(value)} in Settings, Branches"


def _import_fix() -> str:
    return f"import {PATH} in Settings, Rules, Rulesets"
