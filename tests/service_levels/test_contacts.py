"""Whom a contract names."""

from typing import Any

import pytest

from mlops.repository import Repository
from mlops.service_levels.contacts import NOBODY, contacts, contacts_of
from tests.service_levels.test_promises import contract_of
from tests.team import ROOT

OWNER = {"username": "daustin", "role": "Owner"}
GONE = {"username": "ceastwood", "role": "owner", "dateOut": "2022-10-01"}


@pytest.mark.parametrize("team", [{"name": "TSC", "members": [GONE, OWNER]}, [GONE, OWNER]])
def test_the_owner_is_who_is_it_today_in_both_forms_of_the_standard(team: Any) -> None:
    assert contacts(contract_of(team=team)).owner == "daustin"


def test_the_channel_for_issues_comes_first() -> None:
    chat, issues = (
        {"channel": "#chat"},
        {"channel": "tickets", "scope": "issues", "url": "https://x"},
    )
    assert contacts(contract_of(support=[chat, issues])).where == "tickets https://x"
    assert contacts(contract_of(support=[chat])).where == "#chat"


@pytest.mark.parametrize("said", [None, "us", 3, [1, None], {"members": "all"}, [{}]])
def test_whatever_stands_there_is_no_error(said: Any) -> None:
    found = contacts(contract_of(team=said, support=said))
    assert (found.who, found.where) == (NOBODY, "")


def test_a_dataset_without_a_contract_names_nobody() -> None:
    assert str(contacts_of(Repository.at(ROOT), "no-such")) == NOBODY
