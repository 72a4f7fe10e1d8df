"""The status of datasets in Prometheus' text format, for a node exporter's textfile folder.

Where something is not asked or not known there is no sample: a figure is never made up. Moments
are Unix seconds, so that a rule can compare them with `time()`: a dataset becomes late without
anybody writing the file again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mlops.service_levels.status import Status

if TYPE_CHECKING:
    from prometheus_client import Gauge

INFO = "mlops_dataset_info"
DUE = "mlops_dataset_due_timestamp_seconds"
GAPS = "mlops_dataset_gaps"
LOST = "mlops_dataset_lost_versions"
BROKEN = "mlops_dataset_broken_rules"
WAITING = "mlops_dataset_quarantined_batches"
LOOKED = "mlops_dataset_status_timestamp_seconds"
# Name of a gauge -> the field of `Figures` that it shows, and its help text.
METRICS = {
    "mlops_dataset_rows": ("rows", "Rows of the pinned version."),
    "mlops_dataset_newest_timestamp_seconds": (
        "newest",
        "Newest moment of the pinned rows, or else when their version was committed.",
    ),
    "mlops_dataset_pinned_timestamp_seconds": ("pinned", "When the pinned version was committed."),
    DUE: ("due", "When newer rows have to be there; none where the contract does not ask."),
    GAPS: ("gaps", "Spans between the first and the newest row in which rows are missing."),
    LOST: ("lost", "Versions pinned within the retention that cannot be had any more."),
    BROKEN: ("broken", "Rules of the contract that the pinned version breaks."),
    WAITING: ("waiting", "Batches in quarantine that nothing was decided of."),
    "mlops_dataset_quarantine_oldest_timestamp_seconds": (
        "waiting_since",
        "When the oldest of the batches that wait was kept aside.",
    ),
}


def exposition(statuses: Sequence[Status], now: datetime) -> str:
    """The whole text.

    A dataset of which something could not be looked at has no `LOOKED`, so that it shows.

    Args:
        statuses: of the datasets.
        now: when they were looked at.
    """
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    text = "Always 1: the contract's version and where in its life a dataset is."
    info = Gauge(INFO, text, ("dataset", "contract", "phase"), registry=registry)
    for status in statuses:
        if status.contract:  # else it could not be read
            info.labels(status.dataset, status.contract, status.phase).set(1)
    for name, (field, text) in METRICS.items():
        gauge = Gauge(name, text, ("dataset",), registry=registry)
        for status in statuses:
            _sample(gauge, status, getattr(status.figures, field))
    text = "When all of the dataset was looked at for these figures."
    looked = Gauge(LOOKED, text, ("dataset",), registry=registry)
    for status in statuses:
        _sample(looked, status, None if status.problems else now)
    return generate_latest(registry).decode()


def _sample(gauge: "Gauge", status: Status, value: int | datetime | None) -> None:
    if value is not None:
        number = value.timestamp() if isinstance(value, datetime) else value
        gauge.labels(status.dataset).set(number)
