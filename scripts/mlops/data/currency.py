"""Whether a dataset is made of the versions that its sources are pinned at now."""

from collections.abc import Iterable

from mlops import digests
from mlops.data.derivation import sources_of
from mlops.data.pin import Pin, pin_path, read_pin
from mlops.errors import Problem
from mlops.repository import Layout


def outdated(layout: Layout, pin: Pin) -> list[Problem]:
    """Each source of which a tree pins another version than the one this was made of.

    Raises:
        BadInput: when a source has no version, or the contract's sources are wrong.
    """
    return apart(pin, [read_pin(layout, name) for name in sources_of(layout, pin.dataset)])


def apart(pin: Pin, sources: Iterable[Pin]) -> list[Problem]:
    """Each of these versions that is not the one of its dataset that a version was made of."""
    made_of = {each.dataset: digests.PREFIX + each.sha256 for each in pin.sources}
    return [
        Problem(
            pin_path(pin.dataset),
            f"is made of {_short(made_of.get(each.dataset))} of {each.dataset}, "
            f"{pin_path(each.dataset)} pins {digests.short(each.digest)}",
            f"mlops data derive {pin.dataset}, then commit the pin",
        )
        for each in sources
        if made_of.get(each.dataset) != each.digest
    ]


def _short(digest: str | None) -> str:
    return digests.short(digest) if digest else "no version"
