"""Who may read a dataset, who answers for it and where to ask: what differs from what it was."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mlops.data.contract import Contract
from mlops.specs.result import ContractDifference

PEOPLE = ("roles", "support", "team")
Entries = Mapping[str, Mapping[str, Any]]


def people_changes(before: Contract, after: Contract) -> Iterator[ContractDifference]:
    """Differences of `roles`, `support` and `team`; a role that goes breaks who reads by it."""
    for key, called in (("roles", "role"), ("support", "channel"), ("team", "username")):
        one, other = ((each.model_extra or {}).get(key) for each in (before, after))
        if one != other:
            yield from _key(key, called, one, other)


def _key(key: str, called: str, before: Any, after: Any) -> Iterator[ContractDifference]:
    old, new = _entries(before, called), _entries(after, called)
    found = [
        *(_gone(key, name, old[name]) for name in old if name not in new),
        *(_come(key, name, new[name]) for name in new if name not in old),
        *(_other(key, name, old[name], new[name]) for name in new if name in old),
    ]
    told = [each for each in found if each]
    yield from told
    if not told:
        yield _told(key, "wording", f"`{key}` reads otherwise")


def _entries(value: Any, called: str) -> Entries:
    """The entries by name; a team's are its members, which before v3.1 were the list itself."""
    entries = value.get("members") if isinstance(value, dict) else value
    return {str(each.get(called, "")): each for each in entries or ()}


def _gone(key: str, name: str, entry: Mapping[str, Any]) -> ContractDifference:
    if key == "team":
        return _told(key, "wording", f"{name} is no longer of the team")
    if key == "support":
        return _told(key, "removal", f"the channel {name} is gone")
    return _told(key, "removal", f"{name} may no longer {_access(entry)}", breaking=True)


def _come(key: str, name: str, entry: Mapping[str, Any]) -> ContractDifference:
    if key == "team":
        return _told(key, "wording", f"{name} is of the team now")
    if key == "support":
        return _told(key, "addition", f"the channel {name} is new")
    return _told(key, "addition", f"{name} may {_access(entry)} now")


def _other(
    key: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> ContractDifference | None:
    if key == "roles" and _access(old) != _access(new):
        text = f"{name} might {_access(old)}, may {_access(new)}"
        return _told(key, "narrowing", text, breaking=True)
    return None if old == new else _told(key, "wording", f"what is said of {name} reads otherwise")


def _access(role: Mapping[str, Any]) -> str:
    return str(role.get("access", "read"))


def _told(
    key: str,
    kind: Literal["addition", "narrowing", "removal", "wording"],
    text: str,
    *,
    breaking: bool = False,
) -> ContractDifference:
    return ContractDifference(path=key, kind=kind, text=text, breaking=breaking)
