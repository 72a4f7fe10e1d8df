"""The status of datasets in Prometheus' text format, for a node exporter's textfile folder.

Where something is not asked or not known there is no sample: a figure is never made up. Moments
are Unix seconds, so that a rule can compare them with `time()`: a dataset becomes late without
anybody writing the file again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mlops.data.status import Status

Value = int | datetime | None
DUE = "mlops_dataset_due_timestamp_seconds"
GAPS = "mlops_dataset_gaps"
LOST = "mlops_dataset_lost_versions"
BROKEN = "mlops_dataset_broken_rules"
WAITING = "mlops_dataset_quarantined_batches"
LOOKED = "mlops_dataset_status_timestamp_seconds"


@dataclass(frozen=True)
class Metric:
    """A gauge with one sample a dataset."""

    name: str
    help: str
    value: Callable[[Status], Value]


METRICS = (
    Metric(
        "mlops_dataset_rows",
        "Rows of the pinned version.",
        lambda status: status.figures.rows,
    ),
    Metric(
        "mlops_dataset_newest_timestamp_seconds",
        "Newest moment of the pinned rows, or else when their version was committed.",
        lambda status: status.figures.newest,
    ),
    Metric(
        "mlops_dataset_pinned_timestamp_seconds",
        "When the pinned version was committed.",
        lambda status: status.figures.pinned,
    ),
    Metric(
        DUE,
        "When newer rows have to be there; none where the contract does not ask.",
        lambda status: status.figures.due,
    ),
    Metric(
        GAPS,
        "Spans between the first and the newest row in which rows are missing.",
        lambda status: status.figures.gaps,
    ),
    Metric(
        LOST,
        "Versions pinned within the retention that cannot be had any more.",
        lambda status: status.figures.lost,
    ),
    Metric(
        BROKEN,
        "Rules of the contract that the pinned version breaks.",
        lambda status: status.figures.broken,
    ),
    Metric(
        WAITING,
        "Batches in quarantine that nothing was decided of.",
        lambda status: status.figures.waiting,
    ),
    Metric(
        "mlops_dataset_quarantine_oldest_timestamp_seconds",
        "When the oldest of the batches that wait was kept aside.",
        lambda status: status.figures.waiting_since,
    ),
)


def exposition(statuses: Iterable[Status], now: datetime) -> str:
    """The whole text, ending with a line end.

    A dataset of which something could not be looked at has no `LOOKED`, so that it shows.

    Args:
        statuses: of the datasets.
        now: when they were looked at.
    """
    found = list(statuses)
    looked = Metric(
        LOOKED,
        "When all of the dataset was looked at for these figures.",
        lambda status: None if status.problems else now,
    )
    lines = [line for metric in (*METRICS, looked) for line in _lines(metric, found)]
    return "".join(f"{line}\n" for line in (*_info(found), *lines))


def _lines(metric: Metric, statuses: list[Status]) -> Iterator[str]:
    yield from _head(metric.name, metric.help)
    for status in statuses:
        value = metric.value(status)
        if value is not None:
            number = int(value.timestamp()) if isinstance(value, datetime) else value
            yield f"{metric.name}{_labels(dataset=status.dataset)} {number}"


def _info(statuses: list[Status]) -> Iterator[str]:
    name = "mlops_dataset_info"
    yield from _head(name, "Always 1: the contract's version and where in its life a dataset is.")
    for status in statuses:
        if status.contract:  # else it could not be read
            labels = _labels(dataset=status.dataset, contract=status.contract, phase=status.phase)
            yield f"{name}{labels} 1"


def _head(name: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"


def _labels(**labels: str) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{','.join(pairs)}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
