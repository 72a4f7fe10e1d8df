"""Who may read, who answers and where to ask: what a change of them asks for."""

from typing import Any

import pytest

from mlops.data.contract_changes import differences, needed
from tests.data.test_contract_changes import changed, said

READER = {"role": "analysts", "access": "read"}
CHANNEL = {"channel": "#points", "tool": "slack"}
TEAM = {"name": "Toys", "members": [{"username": "a@example.com", "role": "owner"}]}


@pytest.mark.parametrize(
    ("before", "after", "told", "level"),
    [
        (
            {"roles": [READER]},
            {"roles": []},
            ["roles | removal | analysts may no longer read | breaking"],
            "major",
        ),
        (
            {"roles": [READER]},
            {"roles": [READER | {"access": "write"}]},
            ["roles | narrowing | analysts might read, may write | breaking"],
            "major",
        ),
        (
            {"roles": [READER]},
            {"roles": [READER, {"role": "loaders", "access": "write"}]},
            ["roles | addition | loaders may write now"],
            "minor",
        ),
        (
            {"roles": [READER]},
            {"roles": [READER | {"description": "all of them"}]},
            ["roles | wording | what is said of analysts reads otherwise"],
            "patch",
        ),
        (
            {"support": [CHANNEL]},
            {"support": [{"channel": "#lines"}]},
            [
                "support | removal | the channel #points is gone",
                "support | addition | the channel #lines is new",
            ],
            "minor",
        ),
        (
            {"team": TEAM},
            {"team": TEAM | {"members": [{"username": "b@example.com", "role": "owner"}]}},
            [
                "team | wording | a@example.com is no longer of the team",
                "team | wording | b@example.com is of the team now",
            ],
            "patch",
        ),
        (
            {"team": TEAM},
            {"team": TEAM | {"name": "Toy makers"}},
            ["team | wording | `team` reads otherwise"],
            "patch",
        ),
        ({"team": TEAM}, {"team": TEAM["members"]}, ["team | wording | `team` reads otherwise"], "patch"),
    ],
)  # fmt: skip
def test_each_change_is_told_with_names_and_the_level_it_asks_for(
    before: dict[str, Any], after: dict[str, Any], told: list[str], level: str
) -> None:
    old, new = changed(before), changed(after)
    assert said(new, old) == told
    assert needed(differences(old, new)) == level
