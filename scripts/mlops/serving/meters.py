"""What the scoring route counts, shown by BentoML's /metrics.

The analysis of infra/base/canary reads these by name.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from mlops.scoring.scorer import Scorer

Count = tuple[dict[str, str], float]
"""Labels, and how many."""

BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Meters:
    """Requests by status, rows, implausible predictions, failures by reason, time to answer, and
    features outside their contract, of one release."""

    def __init__(self, release: int, models: Sequence[Scorer] = ()) -> None:
        self._release = str(release)
        told = "Values of a feature outside the contract that the model was trained by."
        read = partial(_outside, self._release, models)
        REGISTRY.register(_Elsewhere("mlops_features_outside", told, read))
        self._requests = Counter(
            "mlops_predict_requests", "Scoring requests answered.", ("release", "status")
        )
        self._rows = Counter("mlops_predict_rows", "Rows scored.", ("release",)).labels(
            self._release
        )
        self._outside = Counter(
            "mlops_predict_outside",
            "Predictions outside the range that the service calls plausible.",
            ("release",),
        ).labels(self._release)
        self._failures = Counter(
            "mlops_predict_failures", "Scoring requests not scored.", ("release", "reason")
        )
        self._seconds = Histogram(
            "mlops_predict_seconds",
            "From the request's head to the answer being handed to the connection.",
            ("release",),
            buckets=BOUNDS,
        ).labels(self._release)
        self._scored = self._requests.labels(self._release, "200")
        # Shown as 0 from the start: an increase is seen only from a value that was there before.
        for status in ("422", "500"):
            self._requests.labels(self._release, status)

    def scored(self, rows: int, outside: int, seconds: float) -> None:
        """A request was scored; `outside` of its rows have an implausible prediction."""
        self._scored.inc()
        self._rows.inc(rows)
        self._outside.inc(outside)
        self._seconds.observe(seconds)

    def failed(self, status: int, reason: str, seconds: float) -> None:
        """A request was answered with an error."""
        self._requests.labels(self._release, str(status)).inc()
        self._failures.labels(self._release, reason).inc()
        self._seconds.observe(seconds)


class LogMeters:
    """Rows of the prediction log of one release: written, and lost (asked for when shown)."""

    def __init__(self, release: int, lost: Callable[[], int]) -> None:
        self._written = Counter(
            "mlops_predictions_logged", "Rows written to the prediction log.", ("release",)
        ).labels(str(release))
        told = "Rows answered and not written to the prediction log that should have been."
        labels = {"release": str(release)}
        REGISTRY.register(_Elsewhere("mlops_predictions_lost", told, lambda: [(labels, lost())]))

    def written(self, rows: int) -> None:
        """So many more are in the log."""
        self._written.inc(rows)


class _Elsewhere(Collector):
    """A counter that others count; it is read when it is asked for."""

    def __init__(self, name: str, told: str, read: Callable[[], Iterable[Count]]) -> None:
        self._name, self._told, self._read = name, told, read

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counter, with all its labels."""
        family = CounterMetricFamily(self._name, self._told)
        for labels, value in self._read():
            family.add_sample(f"{self._name}_total", labels, value)
        yield family


def _outside(release: str, models: Sequence[Scorer]) -> Iterator[Count]:
    """What the models counted by themselves of their features, by model and feature."""
    for each in (model for model in models if model.limits is not None):
        for feature, count in zip(each.card.columns, each.outside.tolist(), strict=True):
            yield {"release": release, "model": each.model, "feature": feature}, count
