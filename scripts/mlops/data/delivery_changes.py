"""What a contract says of late and duplicate rows otherwise than before.

Taking less than before breaks a batch. Readers count on a key whose values never changed, and a
new choice of the row that is kept gives them other values.
"""

from collections.abc import Iterator
from datetime import timedelta

from mlops.data.contract import Contract
from mlops.data.delivery_policy import LATENESS, TEXTS, Policy, policy_of
from mlops.specs.result import ContractDifference

DEFAULT = "a delivery with a key twice is refused, the newest delivery's row is kept"
REFUSED = {"refuse": {"twice in one", "other values"}, None: {"twice in one"}}
"""What is refused by each `deduplication`."""
FIRST = ("keepFirst", "refuse")
"""Each `deduplication` by which the values of a key never change."""
STRICTNESS = ("accept", "drop", "refuse")


def delivery_changes(before: Contract, after: Contract) -> Iterator[ContractDifference]:
    """Differences of `deduplication`, `allowedLateness`, `lateRows` and `eventTime`."""
    old, new = policy_of(before), policy_of(after)
    if old.deduplication != new.deduplication:
        texts = [TEXTS.get(each.deduplication or "", DEFAULT) for each in (old, new)]
        refused, allowed = (REFUSED.get(each.deduplication, set()) for each in (new, old))
        was_first, is_first = (each.deduplication in FIRST for each in (old, new))
        narrower = not refused <= allowed or (is_first and not was_first)
        yield ContractDifference(
            path="deduplication",
            kind="narrowing" if narrower else "widening",
            text=f"was: {texts[0]}; is: {texts[1]}",
            breaking=narrower or was_first != is_first,
        )
    was, now = _lateness(old), _lateness(new)
    if was != now:
        narrower = _takes_less(old, new)
        yield ContractDifference(
            path=LATENESS,
            kind="narrowing" if narrower else "widening",
            text=f"was: {was}; is: {now}",
            breaking=narrower,
        )


def _lateness(policy: Policy) -> str:
    return policy.texts.get(LATENESS, "rows may be as late as they like")


def _takes_less(old: Policy, new: Policy) -> bool:
    """Whether a row, or a batch, that was taken may not be any more."""
    if new.late_rows == "accept":
        return False
    if old.late_rows == "accept" or old.event_time != new.event_time:
        return True
    stricter = STRICTNESS.index(new.late_rows) > STRICTNESS.index(old.late_rows)
    return stricter or (new.lateness or timedelta()) < (old.lateness or timedelta())
