"""The page of a validation beside the result: for whom it is made, and its digest."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlops import digests
from mlops.checks.context import Context
from mlops.data.contract import contract_path, is_open
from mlops.data.pin import Pin, fetch, pin_path
from mlops.files import write_whole
from mlops.report.pages import LARGEST, MOST, page_file

if TYPE_CHECKING:
    from mlops.data.contract import Contract
    from mlops.data.profiles import Profile
    from mlops.data.validation import Report


def is_wanted(context: Context, dataset: str) -> bool:
    """Whether the change touches the dataset's version or its contract, and files are wanted.

    All shares together make no more than a report takes.
    """
    if context.out is None:
        return False
    changed = set(context.changed)
    own = [
        name
        for name in context.share.names
        if not changed.isdisjoint((contract_path(name), pin_path(name)))
    ]
    return dataset in own[: max(1, MOST // context.share.of)]


def write_page(context: Context, pin: Pin, report: "Report") -> str | None:
    """Write what was found of a version beside the result; the digest of the page.

    None when no files are wanted, or the page is longer than a report takes: then the report
    names the command that makes it.
    """
    if context.out is None:
        return None
    from mlops.data.validation import profiles_of_file
    from mlops.report.data_page import data_page

    subject, contract = pin_path(pin.dataset), report.contract
    columns = profiles_of_file(contract, fetch(context.repo, pin), subject=subject)
    shown = {name: _open(contract, name, profile) for name, profile in columns.items()}
    page = data_page(replace(report, subject=subject), shown, made=datetime.now(UTC)).encode()
    if len(page) > LARGEST:
        return None
    write_whole(context.out / page_file(pin.dataset), page)
    return digests.of_bytes(page)


def _open(contract: "Contract", name: str, profile: "Profile") -> "Profile":
    """Without values that not everybody may read: who reads the code may read an artifact."""
    column = next((each for each in contract.columns if each.name == name), None)
    if column is None or is_open(column.classification):
        return profile
    return replace(profile, quantiles=(), top=())
