"""Telling that rows are lost: once when it begins, once when it is over."""

import sys
from datetime import UTC, datetime

import orjson

from mlops.errors import Problem


class Spell:
    """A time in which the log is not written as it should be."""

    def __init__(self, release: int) -> None:
        self._release = release
        self._began_at: int | None = None

    def begin(self, problem: Problem, lost: int) -> None:
        """Something is wrong; `lost` rows were lost before."""
        if self._began_at is None:
            self._began_at = lost
            self.tell(problem)

    def end(self, place: str, lost: int) -> None:
        """All is well; `lost` rows have been lost by now."""
        if self._began_at is None:
            return
        what = f"is written again, {lost - self._began_at} rows were lost"
        self._began_at = None
        self.tell(Problem(place, what, "nothing is to be done"))

    def tell(self, problem: Problem) -> None:
        """One line on standard error, as of requests that are refused."""
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "release": self._release,
            "event": "predictions",
            "problems": [{"path": problem.path, "what": problem.what, "fix": problem.fix}],
        }
        sys.stderr.write(orjson.dumps(entry).decode() + "\n")
        sys.stderr.flush()
