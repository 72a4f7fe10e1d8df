"""What the scoring route counts, shown by BentoML's /metrics.

The analysis of infra/base/canary reads these by name.
"""

from prometheus_client import Counter, Histogram

BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Meters:
    """Requests by status, rows, implausible predictions, failures by reason and time to answer,
    of one release."""

    def __init__(self, release: int) -> None:
        self._release = str(release)
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
