"""Who is to be told about a dataset: the contract's `team` and `support`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from mlops.data.contract import Contract, read_contract
from mlops.errors import MlopsError
from mlops.repository import Layout

NOBODY = "nobody named in the contract"


@dataclass(frozen=True)
class Contacts:
    """Who answers for a dataset, and where; empty where the contract does not say.

    Attributes:
        team: the team's name.
        owner: username (often an e-mail address) of the member whose role is owner.
        channel: name of the channel for issues, or else of the first one.
        url: its address.
    """

    team: str = ""
    owner: str = ""
    channel: str = ""
    url: str = ""

    @property
    def who(self) -> str:
        """The team and its owner, for people."""
        if self.team and self.owner:
            return f"{self.team} ({self.owner})"
        return self.team or self.owner or NOBODY

    @property
    def where(self) -> str:
        """The channel and its address, for people; empty when there is none."""
        return " ".join(part for part in (self.channel, self.url) if part)

    def __str__(self) -> str:
        return f"{self.who}, {self.where}" if self.where else self.who

    def as_json(self) -> dict[str, str]:
        """For machines."""
        return asdict(self)


def contacts(contract: Contract) -> Contacts:
    """Who a contract names.

    Both forms of `team` are read: version 3.1's, and the list of members of those before. Nothing
    is raised: these keys are for people, and a contract is not refused for them.
    """
    said = contract.model_extra or {}
    team, channel = said.get("team"), _channel(said.get("support"))
    return Contacts(
        team=_text(team, "name"),
        owner=_owner(team.get("members") if isinstance(team, dict) else team),
        channel=_text(channel, "channel"),
        url=_text(channel, "url"),
    )


def contacts_of(layout: Layout, dataset: str) -> Contacts:
    """Like `contacts`, by the dataset's name; empty when its contract cannot be read."""
    try:
        return contacts(read_contract(layout, dataset))
    except MlopsError:
        return Contacts()


def _owner(members: Any) -> str:
    """The owner of today: one who has left (`dateOut`) is none."""
    here = [member for member in _dicts(members) if not member.get("dateOut")]
    owners = (one for one in here if _text(one, "role").lower() == "owner")
    return _text(next(owners, None), "username")


def _channel(support: Any) -> dict[str, Any] | None:
    channels = list(_dicts(support))
    issues = (one for one in channels if one.get("scope") == "issues")
    return next(issues, channels[0] if channels else None)


def _dicts(values: Any) -> Iterator[dict[str, Any]]:
    if isinstance(values, list | tuple):
        yield from (value for value in values if isinstance(value, dict))


def _text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    # One line: it goes into messages, tables and labels.
    return " ".join(str(found).split()) if found is not None else ""
