"""Answers that wait to be written: the serving thread adds, the writer's takes.

Neither waits for the other. Each counts what it did itself, so that no lock is needed.
"""

from collections import deque

from mlops.serving.predictions.columns import Answer

ROWS = 20_000
"""So many wait at most: what pydantic makes of them is some 20 MB."""
SIZE = 16 << 20
"""Bytes of their requests that wait at most."""


class Backlog:
    """A queue with two bounds; what is over them is refused and counted."""

    def __init__(self) -> None:
        self.refused = 0
        """Rows of answers that found no place."""
        self._closed = False
        self._answers: deque[Answer] = deque()
        self._added_rows = self._added_size = 0
        self._taken_rows = self._taken_size = 0

    @property
    def rows(self) -> int:
        """How many wait."""
        return self._added_rows - self._taken_rows

    def has_room(self, rows: int, size: int) -> bool:
        """Whether so many more rows find a place; counts them when they don't."""
        if (
            self._added_rows - self._taken_rows + rows <= ROWS
            and self._added_size - self._taken_size + size <= SIZE
            and not self._closed
        ):
            return True
        self.refused += rows
        return False

    def add(self, answer: Answer) -> None:
        """Let an answer wait that there was room for."""
        self._added_rows += len(answer.rows)
        self._added_size += answer.size
        self._answers.append(answer)

    def close(self) -> None:
        """Nobody takes any more: what waits is lost, and what would come."""
        self._closed = True
        for answer in self.take(self.rows):
            self.refused += len(answer.rows)

    def take(self, rows: int) -> list[Answer]:
        """The oldest answers, until they have so many rows."""
        found: list[Answer] = []
        count = 0
        while count < rows and self._answers:
            answer = self._answers.popleft()
            found.append(answer)
            count += len(answer.rows)
            self._taken_size += answer.size
        self._taken_rows += count
        return found
