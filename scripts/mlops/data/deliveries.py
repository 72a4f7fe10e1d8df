"""The deliveries that a version has, where its contract speaks of late or duplicate rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from mlops import digests
from mlops.data.current import Current
from mlops.data.delivery import State, moved_on
from mlops.data.delivery_policy import Policy
from mlops.data.pin import Deliveries, Delivery


def state_of(policy: Policy, old: Current | None) -> State:
    """The version as a delivery meets it."""
    if old is None:
        return State()
    before = old.pin.deliveries
    newest = before.newest if before.event_time == policy.event_time else None
    return moved_on(policy, State(old.rows, newest), old.rows)


def not_known(policy: Policy, old: Current | None, files: Sequence[Path]) -> list[Path]:
    """The files to take: where the contract has a policy, those that the version does not have."""
    if not policy.is_said:
        return list(files)
    pin = old.pin if old else None
    known = {each.sha256 for each in pin.deliveries.taken} if pin else set()
    known |= {each.sha256 for each in pin.raw} if pin else set()
    taken = []
    for file in files:
        if (sha256 := _sha256(file)) not in known:
            taken.append(file)
        known.add(sha256)
    return taken


def _sha256(file: Path) -> str:
    return digests.of_file(file).removeprefix(digests.PREFIX)


def with_taken(
    policy: Policy,
    old: Current | None,
    taken: Mapping[Path, Mapping[str, int]],
    newest: datetime | None,
) -> Deliveries:
    """What the pin of the new version records.

    Args:
        policy: the contract's.
        old: the version before.
        taken: the files, each with how many of its rows were dropped, by kind.
        newest: the newest event that was ever taken.
    """
    before = old.pin.deliveries if old else Deliveries()
    if not policy.is_said:
        return before
    new = (Delivery(sha256=_sha256(file), **counts) for file, counts in taken.items())
    return Deliveries(taken=(*before.taken, *new), event_time=policy.event_time, newest=newest)
